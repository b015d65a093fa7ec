"""What a converter is, and how it fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


class ConversionError(Exception):
    """A value that a converter does not take. code: of `errors.CODES`."""

    def __init__(self, code: str, rule: str, found: str = "", expected: str = "") -> None:
        """found: as it stood, short; expected: what would be taken."""
        super().__init__(code)
        self.code = code
        self.rule = rule
        self.found = found[:80]
        self.expected = expected


DECIMAL = r"-?[0-9]++(?:\.[0-9]++)?+"
"""The shape of a number that `Decimal` reads as it is."""


@dataclass(frozen=True, slots=True)
class Quick:
    """What a converter does with usual values, as Python expressions.

    reads: of {x} and {a} (the texts), {known} (the mapping) and {slow} (a call of decode);
    shapes: per part, a regular expression without groups that reads relies on, "" for none.
    writes: per part, of {v}, {wires} and {write}; a LookupError leaves the value to encode, and
    so does `unusual()`. What they give is what decode and encode give, with nothing lost.
    """

    reads: str = ""
    shapes: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    wires: Mapping[str, str] = field(default_factory=dict)
    write: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Converter:
    """A pair of functions.

    parts: how many wire texts it takes, the primary first; absent optional parts are "".
    canonical: the type of the value. decode: (text, ...) -> value. encode: value -> text, or
    a tuple of texts when parts > 1. narrows: encode may lose something, so that the way back
    is compared. loses: a quicker test of one value, where there is one. keeps: of a converter
    that narrows, a quick test that this value surely comes back as it is. lists: code lists.
    reads, writes: Python expressions of {x} and {v} that do what decode and encode do, where
    that cannot fail. closed: per part, all texts that encode can write, where a list says so.
    quick: the same for usual values.
    """

    name: str
    parts: int
    canonical: type
    decode: Callable[..., Any]
    encode: Callable[[Any], Any]
    narrows: bool = False
    lists: tuple[str, ...] = ()
    loses: Callable[[Any], bool] | None = None
    keeps: Callable[[Any], bool] | None = None
    reads: str = ""
    writes: str = ""
    closed: tuple[frozenset[str] | None, ...] = ()
    quick: Quick = Quick()


Factory = Callable[[str, tuple[str, ...], date], Converter]
