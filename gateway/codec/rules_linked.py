"""Checks of elements that go together: all of them are there, or none (TRAPS 44, 45).

`rules` is the registry of all checks; `rules_goods` says what a check is.
"""

from collections.abc import Iterator

from gateway.codec.rules_goods import broken, consignments
from gateway.errors import Finding
from gateway.model.manifest import Consignment, Manifest
from gateway.model.values import Communication, Contact, Party, Text


def _filled(named: tuple[Text, ...]) -> bool:
    return bool("".join([text.value for text in named]).strip())


def _reachable(ways: tuple[Communication, ...]) -> bool:
    return bool("".join([way.value for way in ways]).strip())


def has_dangerous(consignment: Consignment) -> bool:
    """Return whether a line has a UN number."""
    return bool([item.undg for item in consignment.items if item.undg is not None])


def notify_parts(notify: Party) -> dict[str, bool]:
    """Return which of the linked parts of a notify party are there."""
    return {
        "names": _filled(notify.names),
        "address": _filled(notify.address),
        "communications": _reachable(notify.communications),
    }


def contact_parts(contact: Contact) -> dict[str, bool]:
    """Return which of the linked parts of a contact are there."""
    return {"names": _filled(contact.names), "communications": _reachable(contact.communications)}


def _incomplete(path: str, parts: dict[str, bool]) -> list[Finding]:
    if all(parts.values()) or not any(parts.values()):
        return []
    missing = ", ".join(part for part, there in parts.items() if not there)
    expected = " and ".join(parts)
    return [broken("linked-elements", path, f"without {missing}", f"{expected}, or none")]


def _half_pairs(consignment: Consignment) -> Iterator[tuple[str, str]]:
    """Yield (path, what is missing) of values that came without their unit, kind or type."""
    if consignment.total_packages and not consignment.total_packages.kind:
        yield "total_packages", "package kind"
    if consignment.value and not consignment.value.currency:
        yield "value", "currency"
    for name, measure in (("gross_mass", consignment.gross_mass), ("volume", consignment.volume)):
        if measure and not measure.unit:
            yield name, "unit"
    parties = (consignment.consignor, consignment.consignee, consignment.notify)
    for name, party in zip(("consignor", "consignee", "notify"), parties, strict=True):
        for index, found in enumerate(party.communications if party else ()):
            if not found.type or not found.value:
                yield f"{name}.communications[{index}]", "type or number"


def linked_elements(document: Manifest, argument: str) -> list[Finding]:
    """Elements that go together are all there or none of them (TRAPS 44, 45).

    packages and kind, value and currency, measure and unit, number and type; a notify party's
    name, address and number; a contact's name and number; a UN number has a UNDG contact.
    """
    findings = []
    for path, consignment in consignments(document):
        for place, missing in _half_pairs(consignment):
            found = f"without {missing}"
            findings.append(broken("linked-elements", f"{path}.{place}", found, "both or neither"))
        if consignment.notify:
            findings += _incomplete(f"{path}.notify", notify_parts(consignment.notify))
        if consignment.consignee and (contact := consignment.consignee.contact):
            findings += _incomplete(f"{path}.consignee.contact", contact_parts(contact))
        findings += _dangerous_goods_contact(path, consignment)
    return findings


def _dangerous_goods_contact(path: str, consignment: Consignment) -> list[Finding]:
    dangerous = has_dangerous(consignment)
    if consignment.undg_contact is None and not dangerous:
        return []
    parts = contact_parts(consignment.undg_contact or Contact())
    if all(parts.values()) or not dangerous:
        return _incomplete(f"{path}.undg_contact", parts)
    missing = ", ".join(part for part, there in parts.items() if not there)
    expected = "whom to call about the dangerous goods"
    return [broken("linked-elements", f"{path}.undg_contact", f"without {missing}", expected)]
