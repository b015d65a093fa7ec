"""The canonical manifest: one crossing, or one half of it (vehicle, or goods).

TOR, TIR and MT44xx hold only the vehicle, EDA, MT1401 and MT2401 only the goods: both are
this root with the other half empty, so a join is a merge with a rule per field.
"""

from enum import StrEnum

from gateway.model.values import (
    Canonical,
    Code,
    Communication,
    Contact,
    Identifier,
    Location,
    Measure,
    Moment,
    Money,
    PackageQuantity,
    Party,
    Plate,
    Text,
)


class Direction(StrEnum):
    """Which way the goods move."""

    VN_CN = "VN-CN"
    CN_VN = "CN-VN"


class Function(StrEnum):
    """What the sender wants: CN010 9 / 5 / 3, VNACCS KBN 9 / 5 / 1."""

    ORIGINAL = "original"
    REPLACE = "replace"
    CANCEL = "cancel"


class Audience(StrEnum):
    """Who may read a remark."""

    OWN_SIDE = "own-side"
    BOTH = "both"


class Remark(Canonical, frozen=True, kw_only=True):
    """Free text for somebody."""

    text: Text
    audience: Audience = Audience.OWN_SIDE


class Document(Canonical, frozen=True, kw_only=True):
    """A licence, permit, certificate or other document (LPCO). PERSONAL on a crew member.

    kind: which place of a form it fills (identity, border-pass), where a form has several.
    number: "" when the form names a document without its number.
    """

    kind: str | None = None
    number: str = ""
    type: Code | None = None
    issuer: str | None = None
    issued: Moment | None = None
    expires: Moment | None = None


class CrewMember(Canonical, frozen=True, kw_only=True):
    """Somebody on the vehicle. PERSONAL: the whole subtree is removed by projection."""

    role: str = "driver"
    names: tuple[Text, ...] = ()
    nationality: str | None = None
    documents: tuple[Document, ...] = ()
    address: tuple[Text, ...] = ()
    filing: Identifier | None = None
    change: Code | None = None
    communications: tuple[Communication, ...] = ()


class Trailer(Canonical, frozen=True, kw_only=True):
    """A trailer or chassis behind the tractor."""

    plate: Plate | None = None
    tare: Measure | None = None
    type: Code | None = None


class TemporaryAdmission(Canonical, frozen=True, kw_only=True):
    """The Vietnamese regime of temporary import or export of a vehicle."""

    indication: str | None = None
    days: int | None = None
    area: Text | None = None
    return_by: Moment | None = None
    return_gate: Code | None = None
    previous: Identifier | None = None
    purpose: Code | None = None
    circulation: Code | None = None


class Seal(Canonical, frozen=True, kw_only=True):
    """A seal on a piece of equipment, or on the truck itself."""

    number: str
    kind: Code | None = None
    issuer: str | None = None


class BorderTransportMeans(Canonical, frozen=True, kw_only=True):
    """One truck. seals: those that the document puts on the truck, not on a container."""

    plate: Plate | None = None
    ids: tuple[Identifier, ...] = ()
    mode: Code | None = None
    type: Code | None = None
    make: str | None = None
    colour: str | None = None
    chassis: str | None = None
    engine: str | None = None
    seats: int | None = None
    owner: Party | None = None
    crew: tuple[CrewMember, ...] = ()
    passengers: Code | None = None
    trailers: tuple[Trailer, ...] = ()
    permits: tuple[Document, ...] = ()
    temporary_admission: TemporaryAdmission | None = None
    seals: tuple[Seal, ...] = ()
    equipment_refs: tuple[str, ...] = ()


class TransportEquipment(Canonical, frozen=True, kw_only=True):
    """A container, once, whatever number of waybills lists it.

    id: as stated, upper case, blanks cut. check_digit: valid, invalid or not-iso (ISO 6346).
    """

    id: str
    check_digit: str = "not-iso"
    size_type: Code | None = None
    fullness: Code | None = None
    supplier: Code | None = None
    vanning: Code | None = None
    delivery: Code | None = None
    tare: Measure | None = None
    seals: tuple[Seal, ...] = ()


class TransportContractDocument(Canonical, frozen=True, kw_only=True):
    """The waybill."""

    id: Identifier | None = None
    condition: Code | None = None
    cargo_number: str | None = None


