"""Which rule holds for a claim: exclusion first, then the most specific. Never a score.

A rule holds only when every clause of its scope holds. Among those, the longest HS code wins,
then a stated organism, state, gate and issuer. Two rules that could tie are refused at load.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from gateway.model.inspection import AuthorityRef, InspectionType
from gateway.model.manifest import Direction
from gateway.recognition.normalise import bare, text
from gateway.recognition.ruleset import IssuerClause, Rollout, Rule, RuleSet

_ZONES = {
    # Whole days of a rule are days of the importing side, whose law it is.
    Direction.VN_CN: timezone(timedelta(hours=8)),
    Direction.CN_VN: timezone(timedelta(hours=7)),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a scope is compared with. gates: all that the case names."""

    direction: Direction | None
    type: InspectionType
    hs: frozenset[str]
    eppo: str
    state: str
    gates: frozenset[str]
    origin: str
    issuer: AuthorityRef
    at: datetime


@dataclass(frozen=True, slots=True)
class Selected:
    """The rule that holds. dry: one that would hold. missed: why the nearest one does not."""

    rule: Rule | None = None
    dry: Rule | None = None
    missed: tuple[Rule, tuple[str, ...]] | None = None


def in_force(rule: Rule, facts: Facts) -> bool:
    """Return True when the law applies on that day and the rule was published by then."""
    day = day_of(rule.direction, facts.at)
    return rule.effective.start <= day <= rule.effective.end and rule.published <= day


def day_of(direction: Direction, at: datetime) -> date:
    """Return the day of an instant in the importing country."""
    return at.astimezone(_ZONES[direction]).date()


def covers_goods(rule: Rule, facts: Facts) -> bool:
    """Return True when a code of the rule begins the code of the goods, in any edition."""
    return any(code.startswith(prefix) for code in facts.hs for prefix in rule.scope.hs)


def issued_by(clause: IssuerClause, issuer: AuthorityRef) -> bool:
    """Return True when an authority is the one of the clause."""
    return (
        text(clause.country) == text(issuer.country)
        and clause.role is issuer.role
        and (not clause.code or bare(clause.code) == bare(issuer.code))
    )


CLAUSES: dict[str, Callable[[Rule, Facts], bool]] = {
    "goods": covers_goods,
    "direction": lambda rule, facts: rule.direction is facts.direction,
    "type": lambda rule, facts: facts.type in rule.types,
    "eppo": lambda rule, facts: not rule.scope.eppo or facts.eppo in rule.scope.eppo,
    "state": lambda rule, facts: not rule.scope.state or rule.scope.state == text(facts.state),
    "origin": lambda rule, facts: not rule.scope.origin or rule.scope.origin == text(facts.origin),
    "gates": lambda rule, facts: (
        not rule.scope.gates or bool(facts.gates & {bare(gate) for gate in rule.scope.gates})
    ),
    "issuers": lambda rule, facts: any(issued_by(c, facts.issuer) for c in rule.issuers),
    "effective": in_force,
}
"""Clause -> whether it holds."""


def specificity(rule: Rule) -> tuple[int, bool, bool, bool, bool]:
    """Return what makes a rule win: more is more specific."""
    scope = rule.scope
    return (
        max(len(code) for code in scope.hs),
        bool(scope.eppo),
        bool(scope.state),
        bool(scope.gates),
        any(clause.code for clause in rule.issuers),
    )


def select(rules: RuleSet, facts: Facts) -> Selected:
    """Return the rule for a claim, or why there is none."""
    failed = [(rule, failing(rule, facts)) for rule in rules.rules]
    live = _best(rule for rule, why in failed if not why and rule.rollout is Rollout.LIVE)
    dry = _best(rule for rule, why in failed if not why and rule.rollout is Rollout.DRY_RUN)
    if live or dry:
        return Selected(rule=live, dry=dry)
    near = [(rule, why) for rule, why in failed if not {"goods", "direction", "type"} & set(why)]
    missed = min(near, key=lambda each: (len(each[1]), each[0].id), default=None)
    return Selected(missed=missed)


def failing(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """Return the clauses that do not hold."""
    return tuple(name for name, holds in CLAUSES.items() if not holds(rule, facts))


def _best(rules: Iterable[Rule]) -> Rule | None:
    return max(rules, key=lambda rule: (specificity(rule), rule.id), default=None)


def ties(rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
    """Return pairs that could hold for one claim with equal specificity."""
    return [
        (left, right)
        for number, left in enumerate(rules)
        for right in rules[number + 1 :]
        if left.rollout is right.rollout
        and specificity(left) == specificity(right)
        and overlap(left, right)
    ]


def overlap(left: Rule, right: Rule) -> bool:
    """Return True when some claim could satisfy both scopes."""
    return (
        left.direction is right.direction
        and bool(set(left.types) & set(right.types))
        and left.effective.start <= right.effective.end
        and right.effective.start <= left.effective.end
        and any(a.startswith(b) or b.startswith(a) for a in left.scope.hs for b in right.scope.hs)
        and _meets(left.scope.eppo, right.scope.eppo)
        and _meets(left.scope.gates, right.scope.gates)
        and _meets((left.scope.state,), (right.scope.state,))
        and _meets((left.scope.origin,), (right.scope.origin,))
        and any(_one_issuer(a, b) for a in left.issuers for b in right.issuers)
    )


def _meets(left: Iterable[str], right: Iterable[str]) -> bool:
    ours, theirs = set(left) - {""}, set(right) - {""}
    return not ours or not theirs or bool(ours & theirs)


def _one_issuer(left: IssuerClause, right: IssuerClause) -> bool:
    return (
        text(left.country) == text(right.country)
        and left.role is right.role
        and _meets((left.code,), (right.code,))
    )
