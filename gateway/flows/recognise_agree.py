"""Receipts of both sides: made, kept as chains, compared.

roots    rule sets  result            what happens
equal    equal      AGREED            both receipts are kept; an alarm of before is cleared
differ   any        MISSING_EVIDENCE  statements are exchanged, both decide anew
equal    differ     RULESET_SKEW      alarm; the stricter outcome holds
equal    equal      DIVERGENT         alarm with both receipts; the claim is frozen
"""

import hashlib
from dataclasses import replace

import msgspec

from gateway.errors import TrustError
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import Alarm
from gateway.flows.ports_recognition import ClaimRow, ReceiptRow
from gateway.flows.recognise import (
    our_side,
    pass_deadlines,
    read_decision,
    recognition_of,
    refresh,
    starts_of,
)
from gateway.flows.recognition_pool import Gathered, gather
from gateway.flows.record import step
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_talk import keys_of
from gateway.flows.standing import standing_of
from gateway.model.bodies import ClaimRef
from gateway.model.evidence import Side, digest
from gateway.recognition.agree import Agreed, Comparison, agree
from gateway.recognition.outcomes import meet
from gateway.recognition.receipt import (
    PAYLOAD_TYPE,
    Receipt,
    make_receipt,
    read_receipt,
    sign_receipt,
)
from gateway.signing.dsse import payload_of, verify_cosigned

SKEW = "recognition-skew"
DIVERGENT = "recognition-divergent"
_ALARMS = {Agreed.RULESET_SKEW: SKEW, Agreed.DIVERGENT: DIVERGENT}


def their_side(services: Services) -> Side:
    """Return the side of the counterpart: there are two."""
    return Side.CN if our_side(services) is Side.VN else Side.VN


def opened(services: Services, counterpart: Counterpart, envelope: bytes) -> Receipt:
    """Return a verified receipt of the counterpart. TrustError."""
    _, heads = keys_of(services, counterpart)
    statement = verify_cosigned(envelope, heads, services.clock())
    standing_of(services, heads, statement)
    receipt = read_receipt(statement.payload)
    if statement.payload_type != PAYLOAD_TYPE or receipt.side is not their_side(services):
        raise TrustError("signature-scope")
    return receipt


def anew(
    services: Services, tx: Transaction, claim: ClaimRef
) -> tuple[ClaimRow | None, Gathered | None]:
    """Decide a claim, under any name of its case, again from what is stored; no row where no
    statement here makes it."""
    start = starts_of(tx, claim.case)
    if not start:
        return None, None
    gathered = gather(tx, start, recognition_of(services).model)
    rows = {each.claim: each for each in refresh(services, tx, gathered)}
    case = gathered.situation.shared.case_of(claim)
    name = str(msgspec.structs.replace(claim, case=case.id)) if case else ""
    return rows.get(name), gathered


def decided_now(services: Services, claim: ClaimRef) -> tuple[ClaimRow | None, Gathered | None]:
    """As `anew`, with the deadlines that have passed by now."""
    row, gathered = services.store.commit(lambda tx: anew(services, tx, claim))
    late = row is not None and 0 < row.due <= services.clock().timestamp()
    if row is not None and late and pass_deadlines(services, [row]):
        return services.store.commit(lambda tx: anew(services, tx, claim))
    return row, gathered


def our_receipt(services: Services, row: ClaimRow) -> bytes:
    """Return our receipt on a claim: the last one while it says the same, else a new one that
    follows it. UnavailableError when we cannot sign."""
    decision, side = read_decision(row), our_side(services)
    chain = services.store.read(lambda tx: tx.receipts(row.claim, side))
    last = _receipt(chain[-1].envelope) if chain else None
    if last is not None and make_receipt(decision, side, last.previous) == last:
        return chain[-1].envelope
    signer, _ = keys_of(services, services.counterpart())
    made = make_receipt(decision, side, digest(last) if last else "")
    envelope = sign_receipt(made, [signer])
    services.store.commit(lambda tx: _keep(services, tx, row.claim, made, envelope, len(chain)))
    return envelope


def _receipt(envelope: bytes) -> Receipt:
    return read_receipt(payload_of(envelope)[1])


def _keep(
    services: Services, tx: Transaction, claim: str, receipt: Receipt, envelope: bytes, number: int
) -> None:
    now, name = services.clock(), digest(receipt)
    if not tx.keep_receipt(ReceiptRow(claim, receipt.side, number, name, now, envelope)):
        return
    facts = {
        "claim": claim,
        "side": receipt.side,
        "receipt": name,
        "envelope": hashlib.sha256(envelope).hexdigest(),
    }
    step(services, "recognition-receipt", "", now, facts).write(tx)


def keep_theirs(
    services: Services, tx: Transaction, claim: str, receipt: Receipt, envelope: bytes
) -> None:
    """Keep a receipt of the counterpart under our name of the claim, once."""
    chain = tx.receipts(claim, receipt.side)
    if digest(receipt) not in {row.digest for row in chain}:
        _keep(services, tx, claim, receipt, envelope, len(chain))


def compared(
    services: Services, tx: Transaction, row: ClaimRow, mine: bytes, envelope: bytes, same: bool
) -> Comparison:
    """Compare our receipt with theirs, which was verified, and keep what came of it. same: both
    rest on the same statements."""
    theirs = _receipt(envelope)
    keep_theirs(services, tx, row.claim, theirs, envelope)
    result = judged(_receipt(mine), theirs, same=same)
    holds = meet(result.holds, read_decision(row).local or result.holds)
    kept = replace(row, agreement=result.result, holds=holds, detail=result.detail)
    tx.put_claims([], [replace(kept, updated=services.clock())])
    _alarm(services, tx, row.claim, result, mine, envelope)
    return result


def judged(mine: Receipt, theirs: Receipt, *, same: bool) -> Comparison:
    """Compare two receipts: first what they rest on, as instants follow from it. Different
    roots over the same statements are a fault, or another table of linking."""
    if mine.root != theirs.root:
        result = Agreed.DIVERGENT if same else Agreed.MISSING_EVIDENCE
        return Comparison(result, meet(mine.outcome, theirs.outcome), f"{mine.root} {theirs.root}")
    return agree(mine, theirs)


def _alarm(
    services: Services, tx: Transaction, claim: str, result: Comparison, *receipts: bytes
) -> None:
    party, now = services.counterpart().name, services.clock()
    for agreed, kind in _ALARMS.items():
        if result.result is agreed:
            detail = {"detail": result.detail, "holds": result.holds}
            proof = b"\n".join(receipts)
            tx.raise_alarm(Alarm(kind, party, claim, now, detail, proof))
        elif result.result is Agreed.AGREED:
            tx.clear_alarm(kind, party, claim, now)
