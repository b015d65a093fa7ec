"""The reference receiver: it keeps every clause of the exchange profile, and with mutants
switched on it breaks exactly one.

1 parse     hostile input is refused before anything else
2 verify    shape, value, pinned key, dates, usage
3 envelope  version, schema, parties, recipient, test indicator
4 known     a duplicate gets its stored receipt, at any age
5 time      stale, future-dated
6 body      type, schema, codes, order key
7 store     durable, then the receipt leaves
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from lxml import etree

from conformance.crypto.keys import Key
from conformance.crypto.sign import sign
from conformance.crypto.trees import SIGNATURE, Element, unsigned
from conformance.crypto.verify import Checks, Pin, Verdict, verify
from conformance.peer import judging, reading
from conformance.peer.memory import Memory, Stored
from conformance.peer.mutants import Mutants
from conformance.peer.reading import Envelope, RefusedError
from conformance.wire.answers import Finding, Receipt, Refusal, write_receipt, write_refusal
from conformance.wire.codes import FAMILIES, STATUSES, retriable
from conformance.wire.instants import written


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a peer is and whom it trusts. clients: fingerprint of a TLS certificate -> party."""

    party: str
    other: str
    receipt_key: Key
    pins: Mapping[str, Pin]
    test: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """An HTTP answer."""

    status: int
    body: bytes
    media_type: str = "application/xml"


