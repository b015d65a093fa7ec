"""Measure alternatives interleaved, in one process, and compare them as ratios."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 11
"""At least 9: the median of an odd number of rounds."""


@dataclass(frozen=True)
class Ratio:
    """How many times as much CPU time the other one takes."""

    median: float
    low: float
    high: float


def compare(
    ours: Callable[[], object], other: Callable[[], object], repeat: int, rounds: int = ROUNDS
) -> Ratio:
    """Return other's CPU time / ours, per round; the two take turns going first."""
    ours(), other()
    ratios = []
    for number in range(rounds):
        first, second = (ours, other) if number % 2 else (other, ours)
        a, b = _cpu(first, repeat), _cpu(second, repeat)
        mine, theirs = (a, b) if number % 2 else (b, a)
        ratios.append(theirs / mine)
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def _cpu(work: Callable[[], object], repeat: int) -> float:
    began = time.process_time()
    for _ in range(repeat):
        work()
    return time.process_time() - began
