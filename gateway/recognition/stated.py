"""A result as it was stated, and a check that was made before."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model.bodies import Inspection
from gateway.model.evidence import Evidence, Side
from gateway.model.inspection import InspectionResult
from gateway.recognition.normalise import Span, span


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
