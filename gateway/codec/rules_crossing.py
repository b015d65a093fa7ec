"""Checks of the crossing: batch and waybill numbers, direction, mode, containers and trucks.

A check takes the document and the text after the colon of its name, and returns findings with
canonical paths. `rules` is their registry.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from stdnum.iso6346 import calc_check_digit

from gateway.codec.rules_goods import broken, warned
from gateway.errors import Finding
from gateway.model.manifest import Function, Manifest, TransportEquipment

ROAD = "3"  # UN/ECE Rec 19
_BATCH = re.compile(r"[0-9]{13}")
_ISO_SHAPE = re.compile(r"[A-Z]{4}[0-9]{7}")
_ISO_CATEGORIES = frozenset("UJZ")
_EMPTY = "4"  # UN/EDIFACT 8169
_TRUCK_CONTAINERS = 4


@lru_cache(maxsize=4096)
def check_digit_of(equipment: str) -> str:
    """Return `valid`, `invalid` or `not-iso` for an equipment id (ISO 6346).

    Four letters and seven digits claim to be a container number: with a wrong category letter
    they are `invalid`, not `not-iso` (TRAPS 40).
    """
    if not _ISO_SHAPE.fullmatch(equipment):
        return "not-iso"
    right = calc_check_digit(equipment[:10]) == equipment[10]
    return "valid" if right and equipment[3] in _ISO_CATEGORIES else "invalid"


def is_batch_number(value: str) -> bool:
    """Return whether the value has the form of a Chinese road batch number: 13 digits."""
    return _BATCH.fullmatch(value) is not None


def is_empty(equipment: TransportEquipment) -> bool:
    """Return whether the equipment is stated to be empty."""
    return equipment.fullness is not None and equipment.fullness.value == _EMPTY


def _unlisted_ids(document: Manifest) -> Iterator[tuple[str, str]]:
    """Yield (canonical path, id) for ids that trucks and waybills name and nobody lists."""
    seen = {equipment.id for equipment in document.equipment}
    holders = {
        "means": [means.equipment_refs for means in document.means],
        "consignments": [waybill.equipment_refs for waybill in document.consignments],
    }
    for group, lists in holders.items():
        for index, references in enumerate(lists):
            for place, reference in enumerate(references):
                if reference not in seen:
                    seen.add(reference)
                    yield f"{group}[{index}].equipment_refs[{place}]", reference


def iso6346(document: Manifest, argument: str) -> list[Finding]:
    """Container numbers are right. `iso6346:allow`: an id of another form only warns."""
    findings = []
    listed = ((f"equipment[{n}].id", found.id) for n, found in enumerate(document.equipment))
    for path, equipment in (*listed, *_unlisted_ids(document)):
        verdict = check_digit_of(equipment)
        if verdict == "invalid":
            digit = calc_check_digit(equipment[:10])
            expected = f"check digit {digit}, category letter U, J or Z"
            findings.append(broken("check-digit", path, equipment, expected))
        elif verdict == "not-iso":
            finding = broken("not-iso", path, equipment, "a number of the form of ISO 6346")
            findings.append(warned(finding) if argument == "allow" else finding)
    return findings


def _values(document: Manifest, scheme: str) -> list[str]:
    return [found.value for found in document.identifiers if found.scheme == scheme]


def batch_format(document: Manifest, argument: str) -> list[Finding]:
    """A batch number has 13 digits and is not the Lang Son registration number (TRAPS 15)."""
    path, findings = "identifiers[cn.road-batch]", []
    registrations = _values(document, "vn.langson.registration")
    for batch in _values(document, "cn.road-batch"):
        if not is_batch_number(batch):
            findings.append(broken("batch-format", path, batch, "13 digits"))
        elif batch in registrations:
            expected = "a number of the scheme cn.road-batch"
            findings.append(broken("batch-scheme", path, "vn.langson.registration", expected))
    return findings


def batch_required(document: Manifest, argument: str) -> list[Finding]:
    """A road manifest has exactly one batch number (TRAPS 14)."""
    batches = set(_values(document, "cn.road-batch"))
    if len(batches) == 1:
        return []
    found = f"{len(batches)} batch numbers" if batches else "none"
    return [broken("batch", "identifiers[cn.road-batch]", found, "one batch number")]


def waybill_unique(document: Manifest, argument: str) -> list[Finding]:
    """No waybill number stands on two consignments."""
    first: dict[str, int] = {}
    findings = []
    for index, consignment in enumerate(document.consignments):
        number = consignment.contract.id if consignment.contract else None
        if number is not None and first.setdefault(number.value, index) != index:
            path = f"consignments[{index}].contract.id"
            expected = f"not the number of consignments[{first[number.value]}]"
            findings.append(broken("waybill-unique", path, number.value, expected))
    return findings


def four_containers(document: Manifest, argument: str) -> list[Finding]:
    """TIR and TOR have room for four containers per truck (TRAPS 25)."""
    findings = []
    for index, truck in enumerate(document.means):
        if (count := len(truck.equipment_refs)) > _TRUCK_CONTAINERS:
            path = f"means[{index}].equipment_refs"
            findings.append(broken("four-containers", path, str(count), "at most 4 on a truck"))
    count = len(document.equipment)
    if not findings and len(document.means) <= 1 and count > _TRUCK_CONTAINERS:
        findings.append(broken("four-containers", "equipment", str(count), "at most 4 on a truck"))
    return findings


def direction(document: Manifest, argument: str) -> list[Finding]:
    """The goods move the way the format is made for: `direction:VN-CN` (TRAPS 79)."""
    if document.direction == argument:
        return []
    return [broken("direction", "direction", document.direction.value, argument)]


def mode_road(document: Manifest, argument: str) -> list[Finding]:
    """The mode is road. A vendor's 4 is air in CN012 and is not read as road (TRAPS 51)."""
    places = [("mode", document.mode)]
    places += [(f"means[{index}].mode", truck.mode) for index, truck in enumerate(document.means)]
    return [
        broken("mode-road", path, mode.raw or mode.value, "road (Rec 19 code 3)")
        for path, mode in places
        if mode is not None and mode.value != ROAD
    ]


