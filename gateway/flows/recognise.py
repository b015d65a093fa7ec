"""A statement about inspected goods comes in; what it changes is decided anew.

    1 read    canonical JSON, strict; nothing from the future
    2 bind    the side and the country are those of who says it
    3 store   once, by its digest, with what it is found by and its row of evidence
    4 find    the cases that it touches (gateway.flows.recognition_pool)
    5 decide  each claim of them, at the instant of the last shared statement that counts
    6 keep    the projection, a row of evidence where an outcome changed, doubtful links

The outcome is a function of the statements: the projection can be dropped and made again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

import msgspec
import structlog

from gateway.errors import AccessError, DocumentError, Finding, TrustError, UnavailableError
from gateway.flows.ports import Transaction
from gateway.flows.ports_recognition import ClaimRow, Doubt, KeptStatement
from gateway.flows.recognition_keys import entry_of, keys_of
from gateway.flows.recognition_pool import MOST, Gathered, anchors_near, core_of, gather
from gateway.flows.record import step
from gateway.flows.services import Agency, Recognition, Services
from gateway.model.bodies import Adjudication, ClaimRef, Link, Standing
from gateway.model.evidence import Evidence, Kind, Side, canonical, digest, read_evidence
from gateway.recognition.deadlines import deadlines
from gateway.recognition.fold import Decision, decide, proof
from gateway.recognition.lineage import CLAIMING
from gateway.recognition.normalise import span
from gateway.recognition.outcomes import Outcome
from gateway.recognition.receipt import instant
from gateway.recognition.situation import Situation

FORMAT = "inspection.evidence"
"""The format that an agency must be permitted to submit."""
AT_ONCE = 20
"""Cases decided in one commit."""

log = structlog.get_logger("gateway.recognise")


def recognition_of(services: Services) -> Recognition:
    """Return the rules and the table of linking. UnavailableError, rule `no-recognition`."""
    if services.recognition is None:
        raise UnavailableError("unavailable", Finding("unavailable", "no-recognition"))
    return services.recognition


def our_side(services: Services) -> Side:
    """Return the side that we speak for."""
    return Side(services.side.upper())


def submit_statement(services: Services, agency: Agency, content: bytes) -> tuple[str, bool]:
    """Take a statement of an agency; return its digest, and whether it is new.

    AccessError (format), DocumentError, TrustError; see the steps above.
    """
    recognition_of(services)
    if FORMAT not in agency.formats:
        raise AccessError("forbidden", Finding("forbidden", "format", "", FORMAT))
    statement = read_evidence(content)
    check_statement(services, statement, our_side(services))
    return take(services, statement, agency.name, None)


def check_statement(services: Services, statement: Evidence, side: Side) -> None:
    """Steps 1 and 2. side: of who says it."""
    found = (statement.side, statement.issuer.country)
    if found != (side, side):
        finding = Finding("party-mismatch", "statement-side", "issuer", " ".join(found), side)
        raise TrustError("party-mismatch", finding)
    _check_author(statement, side)
    latest = services.clock() + services.limits.future
    for name, moment in (
        ("statedAt", statement.stated_at),
        ("occurredAt", statement.occurred_at),
    ):
        if span(moment, statement.issuer.country)[0] > latest:
            finding = Finding("future-dated", "statement-time", name, moment.local)
            raise TrustError("future-dated", finding)


def _check_author(statement: Evidence, side: Side) -> None:
    """Refuse what nobody states, and who speaks for others."""
    if statement.kind is Kind.DEADLINE:
        _refuse("statement-machine", "kind", statement.kind)
    if isinstance(statement.body, Link) and statement.body.by != "person":
        _refuse("statement-machine", "body.by", statement.body.by)
    if isinstance(statement.body, Adjudication):
        for officer in statement.body.officers:  # nobody speaks for the other side's officers
            if officer.country != side:
                _refuse("statement-officers", "body.officers", officer.country)


def _refuse(rule: str, path: str, found: str) -> NoReturn:
    raise DocumentError("rule-broken", Finding("rule-broken", rule, path, found))


def take(
    services: Services, statement: Evidence, party: str, envelope: bytes | None
) -> tuple[str, bool]:
    """Steps 3 to 6. envelope: as the counterpart signed it; None for what an agency says."""
    name, now = digest(statement), services.clock()
    kept = KeptStatement(
        name,
        statement.side,
        party,
        now,
        statement.private,
        canonical(statement),
        envelope,
        now if envelope or statement.kind is Kind.DEADLINE else None,
    )
    facts = {
        "statement": name,
        "kind": statement.kind,
        "side": statement.side,
        "party": party,
        "envelope": hashlib.sha256(envelope).hexdigest() if envelope else "",
    }
    row = step(services, "recognition-statement", "", now, facts)

    def work(tx: Transaction) -> bool:
        if not tx.keep_statement(kept, keys_of(name, statement)):
            if envelope:  # the other side has it, too
                tx.set_delivered([name], now)
            return False
        row.write(tx)
        return True

    new = services.store.commit(work)
    if new:
        decide_touched(services, name, statement)
    return name, new


def decide_touched(services: Services, name: str, statement: Evidence) -> None:
    """Steps 4 to 6, some cases in each commit: one statement can touch many (a suspension)."""
    starts = services.store.read(lambda tx: touched(tx, services, name, statement))
    for first in range(0, len(starts), AT_ONCE):
        part = starts[first : first + AT_ONCE]
        services.store.commit(lambda tx, part=part: decide_cases(services, tx, part))  # type: ignore[misc]


def touched(
    tx: Transaction, services: Services, name: str, statement: Evidence
) -> list[frozenset[str]]:
    """Step 4: of each case that a statement touches, its statements."""
    most = recognition_of(services).model.most_block
    if isinstance(statement.body, Standing):
        starts = sorted(tx.statements_by([("names", entry_of(statement.body))], MOST))
    else:
        core = core_of(tx, [name])
        certain = any(each.kind in CLAIMING for each in core.values())
        starts = [name, *(() if certain else anchors_near(tx, core, most))]
    found: list[frozenset[str]] = []
    for start in starts:
        if not any(start in core for core in found):
            found.append(frozenset(core_of(tx, [start])))
    return found


def decide_cases(services: Services, tx: Transaction, starts: Iterable[frozenset[str]]) -> None:
    """Steps 5 and 6 for some cases."""
    for start in starts:
        refresh(services, tx, gather(tx, start, recognition_of(services).model))


def refresh(services: Services, tx: Transaction, gathered: Gathered) -> tuple[ClaimRow, ...]:
    """Decide the claims of what was gathered and keep the projection; return its rows."""
    rules, now = recognition_of(services).rules, services.clock()
    situation, rows, names = gathered.situation.shared, list[ClaimRow](), set[str]()
    for case in situation.cases:
        if case.pool.keys().isdisjoint(gathered.core):
            continue
        names |= case.names | gathered.core
        for claim in (c for c in situation.claims if c.case == case.id):
            decision = decided(claim, gathered.situation, services)
            before = tx.claim(str(decision.claim))
            row = _row(decision, before, now)
            rows.append(row)
            if before is None or not _same(before, row):
                _tell(services, tx, decision, rules.digest, now)
    tx.put_claims(sorted(names), rows)
    tx.put_doubts(
        [
            Doubt(p.left, p.right, p.score, p.lead, p.why, " ".join(p.features), now)
            for p in gathered.linked.doubts
        ]
    )
    return tuple(rows)


def decided(claim: ClaimRef, situation: Situation, services: Services) -> Decision:
    """Decide a claim at the instant of the last shared statement that counts for it: the same
    on both sides, when they have the same statements and rules."""
    rules = recognition_of(services).rules
    case = situation.shared.case_of(claim)
    if case is None:
        raise LookupError(str(claim))
    at = _last(case.pool.values())
    decision = decide(claim, situation, rules, at)
    for _ in range(3):  # what counts can depend on the instant
        then = _last(situation.pool[name] for name in decision.evidence)
        if then == at:
            break
        at = then
        decision = decide(claim, situation, rules, at)
    return decision


def _last(statements: Iterable[Evidence]) -> datetime:
    last = max(span(each.stated_at, each.issuer.country)[1] for each in statements)
    return last.replace(microsecond=0)


def _row(decision: Decision, before: ClaimRow | None, now: datetime) -> ClaimRow:
    """Return the row of a claim. What was agreed on the same evidence and rules stands."""
    due = instant(decision.deadline) if decision.outcome is Outcome.PENDING_COUNTERPART else None
    row = ClaimRow(
        claim=str(decision.claim),
        case_id=decision.claim.case,
        outcome=decision.outcome,
        root=decision.root,
        ruleset=decision.ruleset,
        agreement="",
        holds=decision.local or decision.outcome,
        detail="",
        due=int(due.timestamp()) if due else 0,
        updated=now,
        decision=canonical(decision),
    )
    if before is None or not _same(before, row):
        return row
    return replace(row, agreement=before.agreement, detail=before.detail)


def _same(before: ClaimRow, row: ClaimRow) -> bool:
    return (before.root, before.ruleset, before.outcome) == (row.root, row.ruleset, row.outcome)


def _tell(
    services: Services, tx: Transaction, decision: Decision, ruleset: str, now: datetime
) -> None:
    facts = {
        "claim": str(decision.claim),
        "outcome": decision.outcome,
        "at": decision.at,
        "proof": proof(decision),
        "root": decision.root,
        "ruleset": ruleset,
    }
    step(services, "recognition-outcome", "", now, facts).write(tx)
    log.info("recognition-outcome", claim=str(decision.claim), outcome=str(decision.outcome))


def read_decision(row: ClaimRow) -> Decision:
    """Return the decision that a row keeps."""
    return msgspec.json.decode(row.decision, type=Decision)


def pass_deadlines(services: Services, rows: Iterable[ClaimRow]) -> int:
    """State the deadlines of claims that have passed; return how many. They are made from
    claim, rule and evidence alone, so both sides make the same; none is sent, or believed of
    anybody else."""
    recognition, now, count = recognition_of(services), services.clock(), 0
    for row in rows:
        claim = read_decision(row).claim
        start = services.store.read(lambda tx, name=row.case_id: starts_of(tx, name))  # type: ignore[misc]
        situation = services.store.read(
            lambda tx, start=start: gather(tx, start, recognition.model).situation  # type: ignore[misc]
        )
        for made in deadlines(claim, situation, recognition.rules, now):
            if span(made.stated_at)[1] <= now:
                count += take(services, made, services.name, None)[1]
    return count


def overdue(services: Services, most: int = 100) -> tuple[ClaimRow, ...]:
    """Return claims with a deadline that has passed."""
    until = int(services.clock().timestamp())
    return services.store.read(lambda tx: tx.due_claims(until, most))


def starts_of(tx: Transaction, case: str) -> frozenset[str]:
    """Return statements of the case that is called so: by a digest or a UCR."""
    named = {each.digest for each in tx.statements([case])}
    return tx.statements_by([("join:ucr", case)], MOST) | named
