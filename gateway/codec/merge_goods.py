"""Waybills of several documents: branches become one, the same declaration becomes one."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gateway.codec.merge_values import Desk, Part, stated
from gateway.codec.notes import Note
from gateway.model.manifest import Consignment, Manifest

_TOTALS = ("total_packages", "gross_mass", "volume", "value")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A waybill as one document has it. path: there."""

    name: str
    path: str
    waybill: Consignment


def consignments(parts: Sequence[Part], desk: Desk) -> tuple[Consignment, ...]:
    """Return the waybills of all documents, in their order."""
    whole: dict[str, list[_Sheet]] = {}
    for part in parts:
        for index, waybill in enumerate(part.document.consignments):
            sheet = _Sheet(part.name, f"consignments[{index}]", waybill)
            whole.setdefault(_identity(sheet), []).append(sheet)
    return tuple(_one(sheets, desk) for sheets in whole.values())


def _identity(sheet: _Sheet) -> str:
    """Return what makes two sheets one waybill: the first declaration, or the declaration."""
    for previous in sheet.waybill.previous:
        # The first branch may bear a letter in place of a number that is not yet known.
        if previous.first and any(sign.isdigit() for sign in previous.first.value):
            return f"first {previous.first.value}"
        if previous.id:
            return f"declaration {previous.id.value}"
    return f"{sheet.name} {sheet.path}"


def _branch(sheet: _Sheet) -> int:
    return next((p.branch for p in sheet.waybill.previous if p.branch), 0)


def _one(sheets: list[_Sheet], desk: Desk) -> Consignment:
    if len(sheets) == 1:
        return sheets[0].waybill
    ordered = sorted(sheets, key=_branch)
    first = ordered[0]
    for sheet in ordered[1:]:
        _compare_totals(first, sheet, desk)
    joined = first.waybill
    for sheet in ordered[1:]:
        fused = desk.fused(joined, replace(sheet.waybill, items=()), sheet.path, sheet.name)
        joined = replace(fused, items=joined.items)
    return _lines(joined, ordered, desk)


def _compare_totals(first: _Sheet, other: _Sheet, desk: Desk) -> None:
    """Totals are stated facts of the whole: they agree wherever they are stated."""
    for name in _TOTALS:
        ours, theirs = getattr(first.waybill, name), getattr(other.waybill, name)
        if ours is not None and theirs is not None and ours != theirs:
            found = f"{stated(theirs)} in {other.name}"
            expected = f"{stated(ours)}, as in {first.name}"
            desk.conflict("join-total", f"{other.path}.{name}", found, expected)


def _lines(joined: Consignment, ordered: list[_Sheet], desk: Desk) -> Consignment:
    """Lines of different branches follow each other; of the same one they must be the same."""
    branches: dict[int, _Sheet] = {}
    for sheet in ordered:
        known = branches.setdefault(_branch(sheet), sheet)
        if not known.waybill.items:
            branches[_branch(sheet)] = sheet
        elif sheet.waybill.items and sheet.waybill.items != known.waybill.items:
            desk.differs(f"{sheet.path}.items", sheet.name)
    lines = (item for sheet in branches.values() for item in sheet.waybill.items)
    numbered = (replace(item, sequence=n) for n, item in enumerate(lines, start=1))
    return replace(joined, items=tuple(numbered))


def on_trucks_only(manifest: Manifest, desk: Desk) -> Manifest:
    """Leave out of the waybills what no truck carries yet (a partial crossing)."""
    carried = {ref for truck in manifest.means for ref in truck.equipment_refs}
    if not carried:
        return manifest
    kept = []
    for index, waybill in enumerate(manifest.consignments):
        refs = tuple(ref for ref in waybill.equipment_refs if ref in carried)
        if refs != waybill.equipment_refs:
            missing = len(waybill.equipment_refs) - len(refs)
            text = f"partial: {missing} containers wait for their truck"
            desk.notes.append(Note("left-out", f"consignments[{index}].equipment_refs", text))
        kept.append(replace(waybill, equipment_refs=refs))
    listed = {ref for waybill in kept for ref in waybill.equipment_refs} | carried
    equipment = tuple(found for found in manifest.equipment if found.id in listed)
    return replace(manifest, consignments=tuple(kept), equipment=equipment)
