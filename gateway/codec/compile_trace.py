"""The trace that generated code leaves, and how it is read.

A trace is flat: the number of a row and its wire texts, or the number of a group row that
starts one more element. A row whose texts are all empty was not there. `problems` holds what
went wrong, with the length that the trace had then: replayed that far, the trace says at which
elements.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.codec.compile_plan import Entry, Plan
from gateway.codec.convert import ConversionError


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: unlike | lack | convert | miss | many | long | recalled | form | character | left.

    at: length of the trace. detail: what was found, never a value. cause: of a conversion.
    """

    kind: str
    number: int
    at: int
    detail: str = ""
    cause: ConversionError | None = None


class Trace(list[Any]):
    """Row numbers and wire texts of a run of one plan. narrowed, defaulted: rows that lost
    something or took the table's constant (once per occurrence). left: row number to the wire
    texts that decoding left out. blank: (number, indexes) of what a draft leaves blank."""

    __slots__ = ("blank", "defaulted", "left", "narrowed", "plan", "problems")

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.problems: list[Problem] = []
        self.narrowed: list[int] = []
        self.defaulted: list[int] = []
        self.left: dict[int, list[str]] = {}
        self.blank: set[tuple[int, tuple[int, ...]]] = set()

    def mark(self) -> tuple[int, ...]:
        """Return how far the run has got, for `rewind`."""
        return len(self), len(self.problems), len(self.narrowed), len(self.defaulted)

    def rewind(self, mark: tuple[int, ...]) -> None:
        """Forget what came after the mark."""
        notes: tuple[list[Any], ...] = (self, self.problems, self.narrowed, self.defaulted)
        for noted, length in zip(notes, mark, strict=True):
            del noted[length:]


_FEW = 8
"""Problems up to which counting is quicker than one pass."""

Found = tuple[int, tuple[int, ...], tuple[str, ...]]


def replay(trace: Sequence[Any], entries: dict[int, Entry]) -> Iterator[Found]:
    """Yield (number, indexes of the enclosing rows and its own where it repeats, texts)."""
    for number, counts, at in _walk(trace, entries):
        entry = entries[number]
        texts = tuple(trace[at + 1 : at + 1 + entry.arity])
        if entry.repeats or any(texts):
            chain = (*entry.chain, number) if entry.repeats else entry.chain
            yield number, tuple(counts.get(n, 0) for n in chain), texts


def unplaced(trace: Sequence[Any], entries: dict[int, Entry]) -> Iterator[Found]:
    """Yield what `replay` does, quicker and without the indexes."""
    kinds = {number: (entry.arity, entry.repeats) for number, entry in entries.items()}
    at = 0
    while at < len(trace):
        number = trace[at]
        arity, repeats = kinds[number]
        texts = tuple(trace[at + 1 : at + 1 + arity])
        if repeats or any(texts):
            yield number, (), texts
        at += 1 + arity


def placed(trace: Trace, entries: dict[int, Entry]) -> Iterator[tuple[Problem, tuple[int, ...]]]:
    """Yield each problem with the indexes of the rows that enclose it.

    A few problems are the normal case (a recalled length): each is placed by counting in the
    list. Many are placed in one pass.
    """
    if len(trace.problems) <= _FEW:
        for problem in trace.problems:
            yield problem, _indexes(trace, problem, entries[problem.number])
        return
    waiting = list(reversed(trace.problems))
    counts: dict[int, int] = {}
    for _, now, at in _walk(trace, entries):
        while waiting and waiting[-1].at <= at:
            yield _with_place(waiting.pop(), counts, entries)
        counts = dict(now) if waiting and entries[trace[at]].repeats else counts
    while waiting:
        yield _with_place(waiting.pop(), counts, entries)


def _indexes(trace: Trace, problem: Problem, entry: Entry) -> tuple[int, ...]:
    """Count how far each enclosing row has got: numbers are rows, texts are never numbers."""
    own = (problem.number,) if entry.repeats and entry.leaf else ()
    found, part, chain = [], trace[: problem.at], (*entry.chain, *own)
    for number in chain:
        count = part.count(number)
        found.append(max(count - 1, 0))
        if count and number != chain[-1]:
            part = part[len(part) - part[::-1].index(number) :]
    return tuple(found)


def _with_place(
    problem: Problem, counts: dict[int, int], entries: dict[int, Entry]
) -> tuple[Problem, tuple[int, ...]]:
    entry = entries[problem.number]
    own = (problem.number,) if entry.repeats and entry.leaf else ()
    return problem, tuple(counts.get(number, 0) for number in (*entry.chain, *own))


def _walk(
    trace: Sequence[Any], entries: dict[int, Entry]
) -> Iterator[tuple[int, dict[int, int], int]]:
    """Yield (number, how far each repeating row has got, place in the trace)."""
    counts: dict[int, int] = {}
    inner: dict[int, list[int]] = {}
    for number, entry in entries.items():
        for outer in entry.chain if entry.repeats else ():
            inner.setdefault(outer, []).append(number)
    at = 0
    while at < len(trace):
        number = trace[at]
        if entries[number].repeats:
            counts[number] = counts.get(number, -1) + 1
            for below in inner.get(number, ()):
                counts.pop(below, None)
        yield number, counts, at
        at += 1 + entries[number].arity
