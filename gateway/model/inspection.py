"""What was inspected and found: the results that statements of evidence carry.

Quantities are `Measure` (Decimal, UN/ECE Rec 20), times are `Moment` (offset kept,
`offset_assumed` when the wire had no zone). Numbers and plates stand as stated;
`gateway.recognition.normalise` makes them comparable.
"""

from enum import StrEnum

from gateway.model.values import Canonical, Measure, Moment, Party, Plate, Text


class Role(StrEnum):
    """What an authority is; it decides what it may assert."""

    NPPO = "NPPO"
    CUSTOMS = "CUSTOMS"
    VET = "VET"
    HEALTH = "HEALTH"
    BORDER_GUARD = "BORDER_GUARD"
    LAB = "LAB"
    OPERATOR = "OPERATOR"


class InspectionType(StrEnum):
    """What was inspected."""

    PHYTO = "PHYTO"
    VET = "VET"
    FOOD_SAFETY = "FOOD_SAFETY"
    LAB = "LAB"
    NII_XRAY = "NII_XRAY"
    RADIATION = "RADIATION"
    WEIGHT = "WEIGHT"
    SEAL = "SEAL"
    DOCUMENTARY = "DOCUMENTARY"
    IDENTITY = "IDENTITY"
    PHYSICAL = "PHYSICAL"
    TREATMENT = "TREATMENT"
    TEMPERATURE = "TEMPERATURE"
    AEO_STATUS = "AEO_STATUS"


class Depth(StrEnum):
    """How deep the control went, least first (EU control results: A3 none, A2, A1 physical)."""

    NONE = "NONE"
    DOCUMENTARY = "DOCUMENTARY"
    IDENTITY = "IDENTITY"
    INSTRUMENTAL = "INSTRUMENTAL"
    PHYSICAL_PARTIAL = "PHYSICAL_PARTIAL"
    PHYSICAL_FULL = "PHYSICAL_FULL"
    LABORATORY = "LABORATORY"


class Verdict(StrEnum):
    """What the inspection says."""

    PASS = "PASS"  # noqa: S105  a verdict, no password
    PASS_WITH_REMARKS = "PASS_WITH_REMARKS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_DONE = "NOT_DONE"


class AuthorityRef(Canonical, frozen=True, kw_only=True):
    """An authority. country: ISO 3166 alpha-2. code: in the scheme."""

    country: str
    code: str
    role: Role
    scheme: str = ""


class DocKey(Canonical, frozen=True, kw_only=True):
    """A document, all versions. type: UNTDID 1001 (851 phytosanitary certificate)."""

    issuer: AuthorityRef
    type: str
    number: str


class Observation(Canonical, frozen=True, kw_only=True):
    """Something an inspector or a laboratory found or measured.

    kind: PEST, RESIDUE, CONTAMINANT, SOIL, IMAGE, SEAL, QUANTITY or LABEL. code: EPPO, CAS or
    own. lod: limit of detection. severity: 0 remark, 1 minor, 2 major.
    """

    kind: str
    code: str
    measured: Measure | None = None
    limit: Measure | None = None
    lod: Measure | None = None
    severity: int = 1


class Sample(Canonical, frozen=True, kw_only=True):
    """Sampling inside the lot. plan: reference of the sampling plan."""

    units: int
    sampled: int
    plan: str = ""


class Treatment(Canonical, frozen=True, kw_only=True):
    """A treatment of the goods. dose: as g/m3, or kGy. facility: its registry code."""

    type: str
    agent: str = ""
    dose: Measure | None = None
    temperature: Measure | None = None
    duration: Measure | None = None
    start: Moment | None = None
    end: Moment | None = None
    facility: str = ""


class LabReport(Canonical, frozen=True, kw_only=True):
    """Where and when a laboratory worked. lots: those covered."""

    code: str
    report: str = ""
    accreditation: str = ""
    lots: tuple[str, ...] = ()
    sampled_at: Moment | None = None
    reported_at: Moment | None = None


class Package(Canonical, frozen=True, kw_only=True):
    """Packages of one level (1 outermost) and UN/ECE Rec 21 kind."""

    kind: str
    count: int
    level: int = 1


class GoodsRef(Canonical, frozen=True, kw_only=True):
    """A goods line as the document names it. hs: as written; hs_edition: 2017, 2022, 2028."""

    hs: str = ""
    hs_edition: str = ""
    national_code: str = ""
    descriptions: tuple[Text, ...] = ()
    scientific_name: str = ""
    eppo: str = ""
    state: str = ""
    origin: str = ""
    region: str = ""
    net: Measure | None = None
    gross: Measure | None = None
    packages: tuple[Package, ...] = ()
    lots: tuple[str, ...] = ()


class SealState(Canonical, frozen=True, kw_only=True):
    """A seal as seen. maker: numbers of two makers may be equal. kind: E or MECH.

    condition: UNECE seal condition 1 right, 2 damaged, 3 missing, 4 broken, 5 faulty.
    """

    number: str
    maker: str = ""
    kind: str = ""
    condition: int = 1
    affixer: str = ""


class Conveyance(Canonical, frozen=True, kw_only=True):
    """What carries the goods, 0..n of each. units: guided vehicles. mode: Rec 19 (3 road)."""

    plates: tuple[Plate, ...] = ()
    trailers: tuple[Plate, ...] = ()
    units: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    seals: tuple[SealState, ...] = ()
    mode: str = ""
    gate: str = ""
    crossing: Moment | None = None


class Parties(Canonical, frozen=True, kw_only=True):
    """Who trades, grows and packs. growers: PUC codes. packers: PHC codes."""

    consignor: Party | None = None
    consignee: Party | None = None
    growers: tuple[str, ...] = ()
    packers: tuple[str, ...] = ()


class Declaration(Canonical, frozen=True, kw_only=True):
    """An additional declaration. template: of the rule set, when the issuer names one."""

    text: Text
    template: str = ""


class Validity(Canonical, frozen=True, kw_only=True):
    """When a document holds. days_to_departure: longest time from issue to departure."""

    not_before: Moment | None = None
    not_after: Moment | None = None
    days_to_departure: int | None = None


class ImageRef(Canonical, frozen=True, kw_only=True):
    """A scanner image, never its pixels. digest: SHA-256 of the UFF file."""

    digest: str
    device: str = ""
    scanned_at: Moment | None = None


class InspectionResult(Canonical, frozen=True, kw_only=True):
    """What one inspection says of one goods line. place: UN/LOCODE or gate code."""

    type: InspectionType
    verdict: Verdict
    depth: Depth = Depth.DOCUMENTARY
    line: int = 1
    performed_at: Moment | None = None
    place: str = ""
    inspector: Role | None = None
    method: str = ""
    sample: Sample | None = None
    observations: tuple[Observation, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    lab: LabReport | None = None
    goods: GoodsRef = GoodsRef()
    images: tuple[ImageRef, ...] = ()
