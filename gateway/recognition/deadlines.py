"""Deadlines that rules set: instants at which both sides decide anew, as statements.

A DEADLINE is made from claim, rule and evidence alone, so both sides make the same one. It is
believed only when it names the instant that the rule gives.
"""

from datetime import datetime

from gateway.model.bodies import ClaimRef, Deadline
from gateway.model.evidence import Evidence, Kind, Side
from gateway.model.values import Moment, Precision
from gateway.recognition import draw
from gateway.recognition.checks_rule import counter_check_due, needs_counterpart
from gateway.recognition.link import MACHINE
from gateway.recognition.ruleset import RuleSet, duration
from gateway.recognition.situation import Situation
from gateway.recognition.view import View

COUNTER_CHECK, REVEAL = "counter-check", "reveal"


def deadlines(
    claim: ClaimRef, situation: Situation, rules: RuleSet, at: datetime
) -> tuple[Evidence, ...]:
    """Return the deadlines of a claim, past and to come. Store those whose instant has come."""
    case = situation.shared.case_of(claim)
    if case is None:
        return ()
    view = situation.shared.views(case, claim, rules, at)[0]
    return tuple(
        deadline_statement(case.id, claim, what, due, view.exporter or Side.VN)
        for what, due in _due(view)
    )


def _due(view: View) -> list[tuple[str, datetime]]:
    rule = view.rule
    if rule is None or view.stated is None:
        return []
    found: list[tuple[str, datetime]] = []
    answer = counter_check_due(view, rule) if needs_counterpart(rule) else None
    if answer is not None:
        found.append((COUNTER_CHECK, answer))
    drawn = 0 < draw.frequency(rule.reinspection, view.history) < 1
    if drawn and view.arrival:
        found.append((REVEAL, view.arrival[1] + duration(rule.reinspection.reveal)))
    return found


def deadline_statement(
    case: str, claim: ClaimRef, what: str, due: datetime, side: Side
) -> Evidence:
    """Return the statement of a deadline. due: UTC, whole seconds."""
    text = due.replace(tzinfo=None, microsecond=0).isoformat(timespec="seconds")
    moment = Moment(precision=Precision.SECOND, local=text, offset=0)
    named = ClaimRef(case=case, type=claim.type, line=claim.line, journey=claim.journey)
    return Evidence(
        kind=Kind.DEADLINE,
        side=side,
        issuer=MACHINE,
        occurred_at=moment,
        stated_at=moment,
        body=Deadline(claim=named, what=what, due=moment),
    )
