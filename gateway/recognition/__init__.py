"""Mutual recognition: an outcome is a pure function of evidence, rule set and instant. No I/O."""