class PreviousDocument(Canonical, frozen=True, kw_only=True):
    """The customs declaration that the goods stand on. branch/branches: a divided one.

    section: of the office. id: None while customs has not given it a number (an EDA on its way in).
    """

    id: Identifier | None = None
    kind: Code | None = None
    office: Code | None = None
    section: str | None = None
    first: Identifier | None = None
    branch: int | None = None
    branches: int | None = None
    registered: Moment | None = None


class Invoice(Canonical, frozen=True, kw_only=True):
    """A reference to a commercial invoice.

    electronic: its receipt number at customs. terms: of payment. delivery: Incoterm.
    price_kind: what the price includes.
    """

    number: str = ""
    kind: Code | None = None
    electronic: str | None = None
    date: Moment | None = None
    terms: Code | None = None
    delivery: Code | None = None
    price_kind: Code | None = None


class CommodityCode(Canonical, frozen=True, kw_only=True):
    """A tariff code. Equal between countries only in its first six digits."""

    code: str
    edition: str | None = None


class ConsignmentItem(Canonical, frozen=True, kw_only=True):
    """A goods line. Masses and packages are stated facts, never computed.

    sequence: from 1; 0 where the form numbers nothing and the lines are not yet numbered.
    """

    sequence: int = 0
    descriptions: tuple[Text, ...] = ()
    hs: CommodityCode | None = None
    undg: Identifier | None = None
    packages: PackageQuantity | None = None
    gross_mass: Measure | None = None
    net_mass: Measure | None = None
    quantities: tuple[Measure, ...] = ()
    value: Money | None = None
    origin: str | None = None
    control_hints: tuple[Code, ...] = ()


class Consignment(Canonical, frozen=True, kw_only=True):
    """One waybill."""

    contract: TransportContractDocument | None = None
    previous: tuple[PreviousDocument, ...] = ()
    references: tuple[Identifier, ...] = ()
    consignor: Party | None = None
    consignee: Party | None = None
    notify: Party | None = None
    contractor: Party | None = None
    consolidator: Party | None = None
    deconsolidator: Party | None = None
    total_packages: PackageQuantity | None = None
    gross_mass: Measure | None = None
    volume: Measure | None = None
    value: Money | None = None
    procedure: Code | None = None
    itinerary: tuple[str, ...] = ()
    transit_office: Code | None = None
    freight_payment: Code | None = None
    marks: Text | None = None
    invoice: Invoice | None = None
    cargo_class: Code | None = None
    warehouse: Code | None = None
    vanning: Location | None = None
    vanning_codes: tuple[Code, ...] = ()
    destination: Location | None = None
    lpco: tuple[Document, ...] = ()
    undg_contact: Contact | None = None
    equipment_refs: tuple[str, ...] = ()
    items: tuple[ConsignmentItem, ...] = ()


class PlaceAndTime(Canonical, frozen=True, kw_only=True):
    """Where and when goods are loaded or unloaded. actual: it has happened."""

    location: Location | None = None
    at: Moment | None = None
    actual: bool = False


class ControlResult(Canonical, frozen=True, kw_only=True):
    """What an agency did or found. outcome: yes, no or unknown; absent is not no."""

    agency: str
    step: str
    outcome: str
    subject: str | None = None
    at: Moment | None = None
    note: str | None = None


class Manifest(Canonical, frozen=True, kw_only=True):
    """The root. `identifiers`: batch number, registration, declarant's reference ..."""

    direction: Direction
    function: Function = Function.ORIGINAL
    identifiers: tuple[Identifier, ...] = ()
    issued_at: Moment | None = None
    exit_office: Location | None = None
    entry_office: Location | None = None
    border_gate: Location | None = None
    mode: Code | None = None
    agent: Party | None = None
    carrier: Party | None = None
    representative: Party | None = None
    submitter: Party | None = None
    loading: PlaceAndTime | None = None
    unloading: PlaceAndTime | None = None
    exit_at: Moment | None = None
    remarks: tuple[Remark, ...] = ()
    means: tuple[BorderTransportMeans, ...] = ()
    equipment: tuple[TransportEquipment, ...] = ()
    consignments: tuple[Consignment, ...] = ()
    lpco: tuple[Document, ...] = ()
    control_results: tuple[ControlResult, ...] = ()