class Receiver:
    """Judges messages one at a time; `receive` is all there is to call."""

    def __init__(
        self,
        identity: Identity,
        memory: Memory,
        clock: Callable[[], datetime],
        mutants: Mutants,
    ) -> None:
        self.identity, self.memory, self.clock, self.mutants = identity, memory, clock, mutants

    def receive(self, content: bytes, tls_party: str) -> Said:
        """Answer a message that came over a connection of a party."""
        seen = _Seen(hashlib.sha256(content).hexdigest())
        try:
            return self._receive(content, tls_party, seen)
        except RefusedError as refused:
            return self._refusal(refused, seen)
        except (ValueError, LookupError):
            if not self.mutants:
                raise
            return Said(500, b"", "text/plain")  # what is wrong can also fall over

    def _receive(self, content: bytes, tls_party: str, seen: "_Seen") -> Said:
        root = reading.tree(content, self.mutants)
        judged = self._verified(root)
        envelope, body = reading.envelope(root, self.mutants)
        seen.message_id, seen.digest = envelope["MessageID"], judged.digest
        seen.document_type = envelope["DocumentType"]
        self._parties(envelope, judged.party, tls_party)
        known = self._known(envelope, judged.digest)
        if known is not None:
            return self._given(known.receipt_octets)
        judging.time(envelope, self.clock(), self.mutants)
        judging.body(envelope, body, self.mutants)
        self._order(envelope)
        return self._accept(envelope, body, judged.digest)

    def _verified(self, root: Element) -> Verdict:
        m = self.mutants
        if m.on("MR07") and root.find(SIGNATURE) is None:
            digest = hashlib.sha256(unsigned(root)).hexdigest()
            return Verdict("", party=self.identity.other, digest=digest)
        checks = Checks(
            value=not m.on("MR07"),
            digest=not m.on("MR08"),
            shape=not m.on("MR08"),
            dates=not m.on("MR11"),
            pinned=not m.on("MR10"),
            usage=not m.on("MR13"),
            algorithms=not m.on("MR09"),
            transforms=not (m.on("MR09") or m.on("MR29")),
        )
        judged = verify(root, self.identity.pins, "message", self.clock(), checks)
        if judged.code:
            raise RefusedError(judged.code, Finding(judged.code, judged.reason or judged.code))
        return judged

    def _parties(self, envelope: Envelope, signer: str, tls_party: str) -> None:
        identity = self.identity
        if len({envelope["From"], signer, tls_party}) > 1 and not self.mutants.on("MR13"):
            found = f"{envelope['From']} {signer} {tls_party}"
            raise RefusedError("party-mismatch", Finding("party-mismatch", "party", found=found))
        if self.mutants.on("MR03"):
            return
        if envelope["To"] != identity.party:
            wrong = Finding("wrong-recipient", "recipient", "Envelope/To", envelope["To"])
            raise RefusedError("wrong-recipient", wrong)
        if (envelope["TestIndicator"] == "true") is not identity.test:
            wrong = Finding("rule-broken", "test-indicator", "Envelope/TestIndicator")
            raise RefusedError("rule-broken", wrong)

    def _known(self, envelope: Envelope, digest: str) -> Stored | None:
        if self.mutants.on("MR15"):
            return None
        known = self.memory.known(envelope["From"], envelope["MessageID"])
        if known and known.digest != digest and not self.mutants.on("MR16"):
            raise RefusedError("id-conflict", Finding("id-conflict", "digest"))
        return known

    def _order(self, envelope: Envelope) -> None:
        """Two messages with one version of one document: the first counts (XP-ORD-009)."""
        if self.mutants.on("MR15"):
            return
        version = int(envelope["DocumentVersion"] or 0)
        for other in self.memory.of_order(envelope["From"], envelope["OrderKey"]):
            if other.document_type != envelope["DocumentType"]:
                continue
            clash = other.version == version
            if self.mutants.on("MR23"):
                clash = other.version > version
            if clash:
                raise RefusedError("conflict", Finding("conflict", "document-version"))

    def _accept(self, envelope: Envelope, body: Element, digest: str) -> Said:
        receipt = self._receipt(envelope, digest)
        stored = Stored(
            sender=envelope["From"],
            message_id=envelope["MessageID"],
            digest=digest,
            document_type=envelope["DocumentType"],
            order_key=envelope["OrderKey"],
            sequence=int(envelope["Sequence"] or 0),
            version=int(envelope["DocumentVersion"] or 0),
            function=envelope["Function"],
            conversation_id="" if self.mutants.on("MR57") else envelope["ConversationID"],
            at=written(self.clock()),
            receipt=base64.b64encode(receipt).decode(),
            body=etree.tostring(body, encoding="unicode", with_tail=False),
        )
        self.memory.add(stored, durable=not self.mutants.on("MR21"))
        return self._given(receipt)

    def _given(self, receipt: bytes) -> Said:
        return Said(200, b"", "text/plain") if self.mutants.on("MR18") else Said(200, receipt)

    def _receipt(self, envelope: Envelope, digest: str) -> bytes:
        number = int(envelope["Sequence"] or 1)
        if self.mutants.on("MR23"):
            number = 1
        had = {m.sequence for m in self.memory.of_order(envelope["From"], envelope["OrderKey"])}
        receipt = Receipt(
            message_id="lost" if self.mutants.on("MR57") else envelope["MessageID"],
            digest="0" * 64 if self.mutants.on("MR19") else digest,
            sender=self.identity.party,
            recipient=envelope["From"],
            received=written(self.clock()),
            missing=tuple(n for n in range(1, min(number, 10_000)) if n not in had)[:100],
        )
        return self._signed(write_receipt(receipt))

    def _signed(self, content: bytes) -> bytes:
        return content if self.mutants.on("MR20") else sign(content, self.identity.receipt_key)

    def _refusal(self, refused: RefusedError, seen: "_Seen") -> Said:
        m = self.mutants
        if m.on("MR24"):
            return Said(200, b"error: " + refused.code.upper().encode(), "text/plain")
        if m.on("MR22") and seen.document_type == "cn.mt1401":
            return Said(200, self._signed(write_receipt(self._wrong_receipt(seen))))
        findings = refused.findings[:1] if m.on("MR26") else refused.findings
        if m.on("MR25"):
            leak = 'Traceback: File "/srv/gateway/receiver.py", line 12, in receive'
            findings = (replace(findings[0], expected=leak), *findings[1:])
        refusal = Refusal(
            code=refused.code,
            family=FAMILIES[refused.code],
            sender=self.identity.party,
            recipient=self.identity.other,
            at=written(self.clock()),
            message_id=seen.message_id,
            digest=seen.digest,
            retriable=retriable(refused.code),
            texts=judging.texts(refused.code, m),
            findings=findings,
        )
        status = STATUSES.get(refused.code, 422)
        return Said(status, self._signed(write_refusal(refusal)))

    def _wrong_receipt(self, seen: "_Seen") -> Receipt:
        identity = self.identity
        now = written(self.clock())
        return Receipt(seen.message_id, seen.digest, identity.party, identity.other, now)


class _Seen:
    """What is known of a message when it is refused."""

    def __init__(self, digest: str) -> None:
        self.message_id, self.digest = "", digest
        self.document_type = ""
