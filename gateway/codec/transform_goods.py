"""Transforms of goods lines and parties. `transform` is their registry."""

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from gateway.codec.notes import Note
from gateway.codec.rules_goods import is_cut_credit_code
from gateway.codec.rules_linked import contact_parts, has_dangerous, notify_parts
from gateway.codec.transform_equipment import distinct
from gateway.model.manifest import Consignment, ConsignmentItem, Manifest
from gateway.model.values import Contact, Measure, Party, Text

T = TypeVar("T")


def number_lines(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Number the lines of each waybill 1..n in their order."""
    waybills = tuple(_numbered(waybill) for waybill in document.consignments)
    return _with(document, waybills), []


def _with(document: Manifest, waybills: tuple[Consignment, ...]) -> Manifest:
    """Return the document with these waybills; itself when they are the ones that it has."""
    if all(one is other for one, other in zip(waybills, document.consignments, strict=True)):
        return document
    return replace(document, consignments=waybills)


def _numbered(waybill: Consignment) -> Consignment:
    if all(line.sequence == n for n, line in enumerate(waybill.items, start=1)):
        return waybill
    lines = tuple(replace(line, sequence=n) for n, line in enumerate(waybill.items, start=1))
    return replace(waybill, items=lines)


def _the_same(values: Iterable[T]) -> T | None:
    """Return the value that all of them are, or None."""
    found = distinct(values)
    return found[0] if len(found) == 1 else None


def _joined(texts: tuple[Text, ...]) -> Text:
    values = distinct(text.value for text in texts)
    lang = _the_same(text.lang for text in texts) or "und"
    form = _the_same(text.form for text in texts) or texts[0].form
    return Text(value="; ".join(values), lang=lang, form=form)


def _net_mass(items: tuple[ConsignmentItem, ...]) -> Measure | None:
    masses = [item.net_mass for item in items if item.net_mass is not None]
    unit = _the_same(mass.unit for mass in masses)
    if unit is None or len(masses) != len(items):
        return None
    return Measure(value=sum((mass.value for mass in masses[1:]), masses[0].value), unit=unit)


def _collapsed(waybill: Consignment) -> ConsignmentItem | None:
    """Return the one line that stands for all, or None where they must stay apart."""
    items = waybill.items
    packed = all(item.gross_mass and item.packages for item in items)
    if len(items) < 2 or packed or not (waybill.gross_mass and waybill.total_packages):
        return None
    if len(distinct(item.undg for item in items)) > 1:
        return None  # one line has one UN number
    texts = tuple(item.descriptions[0] for item in items if item.descriptions)
    return ConsignmentItem(
        sequence=1,
        descriptions=(_joined(texts),) if texts else (),
        hs=_the_same(item.hs for item in items),
        undg=items[0].undg,
        packages=waybill.total_packages,
        gross_mass=waybill.gross_mass,
        net_mass=_net_mass(items),
        value=waybill.value,
        origin=_the_same(item.origin for item in items),
        control_hints=distinct(hint for item in items for hint in item.control_hints),
    )


def collapse_lines(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Make one line of several that state no mass or packages each, with the waybill's totals.

    Never pro rata (TRAPS 16). The description is all of theirs, each once; whether it fits the
    target is the check `descriptions-fit`. Lines with different UN numbers stay apart.
    """
    waybills, notes = [], []
    for index, waybill in enumerate(document.consignments):
        line = _collapsed(waybill)
        if line is not None:
            text = f"{len(waybill.items)} lines without packing became one with the totals"
            notes.append(Note("narrowed", f"consignments[{index}].items", text))
            waybill = replace(waybill, items=(line,))
        waybills.append(waybill)
    return _with(document, tuple(waybills)), notes


def _complete(contact: Contact | None) -> Contact | None:
    return contact if contact and all(contact_parts(contact).values()) else None


def _linked_party(party: Party | None) -> Party | None:
    if party is None:
        return None
    stated = tuple(found for found in party.communications if found.type and found.value)
    contact = _complete(party.contact)
    if len(stated) == len(party.communications) and contact == party.contact:
        return party
    return replace(party, communications=stated, contact=contact)


def _linked(waybill: Consignment) -> dict[str, Party | Contact | None]:
    """Return the groups as far as they are complete."""
    notify = waybill.notify
    dangerous = has_dangerous(waybill)
    return {
        "consignor": _linked_party(waybill.consignor),
        "consignee": _linked_party(waybill.consignee),
        "notify": notify if notify and all(notify_parts(notify).values()) else None,
        # With a UN number it is mandatory: what is there stays and `linked-elements` refuses.
        "undg_contact": waybill.undg_contact if dangerous else _complete(waybill.undg_contact),
    }


def omit_unlinked(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Leave out groups of linked elements that are not complete (TRAPS 45, on encoding)."""
    waybills, notes = [], []
    for index, waybill in enumerate(document.consignments):
        linked = _linked(waybill)
        changed = {name: new for name, new in linked.items() if new is not getattr(waybill, name)}
        for name in changed:
            text = "linked elements were not complete"
            notes.append(Note("left-out", f"consignments[{index}].{name}", text))
        waybills.append(replace(waybill, **changed) if changed else waybill)
    return _with(document, tuple(waybills)), notes


def drop_cut_ids(document: Manifest) -> tuple[Manifest, list[Note]]:
    """Leave out a consignee code that is a credit code cut to 13 characters (TRAPS 42)."""
    waybills, notes = [], []
    for index, waybill in enumerate(document.consignments):
        ids = waybill.consignee.ids if waybill.consignee else ()
        whole = tuple(found for found in ids if not is_cut_credit_code(found.value))
        if waybill.consignee and whole != ids:
            text = "a credit code cut to 13 characters is not sent; give consignee.id"
            notes.append(Note("left-out", f"consignments[{index}].consignee.ids", text))
            waybill = replace(waybill, consignee=replace(waybill.consignee, ids=whole))
        waybills.append(waybill)
    return _with(document, tuple(waybills)), notes
