"""What the demo passes through: one folder is one crossing.

A `chapter.toml` says how to tell it. A folder without one is handed in as it is: every file
but `parameters.json`, on the side whose formats they are.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from gateway.errors import DocumentError, Finding


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of chapter.toml. complete: parameters that the receiving side states later."""

    side: Literal["vn", "cn"]
    submit: tuple[str, ...]
    title: str
    title_vi: str = ""
    title_zh: str = ""
    response: str | None = None
    complete: str | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One crossing, read. parameters, complete: JSON."""

    name: str
    plan: Plan
    documents: tuple[tuple[str, bytes], ...]
    parameters: bytes | None
    response: bytes | None
    complete: bytes | None

    @property
    def titles(self) -> tuple[str, ...]:
        """The title in every language that it is given in."""
        return tuple(t for t in (self.plan.title, self.plan.title_vi, self.plan.title_zh) if t)


def chapters(folder: Path) -> tuple[Chapter, ...]:
    """Read the chapters of a folder: its subfolders, or the folder itself.

    DocumentError `malformed` when there is nothing to hand in.
    """
    inner = sorted(p for p in folder.iterdir() if p.is_dir())
    order = {name: n for n, name in enumerate(("dragon-fruit", "durian", "electronics"))}
    inner.sort(key=lambda p: order.get(p.name, len(order)))
    found = tuple(c for place in inner or [folder] if (c := _chapter(place)) is not None)
    if not found:
        missing = Finding("malformed", "document-missing", str(folder), "", "documents to hand in")
        raise DocumentError("malformed", missing)
    return found


def _chapter(place: Path) -> Chapter | None:
    stated = place / "chapter.toml"
    plan = _plan(stated) if stated.is_file() else _guessed(place)
    if plan is None:
        return None
    given = place / "parameters.json"
    parameters = given.read_bytes() if given.is_file() and plan.complete is None else None
    return Chapter(
        name=place.name,
        plan=plan,
        documents=tuple((name, (place / name).read_bytes()) for name in plan.submit),
        parameters=parameters,
        response=(place / plan.response).read_bytes() if plan.response else None,
        complete=(place / plan.complete).read_bytes() if plan.complete else None,
    )


def _plan(file: Path) -> Plan:
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Plan)


def _guessed(place: Path) -> Plan | None:
    names = sorted(
        p.name
        for p in place.iterdir()
        if p.suffix.lower() in (".edi", ".json", ".xml") and p.name != "parameters.json"
    )
    if not names:
        return None
    chinese = all(name.lower().endswith(".xml") for name in names)
    return Plan(side="cn" if chinese else "vn", submit=tuple(names), title=place.name)
