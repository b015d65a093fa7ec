"""One field of the comparison vector, and how two plain values stand to each other."""

from collections.abc import Iterable
from enum import StrEnum

from gateway.model.values import Canonical
from gateway.recognition.outcomes import Reason, reason


class Agreement(StrEnum):
    """How two values of a field stand to each other."""

    EQUAL = "EQUAL"
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    EXPLAINED = "EXPLAINED"
    MISSING_ONE = "MISSING_ONE"
    MISSING_BOTH = "MISSING_BOTH"
    CONFLICT = "CONFLICT"


class FieldResult(Canonical, frozen=True, kw_only=True):
    """One field of the vector. code: the reason when it is a CONFLICT. by: what explains it."""

    field: str
    agreement: Agreement
    code: str
    claimed: str = ""
    observed: str = ""
    clause: str = ""
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def reason(self) -> Reason:
        """Return the reason that a conflict gives."""
        return reason(
            self.code, self.field, self.claimed, self.observed, clause=self.clause, where=self.where
        )


Verdict = tuple[Agreement, str, str, tuple[str, ...]]
"""Agreement, claimed, observed, explained by."""


def plainly(claimed: str, observed: str) -> Verdict:
    """Judge two values of which one is missing, or that are equal or differ outright."""
    if not claimed and not observed:
        return Agreement.MISSING_BOTH, "", "", ()
    if not claimed or not observed:
        return Agreement.MISSING_ONE, claimed, observed, ()
    agreement = Agreement.EQUAL if claimed == observed else Agreement.CONFLICT
    return agreement, claimed, observed, ()


def listed(values: Iterable[str]) -> str:
    """Return values in one line, in order."""
    return ", ".join(sorted(values))
