"""The table of linking: probabilities, bands and limits, with a version."""

import tomllib
from decimal import Context, Decimal
from functools import cached_property
from typing import Any

import msgspec

from gateway.errors import Finding, MappingError

FIELDS = (
    "number", "container", "plate", "seal", "hs", "mass", "trader", "facility", "time",
)  # fmt: skip
_EXACT = Context(prec=40)


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Probabilities that a level is met for the same goods, and for different ones."""

    m: Decimal
    u: Decimal


class Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three levels of a field. What is not stated on both sides counts nothing."""

    equal: Level
    near: Level
    differ: Level


class LinkModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """high, low, lead: hundredths of a bit. window, clock: hours."""

    version: str
    most_block: int
    most_exact: int
    high: int
    low: int
    lead: int
    window_hours: int
    clock_hours: int
    number: Levels
    container: Levels
    plate: Levels
    seal: Levels
    hs: Levels
    mass: Levels
    trader: Levels
    facility: Levels
    time: Levels

    @cached_property
    def weights(self) -> dict[str, tuple[int, int, int]]:
        """Field -> weight when equal, near and different, hundredths of a bit."""
        return {name: _weights(getattr(self, name)) for name in FIELDS}


def _weights(levels: Levels) -> tuple[int, int, int]:
    return _bits(levels.equal), _bits(levels.near), _bits(levels.differ)


def _bits(level: Level) -> int:
    """Decimal logarithms are the same on every machine; those of floats need not be."""
    ratio = _EXACT.divide(level.m, level.u)
    return int((_EXACT.divide(_EXACT.ln(ratio), _EXACT.ln(Decimal(2))) * 100).to_integral_value())


def read_model(content: bytes) -> LinkModel:
    """Read the table. MappingError when it is none, or a probability is not between 0 and 1."""
    try:
        read: dict[str, Any] = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
        model = msgspec.convert(read, LinkModel)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise _error(str(fault)[:160]) from None
    for name in FIELDS:
        levels = getattr(model, name)
        rows = (levels.equal, levels.near, levels.differ)
        if not all(0 < row.m < 1 and 0 < row.u < 1 for row in rows):
            raise _error(name)
    return model


def _error(found: str) -> MappingError:
    return MappingError("not-mapped", Finding("not-mapped", "link-model", "", found, "a table"))
