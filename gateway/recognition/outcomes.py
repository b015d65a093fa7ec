"""The fourteen outcomes, most severe first, and every reason with the outcome it leads to.

An outcome is the most severe of its reasons; all reasons are kept. Words and the remedy of a
reason stand in `gateway/texts` (`outcomes`, `reasons`, `remedies`).
"""

from collections.abc import Iterable
from enum import StrEnum

from gateway.model.values import Canonical


class Outcome(StrEnum):
    """What a claim is worth. The order of the members is the order of severity."""

    REVOKED = "REVOKED"
    EQUIVOCAL = "EQUIVOCAL"
    CONTRADICTED = "CONTRADICTED"
    SUSPENDED = "SUSPENDED"
    NOT_COVERED = "NOT_COVERED"
    EXPIRED = "EXPIRED"
    DISCREPANT = "DISCREPANT"
    REINSPECTION_REQUIRED = "REINSPECTION_REQUIRED"
    PENDING_EVIDENCE = "PENDING_EVIDENCE"
    PENDING_COUNTERPART = "PENDING_COUNTERPART"
    SELECTED_FOR_SAMPLING = "SELECTED_FOR_SAMPLING"
    PARTIALLY_RECOGNISED = "PARTIALLY_RECOGNISED"
    RECOGNISED_WITH_CONDITIONS = "RECOGNISED_WITH_CONDITIONS"
    RECOGNISED = "RECOGNISED"


RANK = {outcome: rank for rank, outcome in enumerate(Outcome, start=1)}
"""1 is the most severe."""

RECOGNISING = frozenset(
    (Outcome.PARTIALLY_RECOGNISED, Outcome.RECOGNISED_WITH_CONDITIONS, Outcome.RECOGNISED)
)


class Actor(StrEnum):
    """Who can mend a reason, seen from the claim."""

    ISSUER = "ISSUER"
    COUNTERPART = "COUNTERPART"
    BOTH = "BOTH"
    SUSPENDING_AUTHORITY = "SUSPENDING_AUTHORITY"
    RULE_OWNERS = "RULE_OWNERS"
    NOBODY = "NOBODY"


