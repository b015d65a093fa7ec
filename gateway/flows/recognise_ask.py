"""A gate asks: what are the goods of this truck, container, seal or certificate worth?

1 permit  the roles that act at a gate
2 find    statements that have the key, and the cases that they are in
3 decide  each claim anew: at the last shared instant, and as of now
4 show    what both sides agreed on, while it rests on the same statements
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import AccessError, Finding
from gateway.flows.ports import Transaction
from gateway.flows.ports_recognition import ClaimRow
from gateway.flows.recognise import decided, our_side, recognition_of
from gateway.flows.recognise_agree import their_side
from gateway.flows.recognition_keys import asked
from gateway.flows.recognition_pool import Gathered, anchors_near, core_of, gather
from gateway.flows.services import Agency, Services
from gateway.model.evidence import Side
from gateway.recognition.fold import Decision, decide, proof
from gateway.recognition.outcomes import Outcome, meet

ASKING = frozenset({"customs", "quarantine", "border-guard", "operator"})
"""Roles that may ask."""
MOST_FOUND = 1_000
"""Statements with one key; a key with more is not answered."""
MOST_CASES = 50


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim as a gate sees it. holds: what to go by now: never better than what both sides
    agreed on, and what has become of it since. proof: digest that both sides must reproduce.
    receipts: ours and theirs (DSSE), as far as they are about this."""

    decision: Decision
    now: Decision
    holds: Outcome
    agreement: str
    detail: str
    proof: str
    receipts: tuple[tuple[Side, bytes], ...]


def claims_by(services: Services, agency: Agency, kind: str, value: str) -> tuple[ClaimView, ...]:
    """Return the claims of everything that has a key; see the steps above. kind: plate,
    container, seal, certificate. AccessError `forbidden`; UnavailableError `no-recognition`."""
    if agency.role not in ASKING:
        raise AccessError("forbidden", Finding("forbidden", "recognition-role", "", agency.role))
    recognition_of(services)

    def work(tx: Transaction) -> tuple[ClaimView, ...]:
        found: dict[str, ClaimView] = {}
        for gathered in _cases(services, tx, asked(kind, value)):
            for view in _views(services, tx, gathered):
                found[str(view.decision.claim)] = view
        return tuple(found[name] for name in sorted(found))

    return services.store.read(work)


def _cases(services: Services, tx: Transaction, key: tuple[str, str]) -> Iterator[Gathered]:
    """Step 2. What stands alone (a weighing) leads to the documents that it may belong to."""
    model = recognition_of(services).model
    starts, seen = sorted(tx.statements_by([key], MOST_FOUND)), set[str]()
    near = {name for each in starts for name in anchors_near(tx, core_of(tx, [each]), 20)}
    count = 0
    for start in [*starts, *sorted(near - set(starts))]:
        if start in seen or count == MOST_CASES:
            continue
        gathered = gather(tx, [start], model)
        seen |= gathered.core
        count += 1
        if start in starts or _joins(gathered, set(starts)):
            yield gathered


def _joins(gathered: Gathered, starts: set[str]) -> bool:
    """Return True when a case that linking made has one of the statements."""
    cases = gathered.situation.cases
    return any(c.pool.keys() & gathered.core and c.pool.keys() & starts for c in cases)


def _views(services: Services, tx: Transaction, gathered: Gathered) -> Iterator[ClaimView]:
    """Steps 3 and 4."""
    rules, now = recognition_of(services).rules, services.clock()
    shared = gathered.situation.shared
    own = {c.id for c in shared.cases if c.pool.keys() & gathered.core}
    for claim in shared.claims:
        if claim.case not in own:
            continue
        decision = decided(claim, gathered.situation, services)
        today = decide(claim, gathered.situation, rules, now)
        row = tx.claim(str(decision.claim))
        agreed = row if row and _stands(row, decision) else None
        worst = [d.local or d.outcome for d in (decision, today)]
        yield ClaimView(
            decision=decision,
            now=today,
            holds=meet(*worst, *((Outcome(agreed.holds),) if agreed else ())),
            agreement=agreed.agreement if agreed else "",
            detail=agreed.detail if agreed else "",
            proof=proof(decision),
            receipts=_receipts(services, tx, row) if agreed and row else (),
        )


def _stands(row: ClaimRow, decision: Decision) -> bool:
    """Return True while a row is about the same statements and rules."""
    return (row.root, row.ruleset, row.outcome) == (
        decision.root,
        decision.ruleset,
        decision.outcome,
    )


def _receipts(services: Services, tx: Transaction, row: ClaimRow) -> tuple[tuple[Side, bytes], ...]:
    chains = [(s, tx.receipts(row.claim, s)) for s in (our_side(services), their_side(services))]
    return tuple((side, chain[-1].envelope) for side, chain in chains if chain)
