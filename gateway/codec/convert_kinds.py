"""What a converter is, and how it fails."""

from collections.abc import Callable
from dataclasses import dataclass
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


Factory = Callable[[str, tuple[str, ...], date], Converter]
