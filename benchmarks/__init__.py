"""Ratios against other stacks, measured in one run on one machine. See docs/performance.md."""
