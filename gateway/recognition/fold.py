"""The fold: evidence, rule set and instant in, decision out. Nothing else counts.

    outcome = the most severe of all reasons, after adjudication
    local   = the outcome, met with that over the shared evidence and each private statement

Private evidence is applied one statement at a time and only ever met: it cannot raise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec

from gateway.merkle import leaf_hash, root
from gateway.model.bodies import Adjudication, ClaimRef, Inspection, Registry, Standing
from gateway.model.evidence import Evidence, Kind, digest
from gateway.model.values import Canonical
from gateway.recognition import normalise
from gateway.recognition.adjudicate import Settled, settle
from gateway.recognition.cases import Case, cases, claims, names_claim
from gateway.recognition.checks_rule import counter_check_due, needs_counterpart
from gateway.recognition.compare import FieldResult, compare
from gateway.recognition.hs import hs6
from gateway.recognition.judge import judged
from gateway.recognition.lineage import Pool
from gateway.recognition.normalise import bare, iso, span
from gateway.recognition.outcomes import RECOGNISING, Outcome, Reason, meet, ordered, outcome_of
from gateway.recognition.registry import Registries, registries
from gateway.recognition.requirements import PASSING
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.stated import PastCheck
from gateway.recognition.view import View

FOLD = "1"
"""Version of the meaning of this fold. Receipts cite it."""

_DRY = "RULE_DRY_RUN"


class Decision(Canonical, frozen=True, kw_only=True):
    """What a claim is worth, and why. at: RFC 3339, whole seconds, the instant of a shared event.

    evidence: digests of all shared statements that count; root: over them. overlays:
    ADJUDICATED, CONSUMED, DISPUTED, DRY_RUN, POST_RELEASE_ALERT, STALE. would: what a dry run would
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


@dataclass(frozen=True)
class Situation:
    """A pool of statements, sorted into cases and registries once."""

    pool: Pool

    @classmethod
    def of(cls, statements: Iterable[Evidence]) -> "Situation":
        """Make a situation of statements in any order, with doubles."""
        named = {digest(each): each for each in statements}
        return cls({name: named[name] for name in sorted(named)})

    @cached_property
    def shared(self) -> "Situation":
        """Without private statements."""
        return Situation({d: e for d, e in self.pool.items() if not e.private})

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """All cases."""
        return cases(self.pool)

    @cached_property
    def claims(self) -> tuple[ClaimRef, ...]:
        """All claims of all cases."""
        return tuple(claim for case in self.cases for claim in claims(case))

    @cached_property
    def registries(self) -> Registries:
        """What registries say."""
        return registries(self.pool.items())

    @cached_property
    def checks(self) -> tuple[PastCheck, ...]:
        """All checks of one side of the other's goods."""
        return tuple(c for d, e in self.pool.items() for c in _checks(d, e))

    def case_of(self, claim: ClaimRef) -> Case | None:
        """Return the case that a claim names by its id or an alias."""
        names = (claim.case, bare(claim.case))
        return next((c for c in self.cases if not c.names.isdisjoint(names)), None)

    def view(self, case: Case, claim: ClaimRef, rules: RuleSet, at: datetime) -> View:
        """Return what a claim is judged on."""
        return View(case, claim, self.registries, self.checks, rules, at)


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
    around = Situation({**shared.pool, name: each})
    own = next((c for c in around.cases if not c.names.isdisjoint(case.pool)), case)
    if name not in own.pool and not isinstance(each.body, Standing):
        return None
    return _decided(around, own, claim, rules, at).outcome


def _decided(
    situation: Situation, case: Case, claim: ClaimRef, rules: RuleSet, at: datetime
) -> Decision:
    view = situation.view(case, claim, rules, at)
    found = relevant(situation, view)
    reasons = judged(view)
    settled = _settled(view, reasons, found)
    final = ordered(settled.reasons)
    outcome = outcome_of(final)
    due = counter_check_due(view, view.rule) if view.rule and needs_counterpart(view.rule) else None
    return Decision(
        claim=msgspec.structs.replace(claim, case=case.id),
        at=iso(at),
        outcome=outcome,
        reasons=final,
        conditions=view.rule.conditions if view.rule and outcome in RECOGNISING else (),
        vector=compare(view),
        rule=view.rule.id if view.rule else "",
        ruleset=rules.digest,
        root=evidence_root(found),
        evidence=tuple(sorted(found)),
        overlays=_overlays(view, settled, outcome),
        would=_would(settled.reasons),
        deadline=iso(due) if due else "",
    )


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


def _overlays(view: View, settled: Settled, outcome: Outcome) -> tuple[str, ...]:
    found = set(settled.overlays)
    released = view.passages(Kind.RELEASE)
    if released:
        found.add("CONSUMED")
        if outcome not in RECOGNISING or _amended(view):
            found.add("POST_RELEASE_ALERT")
    if view.stated is not None and view.selected.rule is None and view.selected.dry is not None:
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


def relevant(situation: Situation, view: View) -> dict[str, Evidence]:
    """Return all statements that the decision depends on: the root is over these."""
    found = dict(view.case.pool)
    for entry in _entries(view):
        for said in situation.registries.get(entry, ()):
            found[said.digest] = situation.pool[said.digest]
    if view.rule and (
        view.rule.reinspection.reduced is not None or view.rule.reinspection.tightened
    ):
        found.update({check.digest: situation.pool[check.digest] for check in view.past})
    return found


def _entries(view: View) -> set[tuple[Registry, str]]:
    """Return all registry entries that some statement of the case names."""
    found: set[tuple[Registry, str]] = set()
    for each in view.case.pool.values():
        found.add((Registry.ISSUER, bare(each.issuer.code)))
        if each.signer is not None:
            found.add((Registry.KEY, bare(each.signer.key)))
        if isinstance(each.body, Inspection):
            found |= {(Registry.PUC, bare(code)) for code in each.body.parties.growers}
            found |= {(Registry.PHC, bare(code)) for code in each.body.parties.packers}
            found |= {(Registry.LAB, bare(r.lab.code)) for r in each.body.results if r.lab}
    found |= {(Registry.COMMODITY, code) for code in view.codes}
    found |= {(Registry.GATE, gate) for gate in view.gates}
    found |= {(Registry.ROUTE, bare(f"{view.direction}/{gate}")) for gate in view.gates}
    return found


def _checks(name: str, statement: Evidence) -> Iterable[PastCheck]:
    if statement.kind is not Kind.COUNTER_CHECK or not isinstance(statement.body, Inspection):
        return
    packers = frozenset(bare(code) for code in statement.body.parties.packers)
    at = span(statement.occurred_at, statement.issuer.country)[1]
    for each in statement.body.results:
        if packers and (code := hs6(each.goods)):
            yield PastCheck(name, at, statement.side, packers, code, each.verdict in PASSING)
