"""Checks of what the rule says: cover, registries, requirements, counter-check, draw."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from gateway.model.bodies import Deadline, Registry
from gateway.model.evidence import Evidence, Kind, Side
from gateway.recognition import draw
from gateway.recognition.cases import names_claim
from gateway.recognition.checks_document import same_question
from gateway.recognition.normalise import iso, span
from gateway.recognition.outcomes import Reason, reason
from gateway.recognition.registry import State
from gateway.recognition.requirements import (
    DEPTHS,
    PASSING,
    facilities,
    facility_state,
    required,
    suspension_window,
)
from gateway.recognition.ruleset import Mode, Rule, duration
from gateway.recognition.stated import Stated
from gateway.recognition.units import shown
from gateway.recognition.view import View

_MISSED = {"effective": "RULE_ENDED", "gates": "GATE", "issuers": "ISSUER_ROLE"}
"""The only clause that fails -> reason."""

Looked = tuple[str, str, State, tuple[str, ...]]
"""Reason when suspended, subject, state, statements."""


def covered(view: View) -> Iterator[Reason]:
    """A rule in force covers the claim."""
    chosen = view.selected
    if view.stated is None:
        return
    if chosen.rule is None and chosen.dry is not None:
        yield reason("RULE_DRY_RUN", chosen.dry.id)
    elif chosen.rule is None:
        near, why = chosen.missed or (None, ())
        code = _MISSED.get(why[0], "RULE_MISSING") if len(why) == 1 else "RULE_MISSING"
        yield reason(code, near.id if near else "", observed=", ".join(why))
    elif chosen.rule.mode is Mode.NEVER:
        yield reason("RULE_NEVER", chosen.rule.id, clause=chosen.rule.id)


def suspended(view: View) -> Iterator[Reason]:
    """Facility, laboratory, issuer, commodity or route is suspended at the relevant instant."""
    claim = view.stated
    if claim is None:
        return
    for code, subject, state, where in standings(view, claim):
        if state is State.SUSPENDED:
            yield reason(code, subject, where=where)


def standings(view: View, claim: Stated) -> Iterator[Looked]:
    """Yield what registries say of everything that the claim stands on."""
    for registry in (Registry.PUC, Registry.PHC):
        for code in facilities(claim, registry):
            yield ("FACILITY_SUSPENDED", f"{registry} {code}",
                   *facility_state(view, claim, registry, code))  # fmt: skip
    window = suspension_window(view, claim)
    issuer = claim.evidence.issuer
    yield ("ISSUER_SUSPENDED", issuer.code, *view.state(Registry.ISSUER, issuer.code, window))
    for code in sorted(view.codes):
        yield "COMMODITY_SUSPENDED", code, *view.state(Registry.COMMODITY, code, window)
    for gate in sorted(view.gates):
        route = f"{view.direction}/{gate}"
        yield "ROUTE_SUSPENDED", gate, *view.state(Registry.GATE, gate, window)
        yield "ROUTE_SUSPENDED", route, *view.state(Registry.ROUTE, route, window)
    for each in view.companions:
        if each.result.lab is not None:
            lab, at = each.result.lab, each.result.lab.sampled_at
            when = span(at, each.evidence.issuer.country) if at else each.span
            yield "LAB_SUSPENDED", lab.code, *view.state(Registry.LAB, lab.code, when)


def asked(view: View) -> Iterator[Reason]:
    """What the rule asks for is there."""
    claim, rule = view.stated, view.rule
    if claim is None or rule is None:
        return
    yield from required(view, rule)
    sample = claim.result.sample
    if rule.sample_min is not None and sample is not None and sample.units > 0:
        share = Decimal(sample.sampled) / sample.units
        if share < rule.sample_min:
            yield reason("SAMPLE_FRACTION", "", shown(share), shown(rule.sample_min),
                         clause=f"{rule.id}#sample_min", where=(claim.at("sample"),))  # fmt: skip


def needs_counterpart(rule: Rule) -> bool:
    """Return True when a claim alone does not suffice."""
    return rule.mode in (Mode.REQUIRE_COUNTER_CHECK, Mode.JOINT_INSPECTION)


def counter_checked(view: View) -> Iterator[Reason]:
    """The other side has spoken, where the rule asks for it; if not in time, goods are seen."""
    rule = view.rule
    if view.stated is None or rule is None or not needs_counterpart(rule):
        return
    if not any(confirms(view, rule, seen) for seen in view.others):
        due = counter_check_due(view, rule)
        late = due is not None and view.at >= due
        code = "DEADLINE_PASSED" if late else "COUNTER_CHECK_MISSING"
        yield reason(code, observed=iso(due) if due else "", clause=f"{rule.id}#counter_check")


def confirms(view: View, rule: Rule, seen: Stated) -> bool:
    """Return True for a check of the other side that is deep enough and passed."""
    return (
        seen.result.verdict in PASSING
        and same_question(view, seen)
        and DEPTHS[seen.result.depth] >= DEPTHS[rule.counter_check.min_depth]
        and view.trusted(seen)
    )


def counter_check_due(view: View, rule: Rule) -> datetime | None:
    """Return until when the other side must have spoken: from the arrival, else the issue."""
    if view.stated is None:
        return None
    claim = view.stated.evidence
    start = view.arrival or span(claim.occurred_at, claim.issuer.country)
    return start[1] + duration(rule.counter_check.deadline)


def drawn(view: View) -> Iterator[Reason]:
    """The lot is picked by the draw, or a side did not play."""
    rule, exporter = view.rule, view.exporter
    if view.stated is None or rule is None or exporter is None:
        return
    share = draw.frequency(rule.reinspection, view.history)
    if share <= 0 or any(confirms(view, rule, seen) for seen in view.others):
        return
    if share >= 1:
        yield reason("DRAWN", "every lot", clause=f"{rule.id}#reinspection")
        return
    yield from _draw(view, rule, share, exporter)


def _draw(view: View, rule: Rule, share: Decimal, exporter: Side) -> Iterator[Reason]:
    steps = claim_statements(view, (Kind.COMMIT, Kind.REVEAL))
    own = draw.hand(steps, exporter)
    other = draw.hand(steps, Side.CN if exporter is Side.VN else Side.VN)
    arrived = view.arrival[1] if view.arrival else None
    due = draw.due_of(arrived, duration(rule.reinspection.reveal))
    clause = f"{rule.id}#reinspection"
    if draw.in_time(own, due) and draw.in_time(other, due):
        vn, cn = (own, other) if exporter is Side.VN else (other, own)
        if draw.picked(vn.secret or b"", cn.secret or b"", own.claim, share):
            yield reason("DRAWN", shown(share), clause=clause)
    elif due is not None and view.at >= due and not draw.in_time(own, due):
        yield reason("REVEAL_MISSING", exporter, clause=clause)
    elif due is not None and not lost_by_other(view, due):
        yield reason("DRAW_PENDING", observed=iso(due), clause=clause)


def lost_by_other(view: View, due: datetime) -> bool:
    """Return True when it is on record that the inspecting side did not reveal in time."""
    return view.at >= due and any(
        isinstance(each.body, Deadline)
        and each.body.what == "reveal"
        and span(each.body.due)[0] == due.replace(microsecond=0)
        for each in claim_statements(view, (Kind.DEADLINE,))
    )


def claim_statements(view: View, kinds: Iterable[Kind]) -> list[Evidence]:
    """Return the statements of some kinds that name the claim."""
    wanted = frozenset(kinds)
    return [
        each
        for each in view.case.pool.values()
        if each.kind in wanted
        and (ref := getattr(each.body, "claim", None)) is not None
        and names_claim(ref, view.claim, view.case)
    ]


def conditions(view: View) -> Iterator[Reason]:
    """Recognised goods are bound to what the rule says."""
    if view.stated is not None and view.rule is not None:
        for each in view.rule.conditions:
            yield reason("CONDITION", each, clause=f"{view.rule.id}#conditions")
