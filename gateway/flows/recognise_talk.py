"""Recognition with the counterpart: statements are sent, receipts compared, what is missing
found and mended.

    1 due      deadlines that passed become statements
    2 send     statements that the counterpart lacks
    3 decide   claims that are not agreed, anew
    4 compare  both sides' receipts
    5 mend     missing statements are exchanged by digest; then 3 and 4 again
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from gateway.errors import GatewayError
from gateway.evidence.ledger_recognition import (
    AskReceipts,
    AskStatements,
    Decided,
    TellReceipts,
    TellStatements,
)
from gateway.flows.ports_recognition import ClaimRow
from gateway.flows.recognise import overdue, pass_deadlines, read_decision
from gateway.flows.recognise_agree import compared, decided_now, opened, our_receipt
from gateway.flows.recognise_answer import MOST_CLAIMS
from gateway.flows.recognise_statements import MOST_STATEMENTS, accept, signed
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_alarms import raise_alarm
from gateway.flows.settle_talk import ask, bad_answer, expect, keys_of
from gateway.recognition.agree import Agreed, missing

LEASE = timedelta(minutes=5)
REFUSED = "recognition-refused"
LATER = timedelta(minutes=5)
"""After which a claim is compared again that no exchange of statements can mend."""
_ROUNDS = 3

log = structlog.get_logger("gateway.recognise")


def recognise_now(services: Services, owner: str) -> int:
    """Do what is to be done with the counterpart, on one node; the worker's chore. Returns how
    many statements were sent and claims compared. CounterpartError, UnavailableError."""
    counterpart = services.counterpart()
    keys_of(services, counterpart)
    now = services.clock()
    if not services.store.commit(lambda tx: tx.hold("recognise", owner, now, now + LEASE)):
        return 0
    pass_deadlines(services, overdue(services))
    sent = send_statements(services, counterpart)
    return sent + agree_claims(services, counterpart, _open(services))


def send_statements(services: Services, counterpart: Counterpart) -> int:
    """Step 2; return how many were taken."""
    count = 0
    while waiting := services.store.read(lambda tx: tx.undelivered(MOST_STATEMENTS)):
        ready = signed(services, waiting)
        if not ready:
            break
        given = tuple(each.envelope for each in ready if each.envelope)
        taken = _exchange(services, counterpart, given, ())
        if {each.digest for each in ready} - taken:
            bad_answer("settlement-kind")
        count += len(ready)
    return count


def _exchange(
    services: Services, counterpart: Counterpart, given: tuple[bytes, ...], wanted: tuple[str, ...]
) -> set[str]:
    """Give and get statements; return the digests that the other side has judged."""
    told = expect(ask(services, counterpart, AskStatements(given, wanted)), TellStatements)
    judged = {name for name, _ in told.taken}
    now = services.clock()
    services.store.commit(lambda tx: tx.set_delivered(sorted(judged), now))
    for name, code in told.taken:
        if code:
            raise_alarm(services, REFUSED, counterpart.name, name, {"code": code})
    for envelope in told.found:
        try:
            accept(services, counterpart, envelope)
        except GatewayError as failure:
            log.warning("recognition-statement-refused", code=failure.code)
    return judged


def _open(services: Services) -> list[ClaimRow]:
    """Return claims to compare. What only rules or clocks can mend is asked for less often."""
    before = services.clock() - LATER
    rows = services.store.read(lambda tx: tx.open_claims(10 * MOST_CLAIMS))
    often = ("", Agreed.MISSING_EVIDENCE)
    return [row for row in rows if row.agreement in often or row.updated < before]


def agree_claims(services: Services, counterpart: Counterpart, rows: Sequence[ClaimRow]) -> int:
    """Steps 3 to 5; return how many claims were compared."""
    count = 0
    for first in range(0, len(rows), MOST_CLAIMS):
        left = list(rows[first : first + MOST_CLAIMS])
        count += len(left)
        for _ in range(_ROUNDS):
            left = _round(services, counterpart, left)
            if not left:
                break
    return count


def _round(
    services: Services, counterpart: Counterpart, rows: Sequence[ClaimRow]
) -> list[ClaimRow]:
    """Compare once; return the claims whose evidence was mended, to be compared again."""
    fresh = [decided_now(services, read_decision(row).claim) for row in rows]
    claims = [(row, gathered) for row, gathered in fresh if row is not None and gathered]
    if not claims:
        return []
    mine = [Decided(our_receipt(services, row), gathered.stored) for row, gathered in claims]
    told = expect(ask(services, counterpart, AskReceipts(tuple(mine))), TellReceipts)
    if len(told.claims) != len(mine):
        bad_answer("settlement-kind")
    again = []
    for (row, _), own, theirs in zip(claims, mine, told.claims, strict=True):
        if not _settled(services, counterpart, row, own, theirs):
            _mend(services, counterpart, own, theirs)
            again.append(row)
    return again


def _settled(
    services: Services, counterpart: Counterpart, row: ClaimRow, own: Decided, theirs: Decided
) -> bool:
    """Step 4; False when statements are missing on a side."""
    same = set(own.digests) == set(theirs.digests)
    if not theirs.receipt:
        return same
    opened(services, counterpart, theirs.receipt)
    found = services.store.commit(
        lambda tx: compared(services, tx, row, own.receipt, theirs.receipt, same)
    )
    return found.result is not Agreed.MISSING_EVIDENCE


def _mend(services: Services, counterpart: Counterpart, own: Decided, theirs: Decided) -> None:
    """Step 5."""
    we_lack, they_lack = missing(own.digests, theirs.digests)
    while we_lack or they_lack:
        wanted = we_lack[:MOST_STATEMENTS]
        rows = services.store.read(lambda tx: tx.statements(they_lack[:MOST_STATEMENTS]))  # noqa: B023
        ready = signed(services, rows)
        _exchange(services, counterpart, tuple(e.envelope for e in ready if e.envelope), wanted)
        given = {each.digest for each in ready}
        if not given and not wanted:
            return
        we_lack = we_lack[MOST_STATEMENTS:]
        they_lack = tuple(name for name in they_lack if name not in given)
