"""Checks of goods: sums, sequences, linked elements, codes that were cut.

A check takes the document and the text after the colon of its name, and returns findings with
canonical paths. `rules` is their registry.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from gateway.errors import Finding, Severity
from gateway.model.manifest import Consignment, ConsignmentItem, Manifest
from gateway.model.values import Contact, Party, Text

# 18 characters: registrar, kind, 6 digits of the region, 9 of the organisation, check (GB 32100).
# 13 digits that do not begin with 9 may as well be the code of a Vietnamese branch.
_CUT_CREDIT_CODE = re.compile(r"9[1-9][0-9]{6}[0-9A-Z]{5}|[15Y][1-9][0-9]{6}(?=.*[A-Z])[0-9A-Z]{5}")
_UN_NUMBER = re.compile(r"[0-9]{4}")


def broken(rule: str, path: str, found: str, expected: str) -> Finding:
    """Return a refusing finding `rule-broken`."""
    return Finding("rule-broken", rule, path, found, expected)


def warned(finding: Finding) -> Finding:
    """Return the finding as a warning."""
    return replace(finding, severity=Severity.WARN)


def is_cut_credit_code(value: str) -> bool:
    """Return whether 13 characters look like a Chinese 18-character credit code cut short."""
    return _CUT_CREDIT_CODE.fullmatch(value) is not None


@lru_cache(maxsize=64)
def _tolerance(argument: str) -> Decimal:
    try:
        return Decimal(argument or "0")
    except InvalidOperation:
        raise ValueError(f"not a tolerance: {argument}") from None


def sum_gross_mass(document: Manifest, argument: str) -> list[Finding]:
    """The waybill's gross mass equals the sum of its lines, where all of them state one.

    argument: the tolerance in the document's unit, 0 by default (TRAPS 19).
    """
    allowed, findings = _tolerance(argument), []
    for index, consignment in enumerate(document.consignments):
        masses = [item.gross_mass for item in consignment.items if item.gross_mass is not None]
        total = consignment.gross_mass
        if total is None or not masses or len(masses) != len(consignment.items):
            continue
        if {mass.unit for mass in masses} != {total.unit}:
            continue
        summed = sum([mass.value for mass in masses], Decimal(0))
        if abs(summed - total.value) > allowed:
            path, expected = f"consignments[{index}].gross_mass", f"{summed:f} +- {allowed:f}"
            findings.append(broken("sum-gross-mass", path, f"{total.value:f}", expected))
    return findings


def sum_packages(document: Manifest, argument: str) -> list[Finding]:
    """The waybill's packages equal the sum of its lines, where all of them state a count.

    argument: the tolerance in packages, 0 by default (TRAPS 20). Kinds are not compared: a
    waybill of cartons and bags states one kind for both.
    """
    allowed, findings = _tolerance(argument), []
    for index, consignment in enumerate(document.consignments):
        counts = [item.packages.count for item in consignment.items if item.packages is not None]
        total = consignment.total_packages
        if total is None or not counts or len(counts) != len(consignment.items):
            continue
        if abs(sum(counts) - total.count) > allowed:
            path, expected = (
                f"consignments[{index}].total_packages",
                f"{sum(counts)} +- {allowed:f}",
            )
            findings.append(broken("sum-packages", path, str(total.count), expected))
    return findings


def item_sequence(document: Manifest, argument: str) -> list[Finding]:
    """Lines are numbered 1..n in their order."""
    return [
        broken("item-sequence", f"{path}.items[{j}].sequence", str(item.sequence), str(j + 1))
        for path, consignment in consignments(document)
        for j, item in enumerate(consignment.items)
        if item.sequence != j + 1
    ]


def consignments(document: Manifest) -> Iterator[tuple[str, Consignment]]:
    """Yield (canonical path, consignment)."""
    for index, consignment in enumerate(document.consignments):
        yield f"consignments[{index}]", consignment


def not_negative(document: Manifest, argument: str) -> list[Finding]:
    """No mass, volume, amount or count is negative (TRAPS 30)."""
    findings = []
    for path, consignment in consignments(document):
        for place, amount in _negative(consignment):
            findings.append(broken("not-negative", f"{path}.{place}", f"{amount:f}", "0 or more"))
        for j, item in _signed(consignment.items):
            for place, amount in _negative(item):
                where = f"{path}.items[{j}].{place}"
                findings.append(broken("not-negative", where, f"{amount:f}", "0 or more"))
    return findings


def _signed(items: tuple[ConsignmentItem, ...]) -> list[tuple[int, ConsignmentItem]]:
    """Return the lines with a number that has a sign, which a zero may have, too."""
    return [
        (j, item)
        for j, item in enumerate(items)
        if (item.packages is not None and item.packages.count < 0)
        or (item.gross_mass is not None and item.gross_mass.value.is_signed())
        or (item.net_mass is not None and item.net_mass.value.is_signed())
        or (item.value is not None and item.value.amount.is_signed())
    ]


def _negative(holder: Consignment | ConsignmentItem) -> list[tuple[str, Decimal]]:
    """Return (field, number) of what is negative."""
    found: list[tuple[str, Decimal]] = []
    if isinstance(holder, Consignment):
        packages, name = holder.total_packages, "total_packages"
        other, field = holder.volume, "volume"
    else:
        packages, name = holder.packages, "packages"
        other, field = holder.net_mass, "net_mass"
    if packages is not None and packages.count < 0:
        found.append((name, Decimal(packages.count)))
    if holder.value is not None and holder.value.amount < 0:
        found.append(("value", holder.value.amount))
    gross = holder.gross_mass
    if gross is not None and gross.value < 0:
        found.append(("gross_mass", gross.value))
    if other is not None and other.value < 0:
        found.append((field, other.value))
    return found


def net_within_gross(document: Manifest, argument: str) -> list[Finding]:
    """A line's net mass is not above its gross mass."""
    return [
        broken(
            "net-within-gross",
            f"{path}.items[{j}].net_mass",
            f"{item.net_mass.value:f}",
            f"at most {item.gross_mass.value:f}",
        )
        for path, consignment in consignments(document)
        for j, item in enumerate(consignment.items)
        if item.net_mass and item.gross_mass and item.net_mass.unit == item.gross_mass.unit
        if item.net_mass.value > item.gross_mass.value
    ]


