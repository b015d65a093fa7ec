"""The audit's look at mutual recognition: statements and receipts are signed by their side, and
the columns beside them say what they say. What claims are worth is no evidence: it is decided
anew at any time."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from gateway.errors import GatewayError, TrustError
from gateway.evidence.audit import Flaw
from gateway.flows.audit_ledger import Found
from gateway.flows.ports import Transaction
from gateway.flows.ports_recognition import KeptStatement, ReceiptRow
from gateway.flows.recognise import our_side
from gateway.flows.recognise_statements import STATEMENT_TYPE
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_own import own_policy
from gateway.model.evidence import read_evidence
from gateway.recognition.receipt import PAYLOAD_TYPE, Receipt, read_receipt
from gateway.signing.dsse import payload_of, verify_cosigned
from gateway.signing.trust import TrustPolicy, Usage

SIGNATURE = "recognition-signature"
DIFFERS = "recognition-differs"


def check(services: Services, tx: Transaction, found: Found) -> None:
    """Audit statements and receipts. Nothing where no counterpart has a head key."""
    known = [c for c in services.counterparts.values() if c.heads is not None]
    if not known:
        return
    look = _Look(services, known[0])
    statements, receipts = tx.recognition_rows()
    found.add("statements", len(statements), [f for s in statements for f in look.statement(s)])
    found.add("recognition receipts", len(receipts), list(look.receipts(receipts)))


class _Look:
    """The keys of both sides."""

    def __init__(self, services: Services, counterpart: Counterpart) -> None:
        self._us = our_side(services).value
        self._own = own_policy(services, counterpart, Usage.HEAD)
        self._other = counterpart.heads

    def statement(self, kept: KeptStatement) -> list[Flaw]:
        """Judge the digest, the columns and, once it was sent, the signature."""
        place = f"recognition_statement {kept.digest}"
        try:
            said = read_evidence(kept.content)
            if kept.envelope is not None:
                payload = self._payload(kept.envelope, kept.side, STATEMENT_TYPE, kept.received_at)
                if payload != kept.content:
                    return [Flaw(DIFFERS, place)]
        except GatewayError as fault:
            return [Flaw(SIGNATURE, place, fault.code)]
        stated = (hashlib.sha256(kept.content).hexdigest(), said.side.value, said.private)
        return [] if stated == (kept.digest, kept.side, kept.private) else [Flaw(DIFFERS, place)]

    def receipts(self, rows: Sequence[ReceiptRow]) -> Iterator[Flaw]:
        """Judge each receipt, and that it follows on the one before it."""
        last: dict[tuple[str, str], ReceiptRow] = {}
        ours = {row.claim for row in rows if row.side == self._us}
        for row in sorted(rows, key=lambda each: (each.claim, each.side, each.number)):
            place = f"recognition_receipt {row.claim} {row.side} {row.number}"
            before = last.get((row.claim, row.side))
            last[row.claim, row.side] = row
            try:
                payload = self._payload(row.envelope, row.side, PAYLOAD_TYPE, row.at)
                receipt = read_receipt(payload)
            except GatewayError as fault:
                yield Flaw(SIGNATURE, place, fault.code)
                continue
            same = row.digest == hashlib.sha256(payload).hexdigest()
            if not (same and row.claim in ours and self._fits(row, receipt, before)):
                yield Flaw(DIFFERS, place)

    def _fits(self, row: ReceiptRow, receipt: Receipt, before: ReceiptRow | None) -> bool:
        """The counterpart may have called a claim by another name of its case, and of its chain
        we have those that it told us of."""
        number = before.number + 1 if before else 0
        if receipt.side != row.side or row.number != number:
            return False
        if row.side != self._us:
            return True
        previous = before.digest if before else ""
        return (str(receipt.claim), receipt.previous) == (row.claim, previous)

    def _payload(self, envelope: bytes, side: str, kind: str, at: datetime) -> bytes:
        """Return the payload of what a side signed; TrustError."""
        policy: TrustPolicy | None = self._own if side == self._us else self._other
        if policy is None or payload_of(envelope)[0] != kind:
            raise TrustError("signer-untrusted")
        return verify_cosigned(envelope, policy, at).payload
