"""A result as it was stated, who may state it, and a check that was made before."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model.bodies import Inspection
from gateway.model.evidence import Evidence, Kind, Side
from gateway.model.inspection import AuthorityRef, InspectionResult, InspectionType, Role
from gateway.recognition.normalise import Span, span

OFFICIAL_ROLES = frozenset(Role) - {Role.OPERATOR, Role.LAB}

ASSERTS: dict[InspectionType, frozenset[Role]] = {
    InspectionType.PHYTO: frozenset((Role.NPPO,)),
    InspectionType.VET: frozenset((Role.VET, Role.NPPO)),
    InspectionType.FOOD_SAFETY: frozenset((Role.NPPO, Role.VET, Role.HEALTH, Role.CUSTOMS)),
    InspectionType.AEO_STATUS: frozenset((Role.CUSTOMS,)),
}
"""Who may claim what; of all other types every official may."""


def may_claim(issuer: AuthorityRef, type_: InspectionType) -> bool:
    """Return True when an authority's role allows it to make a claim of a type."""
    return issuer.role in ASSERTS.get(type_, OFFICIAL_ROLES)


def may_check(statement: Evidence) -> bool:
    """Return True unless it is a counter-check by somebody who is no official."""
    return statement.kind is not Kind.COUNTER_CHECK or official(statement)


def official(statement: Evidence) -> bool:
    """Return True for what an official states.

    Ages, deadlines, suspensions, links and the ledger hang on such words.
    """
    return statement.issuer.role in OFFICIAL_ROLES


@dataclass(frozen=True, slots=True)
class Stated:
    """A result with the statement that makes it. path: of the result in the statement."""

    digest: str
    evidence: Evidence
    inspection: Inspection
    result: InspectionResult
    path: str

    @property
    def number(self) -> str:
        """The number of the document."""
        return self.evidence.doc.number if self.evidence.doc else ""

    def at(self, name: str) -> str:
        """Return where a value of the result stands."""
        return f"{self.digest}#{self.path}.{name}"

    @property
    def span(self) -> Span:
        """When it was done, or stated to have occurred."""
        at = self.result.performed_at or self.evidence.occurred_at
        return span(at, self.evidence.issuer.country)


@dataclass(frozen=True, slots=True)
class PastCheck:
    """A check of some goods: what the frequency of sampling depends on."""

    digest: str
    at: datetime
    side: Side
    packers: frozenset[str]
    hs: str
    good: bool
