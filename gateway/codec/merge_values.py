"""How two values of one field come together, and the findings and notes that this leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from gateway.codec.notes import Note
from gateway.errors import Finding
from gateway.model.manifest import Manifest, PlaceAndTime, TransportContractDocument
from gateway.model.values import Code, Location, Moment, Party, Precision

T = TypeVar("T")
Struct = TypeVar("Struct", bound=msgspec.Struct)

_OPEN = (Location, PlaceAndTime, TransportContractDocument)
"""Structs whose fields come together one by one; others are values that agree or do not."""


@dataclass(frozen=True, slots=True)
class Part:
    """A document of the set. name: `document 2`, for findings and notes."""

    name: str
    document: Manifest


def distinct(values: Iterable[T]) -> tuple[T, ...]:
    """Return the values, each once, in the order of their first appearance."""
    found: list[T] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)


def stated(value: Any) -> str:
    """Show a value shortly: codes, numbers and times; never parties, names or persons."""
    if not hasattr(value, "__struct_fields__"):
        return str(value)[:40]
    for attribute in ("gate", "office", "value", "local", "count", "amount"):
        inner = getattr(value, attribute, None)
        if inner is not None:
            return stated(inner)
    return type(value).__name__


def _absent(value: Any) -> bool:
    return value is None or value in ((), "", False)


def _one(known: Any, other: Any) -> Any:
    """Return the value that says both, None when they contradict."""
    if _absent(other) or known == other:
        return known
    if _absent(known):
        return other
    if isinstance(known, Moment) and isinstance(other, Moment):
        return _finer(known, other)
    if isinstance(known, Code) and isinstance(other, Code) and known.list != other.list:
        return known  # two code systems say the same in their own way
    return None


def _opens(known: Any, other: Any) -> bool:
    """Return whether two values that differ come together field by field.

    Two parties do so when they have a number in common: others are two parties.
    """
    if isinstance(known, Party) and isinstance(other, Party):
        return any(number in known.ids for number in other.ids)
    return isinstance(known, _OPEN)


def _finer(known: Moment, other: Moment) -> Moment | None:
    """Return the more precise of two moments that agree as far as both go."""
    order = list(Precision)
    coarse, fine = sorted((known, other), key=lambda moment: order.index(moment.precision))
    if coarse.precision is not Precision.DAY and coarse.offset != fine.offset:
        return None
    return fine if fine.local.startswith(coarse.local) else None


@dataclass(slots=True)
class Desk:
    """Where halves are put together; keeps what is found on the way."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def conflict(self, rule: str, path: str, found: str, expected: str) -> None:
        """Record a contradiction that refuses the whole."""
        self.findings.append(Finding("rule-broken", rule, path, found, expected))

    def differs(self, path: str, name: str) -> None:
        """Record that a later document says something else where the first may stand."""
        self.notes.append(Note("merged", path, f"{name} says another; the first stands"))

    def agreed(self, parts: Sequence[Part], path: str) -> Any:
        """Return the value of a root field that must be the same in all documents."""
        rule = "join-gate" if path == "border_gate" else f"join-{path.replace('_', '-')}"
        value, origin = None, ""
        for part in parts:
            other = getattr(part.document, path)
            differing: list[str] = []
            together = self._together(value, other, path, part.name, differing)
            if differing or (together is None and not _absent(other)):
                found = f"{stated(other)} in {part.name}"
                self.conflict(rule, path, found, f"{stated(value)}, as in {origin}")
                continue
            if value is None and not _absent(together):
                origin = part.name
            value = together
        return value

    def first(self, parts: Sequence[Part], path: str) -> Any:
        """Return what the first document says of a root field, completed by the others."""
        value = None
        for part in parts:
            value = self.either(value, getattr(part.document, path), path, part.name)
        return value

    def either(self, known: Any, other: Any, path: str, name: str) -> Any:
        """Return the known value, completed by the other; a difference is noted."""
        if isinstance(known, tuple) and isinstance(other, tuple):
            # The same person is written differently in two documents: no union of persons.
            return (known or other) if path.endswith(".crew") else distinct((*known, *other))
        differing: list[str] = []
        together = self._together(known, other, path, name, differing)
        for place in differing or ([path] if together is None and not _absent(other) else []):
            self.differs(place, name)
        return known if together is None else together

    def fused(self, known: Struct, other: Struct, path: str, name: str) -> Struct:
        """Return a struct whose fields are those of both; the first stands where they differ."""
        changes = {
            each: self.either(getattr(known, each), getattr(other, each), f"{path}.{each}", name)
            for each in known.__struct_fields__
        }
        return msgspec.structs.replace(known, **changes)

    def _together(self, known: Any, other: Any, path: str, name: str, differing: list[str]) -> Any:
        """Return both in one, None when they contradict. differing: places inside a struct
        where the first stands."""
        one = _one(known, other)
        if one is not None or not _opens(known, other):
            return one
        changes: dict[str, Any] = {}
        for each in known.__struct_fields__:
            ours, theirs = getattr(known, each), getattr(other, each)
            if isinstance(ours, tuple):
                changes[each] = distinct((*ours, *theirs))
                continue
            inner = self._together(ours, theirs, f"{path}.{each}", name, differing)
            if inner is None and not _absent(theirs):
                differing.append(f"{path}.{each}")
                inner = ours
            changes[each] = inner
        return msgspec.structs.replace(known, **changes)
