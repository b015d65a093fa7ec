"""What generated code calls, and the trace that it leaves.

A trace is flat: the number of a row and its wire texts, or the number of a group row that
starts one more element. `problems` holds what went wrong, with the length that the trace had
then: replayed that far, the trace says at which elements.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.codec.compile_plan import Entry, Plan
from gateway.codec.convert import ConversionError, Converter
from gateway.codec.wire import Base, Value, text_of, value_of
from gateway.errors import MOST_FINDINGS

NOTHING: dict[str, Any] = {}
odd_text = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_ODD_ATTRIBUTE = re.compile('[&<"\x00-\x1f\ud800-\udfff\ufffe\uffff]').search
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


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

    def __init__(self, plan: Plan | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.problems: list[Problem] = []
        self.narrowed: list[int] = []
        self.defaulted: list[int] = []
        self.left: dict[int, list[str]] = {}
        self.blank: set[tuple[int, tuple[int, ...]]] = set()


_FEW = 8
"""Problems up to which counting is quicker than one pass."""

Found = tuple[int, tuple[int, ...], tuple[str, ...]]


def replay(trace: Sequence[Any], entries: dict[int, Entry]) -> Iterator[Found]:
    """Yield (number, indexes of the enclosing rows and its own where it repeats, texts)."""
    for number, counts, at in _walk(trace, entries):
        entry = entries[number]
        chain = (*entry.chain, number) if entry.repeats else entry.chain
        texts = tuple(trace[at + 1 : at + 1 + entry.arity])
        yield number, tuple(counts.get(n, 0) for n in chain), texts


def unplaced(trace: Sequence[Any], entries: dict[int, Entry]) -> Iterator[Found]:
    """Yield what `replay` does, quicker and without the indexes."""
    arities = {number: entry.arity for number, entry in entries.items()}
    at = 0
    while at < len(trace):
        number = trace[at]
        end = at + 1 + arities[number]
        yield number, (), tuple(trace[at + 1 : end])
        at = end


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


def unlike(number: int, t: Trace) -> None:
    """A constant of the table stands otherwise in the document."""
    t.problems.append(Problem("unlike", number, len(t), "another value"))


def lack(number: int, t: Trace) -> None:
    """Something is there, but not what the model requires with it."""
    t.problems.append(Problem("lack", number, len(t), "absent"))


def miss(number: int, t: Trace) -> None:
    """A leaf that must be sent has no value."""
    t.problems.append(Problem("miss", number, len(t), "absent"))


def many(number: int, t: Trace, count: int) -> None:
    """A list is longer than its group may repeat."""
    t.problems.append(Problem("many", number, len(t), str(count)))


def long(number: int, t: Trace, length: int) -> None:
    """A text is longer than a confirmed length."""
    t.problems.append(Problem("long", number, len(t), str(length)))


def recalled(number: int, t: Trace, length: int) -> None:
    """A text is longer than a length that is only recalled."""
    t.problems.append(Problem("recalled", number, len(t), str(length)))


def form(number: int, t: Trace, text: str) -> None:
    """A text does not have the form that the schema asks for."""
    t.problems.append(Problem("form", number, len(t), f"{len(text)} characters"))


def typed(number: int, t: Trace, text: str, base: Base) -> Value:
    """Return a wire text as a JSON value of its type."""
    try:
        return value_of(text, base)
    except ValueError:
        form(number, t, text)
        return text


def as_text(value: Value | None) -> str:
    """Return a JSON value as wire text, "" when it is absent."""
    return "" if value is None else text_of(value)


def leave(number: int, t: Trace, value: Any) -> None:
    """Note what decoding leaves out: a text, a part of a record, or an element."""
    t.left.setdefault(number, []).extend(filter(None, _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str | int | Decimal):
        yield text_of(value)
    elif value is not None:
        for element in value.iter():
            yield (element.text or "").strip()
            yield from element.attrib.values()


def left(number: int, t: Trace) -> None:
    """A group is not sent because this leaf, which it needs, has no value."""
    t.problems.append(Problem("left", number, len(t), "absent"))


def compare(number: int, t: Trace, converter: Converter, value: Any, texts: Sequence[str]) -> None:
    """Note a row whose wire texts no longer say the whole value."""
    try:
        same = converter.decode(*texts) == value
    except ConversionError:
        same = False
    if not same:
        t.narrowed.append(number)


def digits(text: str, total: int, fraction: int | None) -> bool:
    """True when a plain decimal has no more digits than allowed."""
    whole, _, decimals = text.lstrip("-").partition(".")
    decimals = decimals.rstrip("0")
    fits = len(whole.lstrip("0")) + len(decimals) <= total
    return fits and (fraction is None or len(decimals) <= fraction)


def text(number: int, t: Trace, value: str) -> str:
    """Escape element text as canonical XML does."""
    if odd_text(value) is None:
        return value
    _allowed(number, t, value)
    return value.translate(_TEXT)


def attribute(number: int, t: Trace, value: str) -> str:
    """Escape an attribute value as canonical XML does."""
    if _ODD_ATTRIBUTE(value) is None:
        return value
    _allowed(number, t, value)
    return value.translate(_ATTRIBUTE)


def _allowed(number: int, t: Trace, value: str) -> None:
    if found := _FORBIDDEN(value):
        t.problems.append(Problem("character", number, len(t), f"U+{ord(found.group()):04X}"))


def present(*values: Any) -> tuple[Any, ...]:
    """Return what is there, in order."""
    return tuple([value for value in values if value is not None])


def by(values: Iterable[Any], discriminator: str, key: str) -> Any:
    """Return the first element whose discriminator is the key."""
    return next((value for value in values if getattr(value, discriminator) == key), None)


_ENOUGH = 4 * MOST_FINDINGS
"""Problems, of which some only follow from others, that surely make as many findings as told."""


class EnoughError(Exception):
    """As many problems are noted as anybody will be told."""


def collecting(
    convert: Callable[..., Any], number: int, t: Trace, failed: Any
) -> Callable[..., Any]:
    """Wrap one side of a converter: what it refuses is noted and `failed` returned.

    Raises EnoughError when there are more problems than are told.
    """

    def converted(*values: Any) -> Any:
        try:
            return convert(*values)
        except ConversionError as error:
            t.problems.append(Problem("convert", number, len(t), cause=error))
            if len(t.problems) > _ENOUGH:
                raise EnoughError from error
            return failed

    return converted