def un_number(document: Manifest, argument: str) -> list[Finding]:
    """Only a UN number stands where one is asked for: an HS code never fits (TRAPS 43).

    Four digits are what the United Nations give; that the Chinese element holds nothing else
    is inferred, so another shape only warns.
    """
    findings = []
    for path, consignment in consignments(document):
        for j, item in enumerate(consignment.items):
            if item.undg is None:
                continue
            place = f"{path}.items[{j}].undg"
            if item.undg.scheme != "un.dg":
                findings.append(broken("un-number", place, item.undg.scheme, "scheme un.dg"))
            elif not _UN_NUMBER.fullmatch(item.undg.value):
                findings.append(warned(broken("un-number", place, item.undg.value, "4 digits")))
    return findings


def descriptions_fit(document: Manifest, argument: str) -> list[Finding]:
    """A line's first description has room in the target; it is never cut (TRAPS 3, 16).

    argument: the limit in characters, 256 by default.
    """
    limit = int(argument or "256")
    return [
        broken(
            "description-length",
            f"{path}.items[{j}].descriptions[0]",
            f"{len(item.descriptions[0].value)} characters",
            f"at most {limit} (recalled limit), or a short description as a parameter",
        )
        for path, consignment in consignments(document)
        for j, item in enumerate(consignment.items)
        if item.descriptions and len(item.descriptions[0].value) > limit
    ]


def _names(document: Manifest) -> Iterator[tuple[str, tuple[Text, ...]]]:
    """Yield (path, names) of the parties and the driver that the manifests name."""
    if document.representative:
        yield "representative", document.representative.names
    for index, truck in enumerate(document.means):
        if truck.crew:
            yield f"means[{index}].crew[0]", truck.crew[0].names
    for path, consignment in consignments(document):
        for name in ("consignor", "consignee", "notify", "undg_contact"):
            holder: Party | Contact | None = getattr(consignment, name)
            if holder:
                yield f"{path}.{name}", holder.names


def names_fit(document: Manifest, argument: str) -> list[Finding]:
    """A name has room in the target; it is never cut (TRAPS 3).

    argument: the limit in characters, 70 by default.
    """
    limit = int(argument or "70")
    expected = f"at most {limit} (recalled limit), or a shorter name from the sender"
    return [
        broken("name-length", f"{path}.names[0]", f"{len(names[0].value)} characters", expected)
        for path, names in _names(document)
        if names and len(names[0].value) > limit
    ]


def credit_code_cut(document: Manifest, argument: str) -> list[Finding]:
    """A 13-character consignee code is not a credit code cut short (TRAPS 42).

    It warns; the transform `drop-cut-ids` keeps such a code from being sent as an id.
    """
    findings = []
    for path, consignment in consignments(document):
        for j, number in enumerate(consignment.consignee.ids if consignment.consignee else ()):
            if is_cut_credit_code(number.value):
                place, found = f"{path}.consignee.ids[{j}]", "13 characters of a credit code"
                findings.append(warned(broken("credit-code-cut", place, found, "all 18")))
    return findings