def container_without_goods(document: Manifest, argument: str) -> list[Finding]:
    """In a joined document, a container on a truck is on a waybill, or empty (TRAPS 39)."""
    if not document.consignments:
        return []
    covered = {ref for consignment in document.consignments for ref in consignment.equipment_refs}
    covered |= {equipment.id for equipment in document.equipment if is_empty(equipment)}
    return [
        broken("container-without-goods", f"means[{i}].equipment_refs[{j}]", ref, "on a waybill")
        for i, truck in enumerate(document.means)
        for j, ref in enumerate(truck.equipment_refs)
        if ref not in covered
    ]


def container_without_truck(document: Manifest, argument: str) -> list[Finding]:
    """In a joined document whose trucks name containers, a waybill's container is on one."""
    carried = {ref for truck in document.means for ref in truck.equipment_refs}
    if not carried:
        return []
    return [
        broken("container-without-truck", f"consignments[{i}].equipment_refs[{j}]", ref, "a truck")
        for i, consignment in enumerate(document.consignments)
        for j, ref in enumerate(consignment.equipment_refs)
        if ref not in carried
    ]


def loading_before_arrival(document: Manifest, argument: str) -> list[Finding]:
    """Goods are not loaded after the day on which they arrive, seen in the arrival's zone."""
    loading = document.loading.at if document.loading else None
    arrival = document.unloading.at if document.unloading else None
    if loading is None or arrival is None:
        return []
    there = loading if arrival.offset is None else loading.at_offset(arrival.offset)
    if there.local[:10] <= arrival.local[:10]:
        return []
    return [broken("loading-before-arrival", "loading.at", loading.local, arrival.local)]


def original_only(document: Manifest, argument: str) -> list[Finding]:
    """Replace and cancel wait until the place of the change reason is agreed (TRAPS 83)."""
    if document.function is Function.ORIGINAL:
        return []
    found = document.function.value
    return [Finding("not-mapped", "original-only", "function", found, "original")]
