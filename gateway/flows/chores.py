"""Periodic work of a node, apart from the tasks of messages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that the worker does now and then, in a thread of its own.

    name: unique, for logs. every: from one start to the next; a run that takes longer
    delays the next. run: returns how much it did (0: nothing worth a log line); it may be
    run on every node at once unless it holds a lease of its own.
    """

    name: str
    every: timedelta
    run: Callable[[], int]
