"""The fold: evidence, rule set and instant in, decision out. Nothing else counts.

    outcome = the most severe of all reasons, after adjudication
    local   = the outcome, met with that over the shared evidence and each private statement

Private evidence is applied one statement at a time and only ever met: it cannot raise.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.merkle import leaf_hash, root
from gateway.model.bodies import Adjudication, ClaimRef, Standing
from gateway.model.evidence import Evidence, Kind, digest
from gateway.model.values import Canonical
from gateway.recognition import normalise
from gateway.recognition.adjudicate import Settled, settle
from gateway.recognition.cases import Case, names_claim
from gateway.recognition.checks_rule import counter_check_due, needs_counterpart
from gateway.recognition.compare import by_place, compare
from gateway.recognition.judge import judged
from gateway.recognition.normalise import iso, span
from gateway.recognition.outcomes import RECOGNISING, Outcome, Reason, meet, ordered, outcome_of
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.situation import Situation, relevant
from gateway.recognition.vector import FieldResult
from gateway.recognition.view import View

FOLD = "1"
"""Version of the meaning of this fold. Receipts cite it."""

_DRY = "RULE_DRY_RUN"


class Decision(Canonical, frozen=True, kw_only=True):
    """What a claim is worth, and why. at: RFC 3339, whole seconds, the instant of a shared event.

    evidence: digests of all shared statements that count; root: over them. overlays:
    ADJUDICATED, CONSUMED, DRY_RUN, POST_RELEASE_ALERT, STALE. would: what a dry run would
    say. deadline: until when the other side must speak. local, withheld: after private
    evidence, with its commitments; not part of the proof.
    """

    claim: ClaimRef
    at: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    conditions: tuple[str, ...]
    vector: tuple[FieldResult, ...]
    rule: str
    ruleset: str
    root: str
    evidence: tuple[str, ...]
    overlays: tuple[str, ...] = ()
    would: Outcome | None = None
    deadline: str = ""
    fold: str = FOLD
    local: Outcome | None = None
    withheld: tuple[str, ...] = ()


def proof(decision: Decision) -> str:
    """Return the digest that both sides must reproduce: without what is local."""
    return digest(msgspec.structs.replace(decision, local=None, withheld=()))


def evidence_root(digests: Iterable[str]) -> str:
    """Return the RFC 9162 root over sorted digests (leaves: their octets), hex."""
    return root([leaf_hash(bytes.fromhex(each)) for each in sorted(set(digests))]).hex()


def decide(claim: ClaimRef, situation: Situation, rules: RuleSet, at: datetime) -> Decision:
    """Return what a claim is worth. LookupError for a claim that no statement makes.

    at: whole seconds count.
    """
    at = at.replace(microsecond=0)
    shared = situation.shared
    case = shared.case_of(claim)
    if case is None:
        raise LookupError(str(claim))
    claim = msgspec.structs.replace(claim, case=case.id)
    decision = _decided(shared, case, claim, rules, at)
    hidden = {d: e for d, e in situation.pool.items() if e.private}
    if not hidden:
        return decision
    lowered = {
        name: outcome
        for name, each in sorted(hidden.items())
        if (outcome := _with(shared, case, claim, (name, each), rules, at)) is not None
    }
    local = meet(decision.outcome, *lowered.values())
    if local is decision.outcome:
        return decision
    withheld = tuple(
        n for n, o in lowered.items() if meet(o, decision.outcome) is not decision.outcome
    )
    return msgspec.structs.replace(decision, local=local, withheld=withheld)


def decide_all(situation: Situation, rules: RuleSet, at: datetime) -> tuple[Decision, ...]:
    """Return the decisions of all claims, in their order."""
    return tuple(decide(claim, situation, rules, at) for claim in situation.shared.claims)


def _with(
    shared: Situation, case: Case, claim: ClaimRef, hidden: tuple[str, Evidence],
    rules: RuleSet, at: datetime,
) -> Outcome | None:  # fmt: skip
    """Return the outcome with one private statement, when that is about the case."""
    name, each = hidden
    around = shared.around(case, name, each)
    own = next((c for c in around.cases if not c.names.isdisjoint(case.pool)), case)
    if name not in own.pool and not isinstance(each.body, Standing):
        return None
    return _decided(around, own, claim, rules, at).outcome


def _decided(
    situation: Situation, case: Case, claim: ClaimRef, rules: RuleSet, at: datetime
) -> Decision:
    views = situation.views(case, claim, rules, at)
    view = views[0]
    found = {name: each for one in views for name, each in relevant(situation, one).items()}
    settled = _settled(view, [r for one in views for r in judged(one)], found)
    final = ordered(settled.reasons)
    outcome = outcome_of(final)
    held = sorted({one.rule.id: one.rule for one in views if one.rule}.items())
    conditions = sorted({each for _, rule in held for each in rule.conditions})
    return Decision(
        claim=msgspec.structs.replace(claim, case=case.id),
        at=iso(at),
        outcome=outcome,
        reasons=final,
        conditions=tuple(conditions) if outcome in RECOGNISING else (),
        vector=tuple(sorted({r for one in views for r in compare(one)}, key=by_place)),
        rule=", ".join(name for name, _ in held),
        ruleset=rules.digest,
        root=evidence_root(found),
        evidence=tuple(sorted(found)),
        overlays=_overlays(views, settled, outcome),
        would=_would(settled.reasons),
        deadline=_deadline(views),
    )


def _deadline(views: Iterable[View]) -> str:
    """Return until when the other side must speak: of several rules the earliest instant."""
    due = [
        at
        for view in views
        if view.rule and needs_counterpart(view.rule)
        if (at := counter_check_due(view, view.rule)) is not None
    ]
    return iso(min(due)) if due else ""


def _settled(view: View, reasons: Iterable[Reason], found: Mapping[str, Evidence]) -> Settled:
    """Apply what persons decided about this claim and did not take back."""
    words = [
        (name, each)
        for name, each in found.items()
        if isinstance(each.body, Adjudication)
        and names_claim(each.body.claim, view.claim, view.case)
        and not (each.doc and _withdrawn(view, each))
    ]
    seen = evidence_root(d for d, e in found.items() if not isinstance(e.body, Adjudication))
    return settle(reasons, words, seen, view.at, newer=_newer(view))


def _withdrawn(view: View, word: Evidence) -> bool:
    document = view.documents.get(normalise.doc(word.doc)) if word.doc else None
    return document is not None and "STATUS_WITHDRAWN" in document.ends


def _newer(view: View) -> bool:
    """Return True when every document that is equivocal has a later, single version."""
    return all(
        max(document.versions) > view.case.pool[name].version
        for document in view.documents.values()
        for digests in document.versions.values()
        for name in digests & view.equivocal
    )


def _overlays(views: Sequence[View], settled: Settled, outcome: Outcome) -> tuple[str, ...]:
    found = set(settled.overlays)
    if views[0].passages(Kind.RELEASE):
        found.add("CONSUMED")
        if outcome not in RECOGNISING or _amended(views[0]):
            found.add("POST_RELEASE_ALERT")
    if any(view.selected.rule is None and view.selected.dry is not None for view in views):
        found.add("DRY_RUN")
    return tuple(sorted(found))


def _amended(view: View) -> bool:
    """Return True when the claim was amended after its release, which that does not change."""
    released = min(
        span(e.occurred_at, e.issuer.country)[1] for _, e, _ in view.passages(Kind.RELEASE)
    )
    return any(
        span(s.evidence.stated_at, s.evidence.issuer.country)[0] > released for s in view.claiming
    )


def _would(reasons: Iterable[Reason]) -> Outcome | None:
    """Return what a dry run would say."""
    reasons = list(reasons)
    if not any(r.code == _DRY for r in reasons):
        return None
    return outcome_of(r for r in reasons if r.code != _DRY)
