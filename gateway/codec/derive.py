"""Derivations: the `derive:NAME` words. Each is stated in the report as what it is."""

from collections.abc import Callable, Mapping

from gateway.codec.convert_codes import shape_country
from gateway.model.manifest import Manifest
from gateway.model.values import Identifier, Measure, Moment, PackageQuantity, Precision

BEIJING = 480
"""Minutes east of UTC."""

Derivation = Callable[[tuple[int, ...], Manifest], object | None]


def item_mass(scope: tuple[int, ...], document: Manifest) -> Measure | None:
    """The waybill's gross mass, when it has one line. Never pro rata."""
    waybill = document.consignments[scope[0]]
    return waybill.gross_mass if len(waybill.items) == 1 else None


def item_packages(scope: tuple[int, ...], document: Manifest) -> PackageQuantity | None:
    """The waybill's packages, when it has one line."""
    waybill = document.consignments[scope[0]]
    return waybill.total_packages if len(waybill.items) == 1 else None


def total_packages(scope: tuple[int, ...], document: Manifest) -> PackageQuantity | None:
    """The sum of the lines, when every line has packages and all are of one kind."""
    stated = [item.packages for item in document.consignments[scope[0]].items]
    packages = [p for p in stated if p is not None]
    kinds = {p.kind for p in packages}
    if not packages or len(packages) != len(stated) or len(kinds) != 1:
        return None
    return PackageQuantity(count=sum(p.count for p in packages), kind=kinds.pop())


def exit_time(_: tuple[int, ...], document: Manifest) -> Moment | None:
    """The departure at the gate at +08:00; None where only its day is known."""
    stated = document.exit_at
    if stated is None or stated.precision is Precision.DAY:
        return None
    return stated.at_offset(BEIJING)


def arrival_day(_: tuple[int, ...], document: Manifest) -> Moment | None:
    """The day of the departure at the gate: at +08:00 first, then cut; a day is copied."""
    if document.exit_at is None:
        return None
    moved = document.exit_at.at_offset(BEIJING)
    return Moment(precision=Precision.DAY, local=moved.local[:10])


def batch_reference(_: tuple[int, ...], document: Manifest) -> Identifier | None:
    """The batch number as the declarant's own reference (TIR NOD)."""
    batch = next((i.value for i in document.identifiers if i.scheme == "cn.road-batch"), None)
    return Identifier(scheme="vn.declarant-ref", value=batch) if batch else None


def temporary_indication(_: tuple[int, ...], document: Manifest) -> str | None:
    """1 (temporary admission) for a Chinese truck, 0 for a Vietnamese one coming home."""
    plate = document.means[0].plate if document.means else None
    if plate is None:
        return None
    return "1" if (plate.country or shape_country(plate)) == "CN" else "0"


DERIVATIONS: Mapping[str, Derivation] = {
    "arrivalDay": arrival_day,
    "arrivalFromExit": exit_time,
    "batchReference": batch_reference,
    "itemMass": item_mass,
    "itemPackages": item_packages,
    "loadingFromExit": exit_time,
    "temporaryIndication": temporary_indication,
    "totalPackages": total_packages,
}

READS: Mapping[str, tuple[str, ...]] = {
    "derive:arrivalDay": ("exit_at",),
    "derive:arrivalFromExit": ("exit_at",),
    "derive:batchReference": ("identifiers[cn.road-batch]",),
    "derive:itemMass": ("consignments[].gross_mass",),
    "derive:itemPackages": ("consignments[].total_packages",),
    "derive:loadingFromExit": ("exit_at",),
    "derive:temporaryIndication": ("means[0].plate",),
    "derive:totalPackages": ("consignments[].items[].packages",),
    "gate:cnOffice": ("border_gate.gate",),
    "gate:cnPlace": ("border_gate.gate",),
    "gate:vnGate": ("exit_office.office", "loading.location.code"),
}
"""What a derived word reads, so that the report can say where a source value went."""
