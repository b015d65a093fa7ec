"""Transforms of trucks, containers and seals. `transform` is their registry."""

import re
import unicodedata
from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from gateway.codec.notes import Note
from gateway.codec.rules_crossing import check_digit_of
from gateway.model.manifest import (
    BorderTransportMeans,
    Consignment,
    Manifest,
    Seal,
    Trailer,
    TransportEquipment,
)

T = TypeVar("T")
Holder = TypeVar("Holder", BorderTransportMeans, Consignment)

_CONTAINER = re.compile(r"([A-Z]{4})[ -]?([0-9]{6})[ -]?([0-9])(?![0-9])")
_SEPARATORS = " \t\r\n,;/|+&-"
_GOODS = "vn.langson.goods"


def distinct(values: Iterable[T]) -> tuple[T, ...]:
    """Return the values, each once, in the order of their first appearance."""
    return tuple(dict.fromkeys(values))


def check_digits(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Set the verdict on every equipment number (ISO 6346)."""
    verdicts = [check_digit_of(found.id) for found in document.equipment]
    judged = zip(document.equipment, verdicts, strict=True)
    if all(found.check_digit == verdict for found, verdict in judged):
        return document, []
    judged = zip(document.equipment, verdicts, strict=True)
    equipment = tuple(replace(found, check_digit=verdict) for found, verdict in judged)
    return replace(document, equipment=equipment), []


def equipment_from_refs(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Make each container that a truck or waybill names a piece of equipment, once (TRAPS 37)."""
    lists = (
        *(means.equipment_refs for means in document.means),
        *(waybill.equipment_refs for waybill in document.consignments),
    )
    named = distinct(ref for references in lists for ref in references)
    known = {found.id for found in document.equipment}
    added = tuple(
        TransportEquipment(id=ref, check_digit=check_digit_of(ref))
        for ref in named
        if ref not in known
    )
    if added:
        document = replace(document, equipment=document.equipment + added)
    return check_digits(document)


def refs_from_equipment(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Put all equipment on the truck of a document that has one truck and no list for it."""
    document, notes = check_digits(document)
    if len(document.means) != 1 or document.means[0].equipment_refs:
        return document, notes
    truck = replace(
        document.means[0], equipment_refs=distinct(found.id for found in document.equipment)
    )
    return replace(document, means=(truck,)), notes


def container_numbers(text: str) -> tuple[str, ...]:
    """Return the container numbers that one field holds, upper case and without blanks.

    A field that does not consist of container numbers is split at commas, semicolons, slashes
    and bars only: another kind of id may hold a blank, which is cut.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    if not _CONTAINER.sub("", plain).strip(_SEPARATORS):
        return distinct("".join(found) for found in _CONTAINER.findall(plain))
    parts = (re.sub(r"\s", "", part) for part in re.split(r"[,;/|\n]+", plain))
    return distinct(part for part in parts if part)


def _seals(seals: tuple[Seal, ...]) -> tuple[Seal, ...]:
    """Split seal numbers at commas, semicolons, slashes and bars; a blank may be part of one."""
    return tuple(
        replace(seal, number=number)
        for seal in seals
        for number in distinct(part.strip() for part in re.split(r"[,;/|]+", seal.number))
        if number
    )


def _split_refs(holder: Holder) -> Holder:
    numbers = distinct(n for ref in holder.equipment_refs for n in container_numbers(ref))
    return replace(holder, equipment_refs=numbers)


def split_containers(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Split fields that hold several container or seal numbers (Lang Son)."""
    means = tuple(
        replace(_split_refs(truck), seals=_seals(truck.seals)) for truck in document.means
    )
    waybills = tuple(_split_refs(waybill) for waybill in document.consignments)
    return equipment_from_refs(replace(document, means=means, consignments=waybills))


def join_containers(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Put the containers and the seals of a truck into one field each (Lang Son)."""
    means = tuple(_joined(truck) for truck in document.means)
    return replace(document, means=means), []


def _joined(truck: BorderTransportMeans) -> BorderTransportMeans:
    refs, seals = truck.equipment_refs, truck.seals
    if len(refs) > 1:
        refs = (", ".join(refs),)
    if len(seals) > 1:
        seals = (Seal(number=", ".join(seal.number for seal in seals)),)
    return replace(truck, equipment_refs=refs, seals=seals)


def _of_goods(document: Manifest) -> dict[str, tuple[str, ...]]:
    """Return goods id -> containers, where every truck with containers names its goods."""
    found: dict[str, tuple[str, ...]] = {}
    for truck in document.means:
        goods = next((i.value for i in truck.ids if i.scheme == _GOODS), None)
        if goods is None and truck.equipment_refs:
            return {}
        if goods is not None:
            found[goods] = distinct((*found.get(goods, ()), *truck.equipment_refs))
    return found


def _refs_of(waybill: Consignment, goods: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    own = next((i.value for i in waybill.references if i.scheme == _GOODS), None)
    return None if own is None else goods.get(own, ())


def refs_to_consignments(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Put the trucks' containers on the waybills of a document that lists them on trucks only.

    Done where it is certain: trucks and waybills name the same goods, or there is one waybill,
    or one container. Otherwise the waybills stay without containers and a note says so.
    """
    refs = distinct(ref for truck in document.means for ref in truck.equipment_refs)
    waybills = document.consignments
    if not refs or not waybills or any(waybill.equipment_refs for waybill in waybills):
        return document, []
    goods = _of_goods(document)
    linked = [_refs_of(waybill, goods) for waybill in waybills]
    if not goods or None in linked:
        if len(waybills) > 1 and len(refs) > 1:
            text = "which of several containers holds which of several waybills is not stated"
            return document, [Note("left-out", "consignments[].equipment_refs", text)]
        linked = [refs] * len(waybills)
    listed = tuple(
        replace(waybill, equipment_refs=own or ())
        for waybill, own in zip(waybills, linked, strict=True)
    )
    note = Note("derived", "consignments[].equipment_refs", "from the trucks that carry them")
    return replace(document, consignments=listed), [note]


def equipment_of_truck(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Keep only the equipment of the first truck, for a format that holds one truck."""
    refs = document.means[0].equipment_refs if document.means else ()
    if not refs:
        return document, []
    kept = tuple(found for found in document.equipment if found.id in refs)
    return replace(document, equipment=kept), []


def drop_repeated_trailers(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Keep one of several trailers with the same plate (Lang Son has two fields for it)."""
    means = tuple(_trailers_once(truck) for truck in document.means)
    return replace(document, means=means), []


def _trailers_once(truck: BorderTransportMeans) -> BorderTransportMeans:
    kept: list[Trailer] = []
    for trailer in truck.trailers:
        if trailer.plate is None or all(trailer.plate != other.plate for other in kept):
            kept.append(trailer)
    return truck if len(kept) == len(truck.trailers) else replace(truck, trailers=tuple(kept))
