"""What would change: decisions of the same claims under other rules or with other evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.model.bodies import ClaimRef
from gateway.model.evidence import Evidence, Kind
from gateway.recognition.fold import Decision, decide
from gateway.recognition.normalise import span
from gateway.recognition.outcomes import RANK
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.situation import Situation


@dataclass(frozen=True, slots=True)
class Effect:
    """A claim before and after. better: less severe after."""

    claim: ClaimRef
    before: Decision
    after: Decision

    @property
    def changed(self) -> bool:
        """True when outcome, reasons or conditions differ."""
        return _meaning(self.before) != _meaning(self.after)

    @property
    def better(self) -> bool:
        """True when the outcome is less severe after the change."""
        return RANK[self.after.outcome] > RANK[self.before.outcome]


def what_if(
    situation: Situation,
    rules: RuleSet,
    at: datetime,
    *,
    other_rules: RuleSet | None = None,
    more: Iterable[Evidence] = (),
) -> tuple[Effect, ...]:
    """Return the effect of other rules, more evidence, or both, on every claim at an instant."""
    added = list(more)
    after = Situation.of([*situation.pool.values(), *added]) if added else situation
    return tuple(
        Effect(
            claim,
            decide(claim, situation, rules, at),
            decide(claim, after, other_rules or rules, at),
        )
        for claim in situation.shared.claims
    )


def outcome_changed(before: Decision, after: Decision) -> bool:
    """Return True when outcome, reasons or conditions differ: only then is there news."""
    return _meaning(before) != _meaning(after)


def _meaning(decision: Decision) -> tuple[object, ...]:
    return decision.outcome, decision.reasons, decision.conditions, decision.local


def shared_instants(statements: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the statements whose instants both sides may decide at: arrivals and deadlines."""
    return tuple(s for s in statements if s.kind in (Kind.ARRIVAL, Kind.DEADLINE))


def replayed(situation: Situation, rules: RuleSet) -> list[Decision]:
    """Return the decisions of all claims at every shared instant, where they are news.

    At each instant only what was stated by then counts: what the gateways knew in the ideal
    case of no delay.
    """
    instants = sorted({_stated(e) for e in situation.pool.values() if e.kind in _SHARED})
    last: dict[str, Decision] = {}
    found: list[Decision] = []
    for at in instants:
        known = Situation({d: e for d, e in situation.pool.items() if _stated(e) <= at})
        for claim in known.shared.claims:
            decision = decide(claim, known, rules, at)
            before = last.get(str(decision.claim))
            if before is None or outcome_changed(before, decision):
                found.append(decision)
                last[str(decision.claim)] = decision
    return found


_SHARED = frozenset(Kind) - {Kind.LINK, Kind.UNLINK, Kind.COMMIT}


def _stated(statement: Evidence) -> datetime:
    return span(statement.stated_at, statement.issuer.country)[1]
