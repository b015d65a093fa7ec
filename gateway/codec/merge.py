"""Put the halves of a crossing together: one manifest, a rule per field.

must agree      direction, function, gate, offices, mode: otherwise a finding
first stated    other single values: what differs is noted, the first stands
united          identifiers, remarks, equipment (by id), results
appended        vehicles, waybills (the branches of a divided declaration become one)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from gateway.codec.notes import Note
from gateway.errors import Finding
from gateway.model.manifest import Consignment, Manifest, TransportEquipment
from gateway.model.parameters import Parameters
from gateway.model.values import Moment, Precision

_MUST_AGREE = ("direction", "function", "border_gate", "exit_office", "entry_office", "mode")
_UNITED = ("identifiers", "remarks", "lpco", "control_results")
_APPENDED = ("means",)


@dataclass(frozen=True, slots=True)
class Merged:
    """The whole. findings: what contradicts. notes: what the report must say."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]


def merge(parts: Sequence[Manifest]) -> Merged:
    """Merge the documents of a set, in the order given (vehicles first reads best)."""
    findings: list[Finding] = []
    notes: list[Note] = []
    values: dict[str, Any] = {}
    for name in Manifest.__struct_fields__:
        stated = [getattr(part, name) for part in parts]
        values[name] = _merged(name, stated, findings, notes)
    return Merged(Manifest(**values), tuple(findings), tuple(notes))


def _merged(name: str, stated: list[Any], findings: list[Finding], notes: list[Note]) -> Any:
    if name in _UNITED:
        return _distinct(value for values in stated for value in values)
    if name in _APPENDED:
        return tuple(value for values in stated for value in values)
    if name in _SPECIAL:
        return _SPECIAL[name]([value for value in stated if value not in (None, ())])
    given = _distinct(value for value in stated if value is not None)
    if len(given) > 1:
        fused = _fused(given)
        if fused is not None:
            return fused
        found, first = _shown(given[1]), _shown(given[0])
        if name in _MUST_AGREE:
            rule = "join-gate" if name == "border_gate" else f"join-{name.replace('_', '-')}"
            findings.append(Finding("rule-broken", rule, name, found, first))
        else:
            notes.append(Note("merged", name, "the halves differ; the first stands"))
    return given[0] if given else None


def _distinct(values: Any) -> tuple[Any, ...]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)


def _shown(value: Any) -> str:
    """Name a contradicting value shortly: codes, never parties."""
    for attribute in ("gate", "office", "value"):
        inner = getattr(value, attribute, None)
        if inner is not None:
            return _shown(inner)
    return str(value)[:40] if isinstance(value, str) else type(value).__name__


def _fused(given: tuple[Any, ...]) -> Any:
    """Fuse structs whose stated attributes do not contradict (a place with a time), or None."""
    first = given[0]
    if not hasattr(first, "__struct_fields__"):
        return None
    values: dict[str, Any] = {}
    for name in first.__struct_fields__:
        stated = _distinct(
            getattr(each, name) for each in given if getattr(each, name) not in (None, (), False)
        )
        if len(stated) > 1:
            return None
        values[name] = stated[0] if stated else getattr(first, name)
    return type(first)(**values)


def _earliest(stated: list[Moment]) -> Moment | None:
    return min(stated, key=lambda moment: moment.at_offset(0).local, default=None)


def _most_precise(stated: list[Moment]) -> Moment | None:
    """A departure to the minute says more than the planned day."""
    order = list(Precision)
    return max(stated, key=lambda moment: order.index(moment.precision), default=None)


def _equipment(stated: list[tuple[TransportEquipment, ...]]) -> tuple[TransportEquipment, ...]:
    """Unite equipment by its id; what one half does not say the other may."""
    united: dict[str, TransportEquipment] = {}
    for each in (e for equipment in stated for e in equipment):
        known = united.get(each.id)
        united[each.id] = each if known is None else _fuller(known, each)
    return tuple(united.values())


def _fuller(known: TransportEquipment, other: TransportEquipment) -> TransportEquipment:
    changes: dict[str, Any] = {
        name: getattr(other, name)
        for name in known.__struct_fields__
        if getattr(known, name) is None and getattr(other, name) is not None
    }
    return replace(known, **changes, seals=_distinct((*known.seals, *other.seals)))


def _consignments(stated: list[tuple[Consignment, ...]]) -> tuple[Consignment, ...]:
    """Append waybills; branches of one divided declaration become one, in branch order."""
    whole: dict[object, list[Consignment]] = {}
    for number, each in enumerate(c for waybills in stated for c in waybills):
        previous = each.previous[0] if each.previous else None
        divided = previous.first.value if previous and previous.first else number
        whole.setdefault(divided, []).append(each)
    return tuple(_one(branches) for branches in whole.values())


def _one(branches: list[Consignment]) -> Consignment:
    if len(branches) == 1:
        return branches[0]
    ordered = sorted(branches, key=lambda c: c.previous[0].branch or 0)
    items = tuple(item for branch in ordered for item in branch.items)
    return replace(
        ordered[0],
        previous=tuple(p for branch in ordered for p in branch.previous),
        equipment_refs=_distinct(ref for branch in ordered for ref in branch.equipment_refs),
        items=tuple(replace(item, sequence=n) for n, item in enumerate(items, 1)),
    )


_SPECIAL: Mapping[str, Callable[[list[Any]], Any]] = {
    "issued_at": _earliest,
    "exit_at": _most_precise,
    "equipment": _equipment,
    "consignments": _consignments,
}


def merge_parameters(stated: Sequence[Parameters]) -> tuple[Parameters, list[Finding]]:
    """Merge the parameters of several submissions: lists are united, single values must agree."""
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    empty = Parameters()
    for name in Parameters.__struct_fields__:
        unset = getattr(empty, name)
        given = _distinct(v for v in (getattr(each, name) for each in stated) if v != unset)
        if isinstance(unset, tuple):
            values[name] = _distinct(v for each in given for v in each)
            continue
        if len(given) > 1:
            path = f"parameters.{name}"
            findings.append(Finding("rule-broken", "parameters-differ", path))
        values[name] = given[0] if given else unset
    return Parameters(**values), findings