_O, _A = Outcome, Actor
REASONS: dict[str, tuple[Outcome, Actor]] = {
    # the document
    "STATUS_WITHDRAWN": (_O.REVOKED, _A.ISSUER),
    "STATUS_REJECTED": (_O.REVOKED, _A.ISSUER),
    "STATUS_REPLACED": (_O.REVOKED, _A.ISSUER),
    "KEY_COMPROMISED": (_O.REVOKED, _A.ISSUER),
    "VERSION_CONFLICT": (_O.EQUIVOCAL, _A.BOTH),
    "SEVERAL_LIVE_DOCUMENTS": (_O.DISCREPANT, _A.ISSUER),
    "DATE_ORDER": (_O.DISCREPANT, _A.ISSUER),
    "VALIDITY": (_O.EXPIRED, _A.ISSUER),
    "AGE": (_O.EXPIRED, _A.ISSUER),
    # the other side's own check
    "COUNTER_CHECK_DIFFERS": (_O.CONTRADICTED, _A.BOTH),
    "VERDICT": (_O.DISCREPANT, _A.ISSUER),
    "INCONCLUSIVE": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "COUNTER_CHECK_MISSING": (_O.PENDING_COUNTERPART, _A.COUNTERPART),
    "DEADLINE_PASSED": (_O.REINSPECTION_REQUIRED, _A.COUNTERPART),
    "FOR_CAUSE": (_O.REINSPECTION_REQUIRED, _A.COUNTERPART),
    # registries
    "FACILITY_SUSPENDED": (_O.SUSPENDED, _A.SUSPENDING_AUTHORITY),
    "LAB_SUSPENDED": (_O.SUSPENDED, _A.SUSPENDING_AUTHORITY),
    "ISSUER_SUSPENDED": (_O.SUSPENDED, _A.SUSPENDING_AUTHORITY),
    "COMMODITY_SUSPENDED": (_O.SUSPENDED, _A.SUSPENDING_AUTHORITY),
    "ROUTE_SUSPENDED": (_O.SUSPENDED, _A.SUSPENDING_AUTHORITY),
    "FACILITY_UNKNOWN": (_O.PENDING_EVIDENCE, _A.ISSUER),
    # the rule
    "RULE_MISSING": (_O.NOT_COVERED, _A.RULE_OWNERS),
    "RULE_ENDED": (_O.NOT_COVERED, _A.RULE_OWNERS),
    "RULE_DRY_RUN": (_O.NOT_COVERED, _A.RULE_OWNERS),
    "RULE_NEVER": (_O.NOT_COVERED, _A.RULE_OWNERS),
    "GATE": (_O.NOT_COVERED, _A.RULE_OWNERS),
    "ISSUER_ROLE": (_O.NOT_COVERED, _A.ISSUER),
    # the goods compared
    "QTY_NET": (_O.DISCREPANT, _A.ISSUER),
    "QTY_GROSS": (_O.DISCREPANT, _A.ISSUER),
    "QTY_OVERDRAWN": (_O.DISCREPANT, _A.ISSUER),
    "QTY_PARTIAL": (_O.PARTIALLY_RECOGNISED, _A.ISSUER),
    "PKG_COUNT": (_O.DISCREPANT, _A.ISSUER),
    "TARE_IMPLAUSIBLE": (_O.DISCREPANT, _A.ISSUER),
    "HS6": (_O.DISCREPANT, _A.ISSUER),
    "SPECIES": (_O.DISCREPANT, _A.ISSUER),
    "ORIGIN": (_O.DISCREPANT, _A.ISSUER),
    "LOT": (_O.DISCREPANT, _A.ISSUER),
    "ROUTE": (_O.DISCREPANT, _A.ISSUER),
    "CONTAINER": (_O.DISCREPANT, _A.BOTH),
    "CONTAINER_CHECK_DIGIT": (_O.DISCREPANT, _A.ISSUER),
    "PLATE": (_O.DISCREPANT, _A.BOTH),
    "SEAL_SET": (_O.DISCREPANT, _A.BOTH),
    "SEAL_CONDITION": (_O.REINSPECTION_REQUIRED, _A.COUNTERPART),
    "PARTY": (_O.DISCREPANT, _A.ISSUER),
    # what the rule asks for
    "DOCUMENT_MISSING": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "FACILITY_NOT_STATED": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "DECLARATION_MISSING": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "DECLARATION_TEXT": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "TREATMENT_MISSING": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "TREATMENT_SCHEDULE": (_O.DISCREPANT, _A.ISSUER),
    "TEMP_LOG": (_O.DISCREPANT, _A.ISSUER),
    "LAB_MISSING": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "LAB_NOT_RECOGNISED": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "LAB_LOT": (_O.PENDING_EVIDENCE, _A.ISSUER),
    "ANALYTE_LIMIT": (_O.DISCREPANT, _A.ISSUER),
    "DEPTH": (_O.DISCREPANT, _A.ISSUER),
    "SAMPLE_FRACTION": (_O.DISCREPANT, _A.ISSUER),
    # sampling and conditions
    "DRAWN": (_O.SELECTED_FOR_SAMPLING, _A.COUNTERPART),
    "REVEAL_MISSING": (_O.SELECTED_FOR_SAMPLING, _A.COUNTERPART),
    "DRAW_PENDING": (_O.PENDING_COUNTERPART, _A.BOTH),
    "CONDITION": (_O.RECOGNISED_WITH_CONDITIONS, _A.NOBODY),
    "REMARKS": (_O.RECOGNISED_WITH_CONDITIONS, _A.NOBODY),
    # persons
    "ADJUDICATED": (_O.RECOGNISED, _A.BOTH),
}
"""Code -> the outcome it leads to, and who can mend it."""


class Reason(Canonical, frozen=True, kw_only=True):
    """Why an outcome is not better. claimed / observed: the values that differ.

    clause: rule and requirement. where: `digest#path` of the values. outcome: of the table,
    unless persons chose it.
    """

    code: str
    outcome: Outcome
    clause: str = ""
    subject: str = ""
    claimed: str = ""
    observed: str = ""
    where: tuple[str, ...] = ()


def reason(
    code: str,
    subject: str = "",
    claimed: str = "",
    observed: str = "",
    *,
    clause: str = "",
    where: Iterable[str] = (),
) -> Reason:
    """Make a reason of the table."""
    return Reason(
        code=code,
        outcome=REASONS[code][0],
        clause=clause,
        subject=subject,
        claimed=claimed,
        observed=observed,
        where=tuple(sorted(set(where))),
    )


def meet(*outcomes: Outcome) -> Outcome:
    """Return the most severe; of none: RECOGNISED."""
    return min(outcomes, key=RANK.__getitem__, default=Outcome.RECOGNISED)


def ordered(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons without doubles, most severe first, in an order that depends on nothing."""
    return tuple(
        sorted(
            set(reasons),
            key=lambda r: (RANK[r.outcome], r.code, r.subject, r.claimed, r.observed, r.where),
        )
    )


def outcome_of(reasons: Iterable[Reason]) -> Outcome:
    """Return the most severe outcome that a reason leads to."""
    return meet(*(r.outcome for r in reasons))
