"""Code lists: what a wire code means in canonical terms, on a given day.

`mappings/codes/lists.toml` names every list; `mappings/codes/<list>.csv` holds its codes:

    wire, canonical    the code on the wire and in the canonical document
    direction          both | decode | encode
    lossy              yes when the way back does not lead to the same code
    valid_from, _to    ISO days, empty for no bound
    mark               C confirmed, W recalled, I inferred, P proposal
    name_vi, _zh, _en  for people

A list belongs to a message type: code systems differ from message to message.
"""

import csv
import tomllib
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from gateway.errors import Finding, MappingError
from gateway.resources import folder

COLUMNS = (
    "wire", "canonical", "direction", "lossy", "valid_from", "valid_to", "mark",
    "name_vi", "name_zh", "name_en",
)  # fmt: skip


class ListHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """canonical: name of the list whose values the canonical document holds. unknown: refuse
    a code that is not listed, or keep it raw. version: goes into the report."""

    title: str
    canonical: str
    version: str
    unknown: Literal["refuse", "raw"] = "refuse"
    empty: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One code. lossy: the way back does not lead to the same wire code."""

    wire: str
    canonical: str
    direction: str
    lossy: bool
    valid_from: date | None
    valid_to: date | None
    mark: str
    names: dict[str, str] = field(default_factory=dict)

    def holds(self, at: date) -> bool:
        """True when the code may be used on this day."""
        early = self.valid_from is not None and at < self.valid_from
        late = self.valid_to is not None and at > self.valid_to
        return not (early or late)


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list on a given day. outdated: codes that are listed but do not hold on that day."""

    name: str
    header: ListHeader
    entries: tuple[Entry, ...]
    decode: dict[str, str]
    encode: dict[str, str]
    outdated: frozenset[str]

    @property
    def narrows(self) -> bool:
        """True when some code does not come back as itself."""
        return any(entry.lossy for entry in self.entries)


def names(codes: Path | None = None) -> tuple[str, ...]:
    """Return the names of all lists."""
    return tuple(_headers(codes or _codes()))


@lru_cache(maxsize=256)
def load(name: str, at: date, codes: Path | None = None) -> CodeList:
    """Read a list as it holds on a day. MappingError `not-mapped` when it is not well made."""
    place = codes or _codes()
    header = _headers(place).get(name)
    if header is None:
        raise MappingError("not-mapped", Finding("not-mapped", "code-list", name))
    entries = tuple(_entries(place / f"{name}.csv"))
    decode: dict[str, str] = {}
    encode: dict[str, str] = {}
    for entry in entries:
        if not entry.holds(at):
            continue
        if entry.direction in ("both", "decode"):
            _add(decode, entry.wire, entry.canonical, name)
        if entry.direction in ("both", "encode"):
            _add(encode, entry.canonical, entry.wire, name)
    outdated = frozenset(e.wire for e in entries if not e.holds(at)) - decode.keys()
    return CodeList(name, header, entries, decode, encode, outdated)


def _add(codes: dict[str, str], key: str, value: str, name: str) -> None:
    if codes.setdefault(key, value) != value:
        raise MappingError("not-mapped", Finding("not-mapped", "code-list-doubles", name, key))


def _codes() -> Path:
    return folder("mappings") / "codes"


@lru_cache(maxsize=8)
def _headers(place: Path) -> dict[str, ListHeader]:
    written = tomllib.loads((place / "lists.toml").read_text(encoding="utf-8"))
    return msgspec.convert(written, dict[str, ListHeader])


def _entries(file: Path) -> list[Entry]:
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            finding = Finding("not-mapped", "code-list-columns", file.name)
            raise MappingError("not-mapped", finding)
        return [_entry(row) for row in reader]


def _entry(row: dict[str, str]) -> Entry:
    return Entry(
        wire=row["wire"],
        canonical=row["canonical"],
        direction=row["direction"] or "both",
        lossy=row["lossy"] == "yes",
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        mark=row["mark"],
        names={lang: row[f"name_{lang}"] for lang in ("vi", "zh", "en")},
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
