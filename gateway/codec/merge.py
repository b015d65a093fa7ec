"""Put the halves of a crossing together: one manifest, a rule per field.

must agree      direction, function, gate, offices, mode, batch number: else a finding
united          identifiers, remarks, permits, results; trucks by plate, equipment by number
one waybill     branches of a divided declaration, and what names the same declaration number:
                totals must agree (else a finding), lines of branches are numbered through
appended        other waybills, in the order of the documents
departure       the truck's; trucks of one batch leave on one day (else a finding)
its own         time of issue, submitter, transmitting company: the first document's
first stated    other values: what differs is noted, the first stands

Contradictions name both places: `path` stands in the document given as `found`, and the one
that it contradicts is given as `expected`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gateway.codec import merge_goods
from gateway.codec.merge_values import Desk, Part, distinct, stated
from gateway.codec.notes import Note
from gateway.codec.rules_crossing import container_without_goods
from gateway.errors import Finding
from gateway.model.manifest import BorderTransportMeans, Manifest, TransportEquipment
from gateway.model.parameters import Parameters
from gateway.model.values import Moment, Precision

_MUST_AGREE = ("direction", "function", "border_gate", "exit_office", "entry_office", "mode")
_UNITED = ("remarks", "lpco", "control_results")
_OWN = ("issued_at", "representative", "submitter")
_BATCH = "cn.road-batch"


@dataclass(frozen=True, slots=True)
class Merged:
    """The whole. findings: what contradicts. notes: what the report must say."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]


def merge(parts: Sequence[Manifest], *, partial: bool = False) -> Merged:
    """Merge the documents of a set, in the order given (vehicles first reads best).

    partial: containers that are on no truck yet are left out and noted; otherwise they stay.
    """
    desk = Desk()
    named = [Part(f"document {n}", part) for n, part in enumerate(parts, start=1)]
    values: dict[str, Any] = {name: desk.agreed(named, name) for name in _MUST_AGREE}
    for name in _UNITED:
        values[name] = distinct(v for part in named for v in getattr(part.document, name))
    values["identifiers"] = _identifiers(named, desk)
    values["means"] = _means(named, desk)
    values["equipment"] = _equipment(named, desk)
    values["consignments"] = merge_goods.consignments(named, desk)
    values["exit_at"] = _departure(named, desk)
    for name in _OWN:
        given = (getattr(part, name) for part in parts)
        values[name] = next((value for value in given if value is not None), None)
    for name in Manifest.__struct_fields__:
        if name not in values:
            values[name] = desk.first(named, name)
    manifest = Manifest(**values)
    if partial:
        manifest = merge_goods.on_trucks_only(manifest, desk)
    if manifest.means:
        desk.findings += container_without_goods(manifest, "")
        desk.findings += _one_truck_each(manifest)
    return Merged(manifest, tuple(desk.findings), tuple(desk.notes))


def _identifiers(parts: Sequence[Part], desk: Desk) -> tuple[Any, ...]:
    """Unite; there is one batch number."""
    batches: dict[str, str] = {}
    for part in parts:
        for found in part.document.identifiers:
            if found.scheme == _BATCH:
                batches.setdefault(found.value, part.name)
    if len(batches) > 1:
        (value, first), (other, second) = list(batches.items())[:2]
        place = "identifiers[cn.road-batch]"
        desk.conflict("join-batch", place, f"{other} in {second}", f"{value}, as in {first}")
    return distinct(found for part in parts for found in part.document.identifiers)


def _means(parts: Sequence[Part], desk: Desk) -> tuple[BorderTransportMeans, ...]:
    """Unite trucks by their plates; one without a plate is a truck of its own."""
    trucks: list[BorderTransportMeans] = []
    for part in parts:
        for truck in part.document.means:
            known = next(
                (n for n, t in enumerate(trucks) if t.plate and t.plate == truck.plate), None
            )
            if known is None:
                trucks.append(truck)
            else:
                trucks[known] = desk.fused(trucks[known], truck, f"means[{known}]", part.name)
    return tuple(trucks)


def _equipment(parts: Sequence[Part], desk: Desk) -> tuple[TransportEquipment, ...]:
    """Unite equipment by its number; what one half does not say the other may."""
    united: dict[str, TransportEquipment] = {}
    for part in parts:
        for index, found in enumerate(part.document.equipment):
            known = united.get(found.id)
            path = f"equipment[{index}]"
            united[found.id] = desk.fused(known, found, path, part.name) if known else found
    return tuple(united.values())


def _departure(parts: Sequence[Part], desk: Desk) -> Moment | None:
    """Return the truck's departure, the earliest of several; goods only plan a day."""
    timed = [part for part in parts if part.document.exit_at]
    trucks = [part for part in timed if part.document.means and not part.document.consignments]
    links = [part for part in timed if part.document.means and part.document.consignments]
    chosen = sorted(trucks or links or timed, key=lambda part: _order(part.document.exit_at))
    for one, other in pairwise(chosen):
        if _contradict(one, other, trucks):
            found = f"{stated(other.document.exit_at)} in {other.name}"
            expected = f"{stated(one.document.exit_at)}, as in {one.name}"
            desk.conflict("join-date", "exit_at", found, expected)
        elif one.document.exit_at != other.document.exit_at:
            desk.notes.append(Note("merged", "exit_at", "the earliest departure stands"))
    return chosen[0].document.exit_at if chosen else None


def _contradict(one: Part, other: Part, trucks: Sequence[Part]) -> bool:
    """Trucks of one batch leave on one day, and one truck leaves once."""
    if one not in trucks:
        return False
    ours, theirs = one.document.exit_at, other.document.exit_at
    plates = {truck.plate for truck in one.document.means if truck.plate}
    same_truck = any(truck.plate in plates for truck in other.document.means)
    if ours is None or theirs is None:
        return False
    return ours.local[:10] != theirs.local[:10] or (same_truck and ours != theirs)


def _order(moment: Moment | None) -> tuple[str, str]:
    """Sort by the instant; a day stands before the times on it."""
    if moment is None:
        return ("", "")
    exact = moment.precision is not Precision.DAY
    return (moment.at_offset(0).local if exact else moment.local, moment.local)


def _one_truck_each(manifest: Manifest) -> Iterable[Finding]:
    """A container stands on one truck."""
    carrier: dict[str, int] = {}
    for index, truck in enumerate(manifest.means):
        for place, ref in enumerate(truck.equipment_refs):
            if carrier.setdefault(ref, index) != index:
                path = f"means[{index}].equipment_refs[{place}]"
                expected = f"not on means[{carrier[ref]}], too"
                yield Finding("rule-broken", "container-on-two-trucks", path, ref, expected)


def merge_parameters(stated: Sequence[Parameters]) -> tuple[Parameters, list[Finding]]:
    """Merge the parameters of several submissions: lists are united, single values must agree."""
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    empty = Parameters()
    for name in Parameters.__struct_fields__:
        unset = getattr(empty, name)
        given = distinct(v for v in (getattr(each, name) for each in stated) if v != unset)
        if isinstance(unset, tuple):
            values[name] = distinct(v for each in given for v in each)
            continue
        if len(given) > 1:
            path = f"parameters.{name}"
            findings.append(Finding("rule-broken", "parameters-differ", path))
        values[name] = given[0] if given else unset
    return Parameters(**values), findings
