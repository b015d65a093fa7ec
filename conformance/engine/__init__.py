"""Cases, targets, the runner and its verdicts."""
