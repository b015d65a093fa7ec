"""What a rule asks for: each requirement gives reasons, or nothing when it is met."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from gateway.model.bodies import Registry
from gateway.model.inspection import Declaration, Depth, InspectionType, Observation, Verdict
from gateway.recognition.declarations import matches
from gateway.recognition.normalise import Span, bare, span, text
from gateway.recognition.outcomes import Reason, reason
from gateway.recognition.registry import State
from gateway.recognition.ruleset import (
    DeclarationRequired,
    DocumentRequired,
    Instant,
    LabRequired,
    RegistryRequired,
    Requirement,
    Rule,
    Schedule,
    TemperatureRequired,
    TreatmentRequired,
    duration,
)
from gateway.recognition.select import day_of
from gateway.recognition.stated import Stated
from gateway.recognition.units import amount, celsius, seconds, shown
from gateway.recognition.view import View

DEPTHS = {depth: rank for rank, depth in enumerate(Depth)}
PASSING = frozenset((Verdict.PASS, Verdict.PASS_WITH_REMARKS))


def required(view: View, rule: Rule) -> Iterator[Reason]:
    """Yield a reason for each requirement that is not met."""
    claim = view.stated
    if claim is None:
        return
    day = day_of(rule.direction, (view.arrival or (view.at, view.at))[1])
    for need in rule.requires:
        if (need.start and day < need.start) or (need.end and day > need.end):
            continue
        clause = f"{rule.id}#{need.id}"
        yield from CHECKS[type(need)](view, claim, need, clause)


def _document(view: View, _: Stated, need: DocumentRequired, clause: str) -> Iterator[Reason]:
    found = [s for s in view.companions if s.result.type is need.type]
    if not found:
        yield reason("DOCUMENT_MISSING", str(need.type), clause=clause)
        return
    deep = [s for s in found if DEPTHS[s.result.depth] >= DEPTHS[need.min_depth]]
    if not deep:
        stated = ", ".join(sorted({s.result.depth for s in found}))
        yield reason(
            "DEPTH", str(need.type), stated, need.min_depth, clause=clause, where=_where(found)
        )
    if need.max_age and not any(young(view, each, need.max_age) for each in deep or found):
        yield reason("AGE", str(need.type), "", need.max_age, clause=clause, where=_where(found))


def young(view: View, stated: Stated, max_age: str) -> bool:
    """Return True when the age at arrival, or now, is no more than allowed.

    The clock allowance of the rule is added.
    """
    end = (view.arrival or (view.at, view.at))[0]
    issued = span(stated.evidence.occurred_at, stated.evidence.issuer.country)
    return end - issued[1] <= duration(max_age) + view.clock


def _registry(view: View, claim: Stated, need: RegistryRequired, clause: str) -> Iterator[Reason]:
    registry = Registry(need.registry)
    codes = facilities(claim, registry)
    if not codes:
        yield reason("FACILITY_NOT_STATED", need.registry, clause=clause)
    for code in codes:
        state, where = facility_state(view, claim, registry, code, need.by)
        if state is State.UNKNOWN:
            yield reason("FACILITY_UNKNOWN", f"{need.registry} {code}", clause=clause, where=where)


def facilities(claim: Stated, registry: Registry) -> tuple[str, ...]:
    """Return the growers or packers of a document."""
    parties = claim.inspection.parties
    return parties.growers if registry is Registry.PUC else parties.packers


def facility_state(
    view: View, claim: Stated, registry: Registry, code: str, by: tuple[str, ...] = ()
) -> tuple[State, tuple[str, ...]]:
    """Return what a registry says at the instant that the rule names."""
    return view.state(registry, code, suspension_window(view, claim), view.codes, by)


def suspension_window(view: View, claim: Stated) -> Span:
    """Return when an entry must be in order: at the rule's instant; from issue to now while
    that instant is not known."""
    issued = span(claim.evidence.occurred_at, claim.evidence.issuer.country)
    basis = view.rule.suspension if view.rule else Instant.DEPARTURE
    known = {
        Instant.ISSUE: issued,
        Instant.DEPARTURE: view.departure,
        Instant.ARRIVAL: view.arrival,
    }
    return known[basis] or (min(issued[0], view.at), max(issued[1], view.at))


def _declaration(
    view: View, claim: Stated, need: DeclarationRequired, clause: str
) -> Iterator[Reason]:
    stated = [d for each in view.companions for d in each.inspection.declarations]
    if not stated:
        yield reason("DECLARATION_MISSING", ", ".join(need.templates), clause=clause)
    elif not any(declared(view, d, need.templates) for d in stated):
        where = (f"{claim.digest}#$.body.declarations",)
        yield reason("DECLARATION_TEXT", ", ".join(need.templates), clause=clause, where=where)


def declared(view: View, declaration: Declaration, templates: tuple[str, ...]) -> bool:
    """Return True when the wording is one of the templates. Its stated name proves nothing."""
    return any(
        matches(template, declaration.text)
        for template in view.rules.templates
        if template.id in templates
    )


def _laboratory(view: View, claim: Stated, need: LabRequired, clause: str) -> Iterator[Reason]:
    reports = [
        (each, found)
        for each in view.companions
        if each.result.type in (InspectionType.LAB, InspectionType.FOOD_SAFETY) and each.result.lab
        for found in each.result.observations
        if bare(found.code) == bare(need.analyte)
    ]
    if not reports:
        yield reason("LAB_MISSING", need.analyte, clause=clause)
        return
    where = _where([each for each, _ in reports])
    if not all(within(found, need) for _, found in reports):
        values = ", ".join(sorted(_measured(found) for _, found in reports))
        limit = _amount(need.limit) if need.limit else "not detected"
        yield reason("ANALYTE_LIMIT", need.analyte, values, limit, clause=clause, where=where)
    good = [each for each, _ in reports if recognised_lab(view, each, need.by)]
    if not good:
        yield reason("LAB_NOT_RECOGNISED", need.analyte, clause=clause, where=where)
    elif not any(covers_lots(each, claim) for each in good):
        yield reason("LAB_LOT", need.analyte, clause=clause, where=where)
    elif not any(in_time(view, each) for each in good):
        yield reason("DATE_ORDER", f"{need.analyte} report", clause=clause, where=where)


def within(found: Observation, need: LabRequired) -> bool:
    """Return True when a measured value is under the limit; without a limit, under the LOD."""
    limit = need.limit or found.lod
    if found.measured is None:
        return need.limit is None or (found.lod is not None and _at_most(found.lod, need.limit))
    return limit is not None and _at_most(found.measured, limit)


def _at_most(left: Any, right: Any) -> bool:
    (value, unit), (limit, other) = amount(left), amount(right)
    return unit == other and value <= limit


def _measured(found: Observation) -> str:
    return _amount(found.measured) if found.measured else "not detected"


def _amount(measure: Any) -> str:
    value, unit = amount(measure)
    return f"{shown(value)} {unit}"


def recognised_lab(view: View, stated: Stated, by: tuple[str, ...] = ()) -> bool:
    """Return True when the laboratory was registered, and not suspended, when it sampled."""
    lab = stated.result.lab
    if lab is None:
        return False
    at = span(lab.sampled_at, stated.evidence.issuer.country) if lab.sampled_at else stated.span
    passing = stated.result.verdict in PASSING
    return passing and view.state(Registry.LAB, lab.code, at, by=by)[0] is State.GOOD


def covers_lots(stated: Stated, claim: Stated) -> bool:
    """Return True when the report covers every lot of the claim."""
    lots = {bare(lot) for lot in claim.result.goods.lots}
    covered = {bare(lot) for lot in (stated.result.lab.lots if stated.result.lab else ())}
    return lots <= covered


def in_time(view: View, stated: Stated) -> bool:
    """Return True when the report came before the departure."""
    lab = stated.result.lab
    if lab is None or lab.reported_at is None or view.departure is None:
        return True
    return span(lab.reported_at, stated.evidence.issuer.country)[0] <= view.departure[1]


def _treatment(view: View, _: Stated, need: TreatmentRequired, clause: str) -> Iterator[Reason]:
    done = [(s, t) for s in view.companions for t in s.result.treatments]
    kinds = {text(row.type) for row in need.schedules}
    own = [(s, t) for s, t in done if text(t.type) in kinds]
    subject = ", ".join(sorted(kinds))
    if not own:
        yield reason("TREATMENT_MISSING", subject, clause=clause)
    elif not any(treated(t, row) for _, t in own for row in need.schedules):
        where = _where([s for s, _ in own])
        yield reason("TREATMENT_SCHEDULE", subject, clause=clause, where=where)


def treated(treatment: Any, row: Schedule) -> bool:
    """Return True when a treatment satisfies a row of the table."""
    wanted = (
        (treatment.dose, row.dose_min, _dosed, amount),
        (treatment.duration, row.duration_min, lambda have, want: have >= want, seconds),
        (treatment.temperature, row.temperature_min, lambda have, want: have >= want, celsius),
        (treatment.temperature, row.temperature_max, lambda have, want: have <= want, celsius),
    )
    return (
        text(treatment.type) == text(row.type)
        and (not row.agent or text(treatment.agent) == text(row.agent))
        and all(_meets(have, want, holds, unit) for have, want, holds, unit in wanted)
    )


def _meets(
    have: Any, want: Any, holds: Callable[[Any, Any], bool], unit: Callable[[Any], Any]
) -> bool:
    if want is None:
        return True
    left, right = unit(have) if have is not None else None, unit(want)
    return left is not None and right is not None and holds(left, right)


def _dosed(have: tuple[Decimal, str], want: tuple[Decimal, str]) -> bool:
    return have[1] == want[1] and have[0] >= want[0]


def _temperature(view: View, _: Stated, need: TemperatureRequired, clause: str) -> Iterator[Reason]:
    logs = [s for s in view.companions if s.result.type is InspectionType.TEMPERATURE]
    values = [celsius(o.measured) for s in logs for o in s.result.observations]
    highest, limit = max((v for v in values if v is not None), default=None), celsius(need.highest)
    if highest is None:
        yield reason("DOCUMENT_MISSING", str(InspectionType.TEMPERATURE), clause=clause)
    elif limit is not None and highest > limit:
        at_most = f"{shown(limit)} CEL"
        found = f"{shown(highest)} CEL"
        yield reason("TEMP_LOG", "", found, at_most, clause=clause, where=_where(logs))


def _where(stated: list[Stated]) -> tuple[str, ...]:
    return tuple(f"{each.digest}#{each.path}" for each in stated)


CHECKS: dict[type[Requirement], Callable[[View, Stated, Any, str], Iterator[Reason]]] = {
    DocumentRequired: _document,
    RegistryRequired: _registry,
    DeclarationRequired: _declaration,
    LabRequired: _laboratory,
    TreatmentRequired: _treatment,
    TemperatureRequired: _temperature,
}
"""Requirement -> what is not met."""
