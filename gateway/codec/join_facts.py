"""What a document says that a join may use: its role, its day, its keys.

Kinds of keys:

    join-ref         a reference that the submitter chose (parameter joinRef, TOR.NOD, EDA.REF)
    header-key       the free part of the EDI header: weaker, many systems fill it always
    batch            the Chinese batch number
    divided, branch  first number of a divided declaration; `first-number/branch/branches`
    declaration      number of an export declaration
    container        a container with goods; empty-container: one that is stated to be empty
    plate            normalised; plate-like: with O and I read as 0 and 1, only to show near ones
    gate             `list/code`: only codes of one list are compared
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Protocol

from gateway.codec.rules_crossing import is_empty
from gateway.model.manifest import Consignment, Manifest
from gateway.model.parameters import Parameters
from gateway.model.values import Identifier, Location, plate_of

Keys = tuple[tuple[str, str], ...]

VEHICLE, GOODS, LINK = "vehicle", "goods", "link"
SEARCHED = frozenset(
    (
        "join-ref",
        "header-key",
        "batch",
        "divided",
        "declaration",
        "container",
        "plate",
        "plate-like",
    )
)
"""Kinds of keys by which candidates are found."""

_LOOKALIKES = str.maketrans("OI", "01")


class Half(Protocol):
    """One half of a crossing, as the store keeps it. day: ISO day, None when not stated."""

    @property
    def message_id(self) -> str:
        """Names the half."""
        ...

    @property
    def role(self) -> str:
        """vehicle, goods or link (both)."""
        ...

    @property
    def day(self) -> str | None:
        """ISO day of the departure, or of the planned departure."""
        ...

    @property
    def keys(self) -> Keys:
        """Pairs of (kind, value), see the head of this module."""
        ...


@dataclass(frozen=True, slots=True)
class HalfFacts:
    """Role, day and keys of a document."""

    role: str
    day: str | None
    keys: Keys

    @property
    def asked(self) -> Keys:
        """The keys to ask a store for: a gate alone joins nobody."""
        return tuple(key for key in self.keys if key[0] in SEARCHED)


def half_of(
    document: Manifest,
    parameters: Parameters,
    roles: Sequence[str] = (),
    head: Mapping[str, str] = MappingProxyType({}),
) -> HalfFacts:
    """Return what a document and its submission parameters give a join to work with.

    roles: of its mapping table; without them the content decides. head: transport values of
    the decoded document (`inputInfo` of the EDI header).
    """
    found = (*_references(document, head, parameters), *_facts(document))
    keys = tuple(dict.fromkeys((kind, value) for kind, value in found if value))
    day = document.exit_at.local[:10] if document.exit_at else None
    return HalfFacts(roles[0] if roles else _role(document), day, keys)


def values(half: Half, kind: str) -> frozenset[str]:
    """Return the values of one kind of key."""
    return frozenset(value for found, value in half.keys if found == kind)


def day_of(half: Half) -> date | None:
    """Return the day of a half."""
    return date.fromisoformat(half.day) if half.day else None


def branch_of(value: str) -> tuple[str, int, int]:
    """Read a branch key: first declaration number, branch, number of branches."""
    first, branch, branches = value.rsplit("/", 2)
    return first, int(branch), int(branches)


def _role(document: Manifest) -> str:
    if document.consignments and document.means:
        return LINK
    return GOODS if document.consignments else VEHICLE


def _named(identifiers: Iterable[Identifier], scheme: str) -> Iterator[str]:
    return (found.value for found in identifiers if found.scheme == scheme)


def _references(
    document: Manifest, head: Mapping[str, str], parameters: Parameters
) -> Iterator[tuple[str, str]]:
    if parameters.join_ref:
        yield "join-ref", parameters.join_ref
        yield "header-key", parameters.join_ref
    for reference in _named(document.identifiers, "vn.declarant-ref"):
        yield "join-ref", reference
    for waybill in document.consignments:
        for reference in _named(waybill.references, "vn.declarant-ref"):
            yield "join-ref", reference
    yield "header-key", head.get("inputInfo", "").strip()
    for batch in _named(document.identifiers, "cn.road-batch"):
        yield "batch", batch
    yield "batch", parameters.batch_number or ""


def _facts(document: Manifest) -> Iterator[tuple[str, str]]:
    for waybill in document.consignments:
        yield from _declarations(waybill)
    for plate in _plates(document):
        yield "plate", plate
        yield "plate-like", plate.translate(_LOOKALIKES)
    empty = {found.id for found in document.equipment if is_empty(found)}
    carried = (ref for truck in document.means for ref in truck.equipment_refs)
    listed = (ref for waybill in document.consignments for ref in waybill.equipment_refs)
    for ref in (*carried, *listed):
        yield "empty-container" if ref in empty else "container", ref
    yield from _gates(document)


def _declarations(waybill: Consignment) -> Iterator[tuple[str, str]]:
    for previous in waybill.previous:
        if previous.id and previous.id.scheme == "vn.ecn":
            yield "declaration", previous.id.value
        first = previous.first.value if previous.first else ""
        # The first branch may bear a letter in place of a number that is not yet known.
        if any(sign.isdigit() for sign in first) and previous.branch and previous.branches:
            yield "divided", first
            yield "branch", f"{first}/{previous.branch}/{previous.branches}"


def _plates(document: Manifest) -> Iterator[str]:
    for truck in document.means:
        if truck.plate:
            yield truck.plate.normalised
    for waybill in document.consignments:
        for planned in _named(waybill.references, "vn.planned-vehicle"):
            yield plate_of(planned).normalised


def _gates(document: Manifest) -> Iterator[tuple[str, str]]:
    places: tuple[Location | None, ...] = (
        document.border_gate,
        document.exit_office,
        document.entry_office,
    )
    for place in places:
        for code in (place.gate, place.office) if place else ():
            if code:
                yield "gate", f"{code.list}/{code.value}"
