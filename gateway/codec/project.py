"""Removes what is personal from a canonical document, unless a profile lets it cross.

What is personal: the crew of a vehicle, and, anywhere, contacts and ways to reach somebody.
What a profile may disclose, by name:

    crew                everything about the crew
    crew.<field>        the crew's roles and this field (crew.names, crew.documents, ...)
    contact             persons to ask, with their names and numbers
    communications      telephone numbers, mail addresses of parties
"""

from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from gateway.codec.paths import fields, is_struct
from gateway.model.manifest import CrewMember
from gateway.model.values import Communication, Contact

T = TypeVar("T", bound=msgspec.Struct)


def project(document: T, disclose: frozenset[str]) -> T:
    """Return the document without the personal subtrees that are not disclosed."""
    return cast("T", _projected(document, disclose))


def _projected(value: Any, disclose: frozenset[str]) -> Any:
    """Return what is left of a value; the value itself when nothing goes."""
    changes = {}
    for name in _touching(type(value)):
        before = getattr(value, name)
        after = _field(before, disclose)
        if after is not before:
            changes[name] = after
    return msgspec.structs.replace(value, **changes) if changes else value


def _field(value: Any, disclose: frozenset[str]) -> Any:
    if isinstance(value, tuple):
        kept = [k for v in value if (k := _one(v, disclose)) is not None]
        same = len(kept) == len(value) and all(a is b for a, b in zip(kept, value, strict=True))
        return value if same else tuple(kept)
    return None if value is None else _one(value, disclose)


def _one(value: Any, disclose: frozenset[str]) -> Any:
    """Return what is left of one value, None when it goes."""
    if isinstance(value, CrewMember):
        return _crew(value, disclose)
    if isinstance(value, Contact):
        return value if "contact" in disclose else None
    if isinstance(value, Communication):
        return value if "communications" in disclose else None
    return _projected(value, disclose) if is_struct(type(value)) else value


def _crew(member: CrewMember, disclose: frozenset[str]) -> CrewMember | None:
    if "crew" in disclose:
        return member
    shown = [f for f in fields(CrewMember) if f != "role" and f"crew.{f}" in disclose]
    if not shown:
        return None
    return CrewMember(role=member.role, **{name: getattr(member, name) for name in shown})


_personal_fields: dict[type, tuple[str, ...]] = {}


def _touching(kind: type) -> tuple[str, ...]:
    """Return the fields of a class at or below which something personal can stand."""
    found = _personal_fields.get(kind)
    if found is None:
        found = tuple(f.name for f in fields(kind).values() if _personal(f.type))
        _personal_fields[kind] = found
    return found


@cache
def _personal(kind: Any) -> bool:
    if kind in (CrewMember, Contact, Communication):
        return True
    return is_struct(kind) and any(_personal(f.type) for f in fields(kind).values())
