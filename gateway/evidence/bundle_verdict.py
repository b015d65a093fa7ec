"""The outcome of verifying a bundle: every check, in order, and what it found."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import GatewayError


class Outcome(StrEnum):
    """absent: what the check needs is not in the bundle (withheld, pruned, never made).
    pending: it is still to come (the log, the cosignature, the timestamp)."""

    OK = "ok"
    FAILED = "failed"
    PENDING = "pending"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. subject: what it is about: a message id, a path. rule, found: why it failed."""

    name: str
    subject: str
    outcome: Outcome
    rule: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks. subject, exporter: as the bundle says, empty when it could not be read."""

    checks: tuple[Check, ...]
    subject: str = ""
    exporter: str = ""

    @property
    def ok(self) -> bool:
        """True when no check failed."""
        return self.first_failure is None

    @property
    def first_failure(self) -> Check | None:
        """The first check that failed."""
        return next((c for c in self.checks if c.outcome is Outcome.FAILED), None)


def run(name: str, subject: str, work: Callable[[], Outcome | None]) -> Check:
    """Run one check: what it raises is why it failed; None is ok."""
    try:
        outcome = work()
    except GatewayError as failure:
        first = failure.findings[0] if failure.findings else None
        rule = first.rule if first else failure.code
        return Check(name, subject, Outcome.FAILED, rule, first.found if first else "")
    except Exception as fault:  # noqa: BLE001  whatever it is, the check did not succeed
        return Check(name, subject, Outcome.FAILED, "unexpected", type(fault).__name__)
    return Check(name, subject, outcome or Outcome.OK)
