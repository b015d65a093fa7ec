"""Makes a generated document keep the rules that no table states: sums, linked elements, order."""

from typing import Any

from msgspec.structs import replace

from gateway.model.manifest import Consignment, Manifest
from gateway.model.values import Code, Identifier, Measure, PackageQuantity, Party

ROAD = Code(list="un.rec19", value="3")
EARLY = "2019-12-31"


def lawful(document: Any) -> Any:
    """Return the document changed as little as the rules need."""
    if not isinstance(document, Manifest):
        return document
    loading = document.loading
    if loading and loading.at:
        early = replace(loading.at, local=EARLY + loading.at.local[10:])
        loading = replace(loading, at=early)
    return replace(
        document,
        mode=ROAD if document.mode else None,
        means=tuple(replace(m, mode=ROAD if m.mode else None) for m in document.means),
        loading=loading,
        consignments=tuple(_waybill(n, c) for n, c in enumerate(document.consignments)),
    )


def _waybill(number: int, waybill: Consignment) -> Consignment:
    items = tuple(replace(item, sequence=n) for n, item in enumerate(waybill.items, 1))
    contact = waybill.undg_contact
    if contact is None or not (contact.names and contact.communications):
        contact = None
        items = tuple(replace(item, undg=None) for item in items)
    else:
        dangerous = Identifier(scheme="un.dg", value="0004")
        items = tuple(replace(item, undg=dangerous if item.undg else None) for item in items)
    contract = waybill.contract
    if contract and contract.id:
        unique = replace(contract.id, value=f"{contract.id.value[:30]}{number}")
        contract = replace(contract, id=unique)
    waybill = replace(
        waybill,
        items=items,
        undg_contact=contact,
        contract=contract,
        notify=_linked(waybill.notify),
    )
    return _summed(waybill)


def _linked(notify: Party | None) -> Party | None:
    linked = notify and notify.names and notify.address and notify.communications
    return notify if linked else None


def _summed(waybill: Consignment) -> Consignment:
    masses = [item.gross_mass for item in waybill.items]
    packages = [item.packages for item in waybill.items]
    if masses and all(masses) and waybill.gross_mass:
        total = sum(m.value for m in masses[1:] if m) + masses[0].value  # type: ignore[union-attr]
        waybill = replace(waybill, gross_mass=Measure(value=total, unit=waybill.gross_mass.unit))
    if packages and all(packages) and waybill.total_packages:
        count = sum(p.count for p in packages if p)
        kind = waybill.total_packages.kind
        waybill = replace(waybill, total_packages=PackageQuantity(count=count, kind=kind))
    return waybill
