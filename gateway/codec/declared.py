"""Which of the submitted declarations a parameter names, and what a waybill number is bound to.

A `declaration` names one by its number where it has one, else by the declarant's reference,
else by its position among the waybills (1-based).
"""

import hashlib

import msgspec

from gateway.model.manifest import Consignment, Manifest
from gateway.model.values import Identifier

_DECLARED = (
    "previous",
    "references",
    "consignor",
    "invoice",
    "value",
    "gross_mass",
    "equipment_refs",
)
"""Fields of a waybill that no source fills in."""


def matches(document: Manifest, stated: str) -> tuple[int, ...]:
    """Return the indexes of the waybills that a `declaration` may mean.

    A number wins over a reference, a reference over a position.
    """
    for schemes in (("vn.ecn",), ("vn.declarant-ref",)):
        found = tuple(
            index
            for index, waybill in enumerate(document.consignments)
            if any(i.scheme in schemes and i.value == stated for i in identities(waybill))
        )
        if found:
            return found
    if stated.isascii() and stated.isdecimal() and 1 <= int(stated) <= len(document.consignments):
        return (int(stated) - 1,)
    return ()


def names(document: Manifest, stated: str) -> tuple[int, ...]:
    """Return the waybill that a `declaration` means, as a scope; () when it is not one."""
    found = matches(document, stated)
    return found if len(found) == 1 else ()


def identities(waybill: Consignment) -> tuple[Identifier, ...]:
    """Return what names a waybill's declaration: its number, its own reference."""
    numbers = tuple(previous.id for previous in waybill.previous if previous.id)
    return (*numbers, *(i for i in waybill.references if i.scheme == "vn.declarant-ref"))


def allocation_key(name: str, scope: tuple[int, ...], document: Manifest) -> str:
    """Return what a number is bound to: a waybill to its declaration, others to the document.

    The digest of what was declared keeps apart what bears the same reference: a reference
    may be used again, a repeat of the same declaration gets the same number.
    """
    if name != "waybill":
        return ""
    waybill = document.consignments[scope[0]]
    named = next((f"{i.scheme}={i.value}" for i in identities(waybill)), "")
    said = msgspec.json.encode([getattr(waybill, field) for field in _DECLARED])
    return f"{named or f'position={scope[0] + 1}'}|{hashlib.sha256(said).hexdigest()}"


def line_numbers(waybill: Consignment) -> list[int]:
    """Return the numbers of a waybill's lines, as stated or by place."""
    return [item.sequence or place for place, item in enumerate(waybill.items, start=1)]


def line_number(scope: tuple[int, ...], document: Manifest) -> int:
    """Return the number of the line at a scope (waybill, line)."""
    return line_numbers(document.consignments[scope[0]])[scope[1]]
