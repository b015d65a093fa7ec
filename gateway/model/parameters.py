"""Submission parameters: what no document holds. Signed and stored with the message.

The same object on REST, the command line and, later, gRPC. Each is a declared source in
the mapping tables (`param:<name>`).
"""

from gateway.model.manifest import TemporaryAdmission
from gateway.model.values import Canonical, Identifier, Measure, Moment, PackageQuantity, Party


class WaybillParameter(Canonical, frozen=True, kw_only=True):
    """The waybill number of a declaration (by number, reference or 1-based position)."""

    declaration: str
    id: str


class PackingParameter(Canonical, frozen=True, kw_only=True):
    """Gross mass and packages of one goods line; EDA holds neither."""

    declaration: str
    line: int
    gross_mass: Measure
    packages: PackageQuantity


class DangerousGoodsParameter(Canonical, frozen=True, kw_only=True):
    """A UN number and whom to call."""

    declaration: str
    line: int
    un: str
    contact: str
    phone: str


class ConsigneeParameter(Canonical, frozen=True, kw_only=True):
    """The consignee as the other side knows him."""

    id: str | None = None
    names: tuple[str, ...] = ()
    phone: str | None = None


class VehicleParameter(Canonical, frozen=True, kw_only=True):
    """What the other side's documents do not say about the truck."""

    filing: str | None = None
    type: str | None = None
    make: str | None = None
    colour: str | None = None
    seats: int | None = None
    chassis: str | None = None
    engine: str | None = None
    owner: Party | None = None
    circulation: str | None = None


class DriverDocumentParameter(Canonical, frozen=True, kw_only=True):
    """A driver's document; kind P passport, V visa, A alien registration, F other."""

    kind: str
    number: str | None = None


class DriverParameter(Canonical, frozen=True, kw_only=True):
    """The driver as this side must name him. PERSONAL."""

    filing: str | None = None
    romanised: str | None = None
    document: DriverDocumentParameter | None = None


class Parameters(Canonical, frozen=True, kw_only=True):
    """All submission parameters; every one is optional."""

    join_ref: str | None = None
    expected_halves: int | None = None
    partial: bool = False
    batch_number: str | None = None
    waybills: tuple[WaybillParameter, ...] = ()
    loading_at: Moment | None = None
    arrival_at: Moment | None = None
    procedure_code: str | None = None
    condition_code: str | None = None
    freight_payment: str | None = None
    route: tuple[str, ...] = ()
    consignee: ConsigneeParameter | None = None
    carrier_code: str | None = None
    agent_code: str | None = None
    short_descriptions: tuple[str, ...] = ()
    packing: tuple[PackingParameter, ...] = ()
    dangerous_goods: tuple[DangerousGoodsParameter, ...] = ()
    transit_office: str | None = None
    unloading_place: str | None = None
    vehicle: VehicleParameter | None = None
    driver: DriverParameter | None = None
    temporary_admission: TemporaryAdmission | None = None
    dossier: Identifier | None = None
    remark: str | None = None
