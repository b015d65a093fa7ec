"""What running a case gives."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What became of a case."""

    PASS = "PASS"  # noqa: S105  a verdict
    FAIL = "FAIL"
    WARN = "WARN"  # a SHOULD failed, or a weaker outcome that is allowed
    INCONCLUSIVE = "INCONCLUSIVE"  # the suite could not decide
    ERROR = "ERROR"  # a fault of the suite or of its configuration
    NOT_APPLICABLE = "NOT_APPLICABLE"  # the target does not declare the feature
    SKIPPED = "SKIPPED"  # by the user
    REVIEW = "REVIEW"  # a person must look
    EXPECTED = "EXPECTED"  # a failure that is known, until a day


BLOCKING = frozenset(
    {Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.SKIPPED, Verdict.REVIEW}
)
"""Verdicts of a MUST with which no target is conformant."""


class FailedError(Exception):
    """The target did not do what the clause asks for."""


class WeakerError(Exception):
    """The target did what is allowed, but is not the best."""


class UndecidedError(Exception):
    """The suite cannot tell: nobody answered, or a control failed."""


class UnavailableError(Exception):
    """The target does not declare what this step needs."""


@dataclass(frozen=True, slots=True)
class Note:
    """One line of what was seen: a step, what was expected, what came."""

    step: str
    text: str


@dataclass(slots=True)
class Result:
    """The result of one instance. wires: numbered octets that went to and fro."""

    name: str
    case: str
    area: str
    level: str
    verdict: Verdict
    reason: str = ""
    notes: list[Note] = field(default_factory=list)
    seconds: float = 0.0
    wires: list[dict[str, Any]] = field(default_factory=list)
    clauses: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """All results of one run."""

    target: str
    profile: str
    began: datetime
    seed: int
    results: list[Result] = field(default_factory=list)
    ended: datetime | None = None
    wrong: list[str] = field(default_factory=list)
    """What is wrong with the list of expected failures."""

    @property
    def conformant(self) -> bool:
        """True when every MUST passed and at least one case ran (nothing run is never
        conformant)."""
        judged = [r for r in self.results if r.verdict is not Verdict.NOT_APPLICABLE]
        musts = [r for r in judged if r.level == "MUST"]
        return not self.wrong and bool(musts) and not any(r.verdict in BLOCKING for r in musts)

    def counts(self) -> dict[str, int]:
        """Return how many results there are of each verdict."""
        return {str(v): sum(r.verdict is v for r in self.results) for v in Verdict}
