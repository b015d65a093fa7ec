"""Which documents each side submits, receives and makes of each other (mappings/routes.toml)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec


class Route(msgspec.Struct, frozen=True, rename={"sources": "from", "targets": "to"}):
    """Documents that are joined (where they are halves) and what is made of the whole."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side's routes; see the comments in mappings/routes.toml."""

    receives: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    outbound: tuple[Route, ...] = ()
    inbound: tuple[Route, ...] = ()


class Routes:
    """The routes of both sides."""

    def __init__(self, sides: Mapping[str, Side]) -> None:
        """sides: vn and cn."""
        self._sides = sides

    @classmethod
    def load(cls, mappings: Path) -> "Routes":
        """Read routes.toml of the folder of mapping tables."""
        written = tomllib.loads((mappings / "routes.toml").read_text(encoding="utf-8"))
        return cls(msgspec.convert(written, dict[str, Side]))

    def passes(self, side: str, name: str) -> bool:
        """True when a submitted document travels as it is."""
        return name in self._sides[side].passes

    def receives(self, side: str, name: str) -> bool:
        """True when a side accepts this document on the link."""
        return name in self._sides[side].receives

    def targets(self, side: str, way: Literal["outbound", "inbound"], name: str) -> tuple[str, ...]:
        """Return what is made of a document; () when nothing is."""
        routes: tuple[Route, ...] = getattr(self._sides[side], way)
        return next((route.targets for route in routes if name in route.sources), ())
