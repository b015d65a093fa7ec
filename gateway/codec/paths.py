"""Paths in the canonical document, and the shape of the model that they lead through.

`consignments[].items[].gross_mass`: `[]` goes along with the enclosing group row, `[0]` is a
fixed index, `[key]` picks the element whose discriminator is the key (`identifiers[cn.waybill]`,
`crew[driver]`). Names are the attribute names of `gateway.model`.
"""

import re
import types
import typing
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import msgspec

from gateway.model.manifest import CrewMember, Document, Manifest, Remark
from gateway.model.response import Answer, Response
from gateway.model.values import Communication, Identifier

ROOTS: dict[str, type] = {"manifest": Manifest, "response": Response, "answer": Answer}
DISCRIMINATORS: dict[type, str] = {
    Identifier: "scheme",
    Communication: "type",
    CrewMember: "role",
    Document: "kind",
    Remark: "audience",
}


class Each:
    """The selector `[]`."""


EACH = Each()
Selector = int | str | Each | None
_STEP = re.compile(r"([a-z][a-z0-9_]*)(\[([^\[\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Step:
    """One name on a path and which element of it, when it is a tuple."""

    name: str
    select: Selector = None

    def __str__(self) -> str:
        if self.select is None:
            return self.name
        return f"{self.name}[{'' if self.select is EACH else self.select}]"


Path = tuple[Step, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Read a canonical path. ValueError when it is not one."""
    steps: list[Step] = []
    at = 0
    while at <= len(text):
        match = _STEP.match(text, at)
        if match is None or (match.end() < len(text) and text[match.end()] != "."):
            raise ValueError(f"not a canonical path: {text!r}")
        steps.append(Step(match.group(1), _selector(match)))
        at = match.end() + 1
    return tuple(steps)


def _selector(match: re.Match[str]) -> Selector:
    inner = match.group(3)
    if inner is None:
        return None
    if inner == "":
        return EACH
    return int(inner) if inner.isdecimal() else inner


def text(path: Path) -> str:
    """Write a canonical path."""
    return ".".join(str(step) for step in path)


def with_indexes(path: Path, indexes: typing.Sequence[int]) -> str:
    """Write a canonical path with its `[]` filled from outside in (0-based).

    A list that no index is left for is written as a whole.
    """
    rest = iter(indexes)
    filled = (Step(s.name, next(rest, None)) if s.select is EACH else s for s in path)
    return text(tuple(filled))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a canonical value. many: a tuple of `type`. required: it has no default."""

    name: str
    type: Any
    many: bool
    required: bool
    default: object = None


_fields: dict[type, dict[str, Field]] = {}


def fields(struct: type) -> dict[str, Field]:
    """Return the fields of a canonical class by name."""
    known = _fields.get(struct)
    if known is None:
        hints = typing.get_type_hints(struct)
        found = msgspec.structs.fields(struct)
        known = _fields[struct] = {f.name: _field(f, hints[f.name]) for f in found}
    return known


def _field(field: msgspec.structs.FieldInfo, hint: Any) -> Field:
    default = None if field.required else field.default
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    if typing.get_origin(hint) is tuple:
        return Field(field.name, typing.get_args(hint)[0], True, field.required, default)
    return Field(field.name, hint, False, field.required, default)


def is_struct(kind: Any) -> bool:
    """True for a canonical class."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def resolve(root: type, path: Path) -> Any:
    """Return the type of the value at the path. ValueError says why there is none."""
    kind: Any = root
    for step in path:
        if not is_struct(kind) or step.name not in fields(kind):
            raise ValueError(f"{getattr(kind, '__name__', kind)} has no field {step.name}")
        found = fields(kind)[step.name]
        _fits(found, step)
        kind = found.type
    return kind


def _fits(found: Field, step: Step) -> None:
    if found.many != (step.select is not None):
        wanted = "needs" if found.many else "takes no"
        raise ValueError(f"{found.name} {wanted} [selector]")
    if isinstance(step.select, str):
        discriminator = DISCRIMINATORS.get(found.type)
        if discriminator is None:
            raise ValueError(f"{found.name} has no discriminator for [{step.select}]")
        key_type = fields(found.type)[discriminator].type
        if issubclass(key_type, Enum):
            key_type(step.select)
