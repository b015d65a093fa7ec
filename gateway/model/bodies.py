"""What a statement of evidence says: one body for each family of kinds."""

from enum import StrEnum

from gateway.model.inspection import (
    AuthorityRef,
    Conveyance,
    Declaration,
    DocKey,
    InspectionResult,
    InspectionType,
    Parties,
    SealState,
    Validity,
)
from gateway.model.manifest import Direction
from gateway.model.values import Canonical, Identifier, Measure, Moment


class Registry(StrEnum):
    """What may be registered, suspended and reinstated. PUC: grower, PHC: packer or plant.

    COMMODITY is named by HS6, ROUTE by direction and gate (`VN-CN/CKHN`), KEY by its id.
    """

    PUC = "PUC"
    PHC = "PHC"
    LAB = "LAB"
    ISSUER = "ISSUER"
    KEY = "KEY"
    GATE = "GATE"
    SEAL = "SEAL"
    COMMODITY = "COMMODITY"
    ROUTE = "ROUTE"


class Inspection(Canonical, frozen=True, kw_only=True, tag_field="body", tag="inspection"):
    """ISSUE, AMEND, REPLACE, COUNTER_CHECK, WEIGH, NII, LAB: a document with its results.

    identifiers: schemes ucr, manifest, vn.tax, cn.uscc ...
    """

    results: tuple[InspectionResult, ...]
    direction: Direction | None = None
    identifiers: tuple[Identifier, ...] = ()
    conveyance: Conveyance = Conveyance()
    parties: Parties = Parties()
    declarations: tuple[Declaration, ...] = ()
    validity: Validity = Validity()


class Ending(Canonical, frozen=True, kw_only=True, tag_field="body", tag="ending"):
    """WITHDRAW or REJECT: the document is dead for ever. status: UNTDID 4405 (40, 41, 46 ...)."""

    status: str = "40"
    reason: str = ""


class Handover(Canonical, frozen=True, kw_only=True, tag_field="body", tag="handover"):
    """Goods move to another conveyance: its plates and units, with the seals before and after."""

    before: Conveyance
    after: Conveyance
    place: str = ""


class SealEvent(Canonical, frozen=True, kw_only=True, tag_field="body", tag="seal-event"):
    """A seal was armed, opened, cut, broken, replaced, left its route, has a weak battery.

    by: UNECE sealing party (CU customs, AC quarantine agency, CA carrier ...).
    """

    event: str
    seal: SealState
    replaced_by: SealState | None = None
    by: str = ""
    place: str = ""
    identifiers: tuple[Identifier, ...] = ()
    conveyance: Conveyance = Conveyance()


class Take(Canonical, frozen=True, kw_only=True):
    """An explicit split: so much of one line of a certificate travels here."""

    doc: DocKey
    line: int = 1
    quantity: Measure | None = None


class Passage(Canonical, frozen=True, kw_only=True, tag_field="body", tag="passage"):
    """DEPARTURE, ARRIVAL or RELEASE of one vehicle or consignment (`journey` names it)."""

    journey: str
    place: str = ""
    direction: Direction | None = None
    takes: tuple[Take, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    conveyance: Conveyance = Conveyance()


class Standing(Canonical, frozen=True, kw_only=True, tag_field="body", tag="standing"):
    """SUSPEND or REINSTATE (also: register) from an instant. scope: HS6 codes, empty for all."""

    registry: Registry
    id: str
    start: Moment
    scope: tuple[str, ...] = ()
    reason: str = ""


class Link(Canonical, frozen=True, kw_only=True, tag_field="body", tag="link"):
    """LINK or UNLINK of two statements, by digest. by: machine or person.

    score: hundredths of a bit. features: what agreed. model: version of the table.
    """

    left: str
    right: str
    by: str = "person"
    score: int | None = None
    features: tuple[str, ...] = ()
    model: str = ""


class ClaimRef(Canonical, frozen=True, kw_only=True):
    """A claim: goods line x inspection type of a case. case: the case id or any alias of it.

    journey: where several vehicles share one certificate; "" where one does.
    """

    case: str
    type: InspectionType
    line: int = 1
    journey: str = ""

    def __str__(self) -> str:
        parts = (self.case, self.journey, str(self.line), str(self.type))
        return "/".join(part for part in parts if part)


class Adjudication(Canonical, frozen=True, kw_only=True, tag_field="body", tag="adjudication"):
    """ADJUDICATE: persons resolve reasons of a claim, or make it stricter.

    officers: who signed, with their own codes. root: the evidence they saw.
    """

    claim: ClaimRef
    outcome: str
    root: str
    officers: tuple[AuthorityRef, ...]
    resolves: tuple[str, ...] = ()
    not_before: Moment | None = None
    not_after: Moment | None = None


class Deadline(Canonical, frozen=True, kw_only=True, tag_field="body", tag="deadline"):
    """DEADLINE: an instant that a rule set for something. what: counter-check or reveal."""

    claim: ClaimRef
    what: str
    due: Moment


class DrawStep(Canonical, frozen=True, kw_only=True, tag_field="body", tag="draw"):
    """COMMIT (value: SHA-256 of the secret, hex) or REVEAL (value: the secret, hex)."""

    claim: ClaimRef
    value: str


Body = (
    Inspection
    | Ending
    | Handover
    | SealEvent
    | Passage
    | Standing
    | Link
    | Adjudication
    | Deadline
    | DrawStep
)
