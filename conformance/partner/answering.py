"""The receipts and refusals that a partner gives: right ones, and each wrong kind."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from conformance.crypto.keys import Key
from conformance.crypto.sign import sign
from conformance.crypto.trees import parse, text, unsigned
from conformance.wire.answers import Receipt, Refusal, write_receipt, write_refusal
from conformance.wire.codes import FAMILIES, retriable
from conformance.wire.instants import written


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answers. party: the partner's id. key: its receipt key. stranger: one that nobody
    has pinned."""

    party: str
    key: Key
    stranger: Key

    def facts(self, body: bytes) -> Receipt:
        """Return the right receipt for a message, unwritten. ValueError: it is no XML."""
        root = parse(body)
        digest = hashlib.sha256(unsigned(root)).hexdigest()
        now = written(datetime.now(UTC))
        return Receipt(text(root, "MessageID"), digest, self.party, text(root, "From"), now)

    def receipt(self, body: bytes, wrong: str = "") -> bytes:
        """Return the octets of a receipt. wrong: in what (`digest`, `id`, `party`, `unsigned`,
        `stranger`)."""
        facts = self.facts(body)
        if wrong == "digest":
            facts = replace(facts, digest="0" * 64)
        elif wrong == "id":
            facts = replace(facts, message_id="another-message")
        elif wrong == "party":
            facts = replace(facts, sender="third")
        content = write_receipt(facts)
        if wrong == "unsigned":
            return content
        return sign(content, self.stranger if wrong == "stranger" else self.key)

    def refusal(self, body: bytes, code: str, wrong: str = "") -> bytes:
        """Return the octets of a signed refusal with a code; wrong as for a receipt."""
        facts = self.facts(body)
        content = write_refusal(
            Refusal(
                code=code,
                family=FAMILIES.get(code, "document"),
                sender=facts.sender,
                recipient=facts.recipient,
                at=facts.received,
                message_id=facts.message_id,
                digest="0" * 64 if wrong == "digest" else facts.digest,
                retriable=retriable(code),
                texts={"en": code, "vi": code, "zh": code},
            )
        )
        return sign(content, self.stranger if wrong == "stranger" else self.key)
