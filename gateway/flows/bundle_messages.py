"""What a bundle proves of one message: who signed it, what was receipted, translated, meant."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

from lxml import etree

from gateway.codec import envelope
from gateway.codec.exchange import QUALIFIED, kind_of
from gateway.errors import Finding, TrustError
from gateway.evidence import bundle_proofs as proofs
from gateway.evidence.bundle import Index, Item
from gateway.evidence.bundle_anchors import BundleAnchors, shape_of
from gateway.evidence.bundle_status import check_status
from gateway.evidence.bundle_verdict import Outcome
from gateway.evidence.rows import commitment
from gateway.safexml import c14n, parse
from gateway.signing.profiles import DSIG
from gateway.signing.trust import Usage
from gateway.signing.verify import Verified, verify_document

REPORT_TYPE = "application/vnd.bilateral-gateway.report+json"

_STAPLED = {"inbound": ("wire", "Created", ""), "outbound": ("receipt", "Received", "receipt-")}


class Messages:
    """The checks of one message. Each raises TrustError or DocumentError, or returns what is
    not ok."""

    def __init__(
        self, index: Index, members: Mapping[str, bytes], anchors: BundleAnchors, item: Item
    ) -> None:
        self._index, self._members, self._anchors, self._item = index, members, anchors, item
        outbound = item.kind == "outbound"
        self._sender, self._recipient = index.exporter, index.counterpart
        if not outbound:
            self._sender, self._recipient = index.counterpart, index.exporter

    def message(self) -> Outcome | None:
        """The signed message: signer, digest, id, parties, and the document that it carries."""
        wire = self._octets("wire")
        if wire is None:
            return Outcome.ABSENT
        root = parse(wire)
        verified = self._verified(root, "Created", Usage.MESSAGE)
        if verified.party != self._sender or verified.digest != self._item.digest:
            _refuse("message-digest", verified.party)
        if kind_of(verified.element) is None:  # a bare document: it has no envelope
            return None
        stated, body = envelope.read_message(verified.element)
        named = (stated.message_id, stated.sender, stated.recipient)
        if named != (self._item.external_id, self._sender, self._recipient):
            _refuse("message-parties", " ".join(named))
        self._check_body(body)
        return None

    def _check_body(self, body: etree._Element | envelope.Opaque) -> None:
        """The translated document (outbound) or the original (inbound) is the body."""
        kept = self._octets("translated" if self._item.kind == "outbound" else "original")
        if kept is None:
            return
        if isinstance(body, envelope.Opaque):
            same = body.content == kept
        else:
            same = envelope.octets_of(body) == c14n(parse(kept))
        if not same:
            _refuse("message-body", self._item.kind)

    def receipt(self) -> Outcome | None:
        """The receipt of the other side: signer, and what it is bound to."""
        content = self._octets("receipt")
        if content is None:
            return Outcome.ABSENT
        verified = self._verified(parse(content), "Received", Usage.RECEIPT)
        receipt = envelope.read_receipt(verified.element)
        stated = (receipt.sender, receipt.recipient, verified.party)
        if stated != (self._recipient, self._sender, self._recipient):
            _refuse("receipt-parties", " ".join(stated))
        if (receipt.message_id, receipt.digest) != (self._item.external_id, self._item.digest):
            _refuse("receipt-binding", receipt.message_id)
        return None

    def report(self) -> Outcome | None:
        """The exporter's signed report of the translation, and the report beside it."""
        content, signed = self._octets("report"), self._octets("report-signature")
        if content is None or signed is None:
            return Outcome.ABSENT
        at = datetime.fromisoformat(self._item.created)
        statement = proofs.verified(signed, self._anchors, Usage.STATEMENT, at)
        if statement.payload_type != REPORT_TYPE or self._index.exporter not in statement.parties:
            _refuse("report-signer", statement.payload_type)
        if statement.payload != content:
            _refuse("report-content", "")
        return None

    def commitment(self) -> Outcome | None:
        """The commitment in the envelope is over the originals, and the parameters."""
        salt, stated = self._octets("commitment-salt"), self._octets("commitment")
        originals = [self._original_of(each) for each in self._item.originals]
        whole = [each for each in originals if each is not None]
        if not whole or len(whole) != len(originals) or salt is None or stated is None:
            return Outcome.ABSENT
        if (parameters := self._octets("parameters")) is not None:
            whole.append(parameters)
        if commitment(salt, tuple(whole)).encode() != stated:
            _refuse("commitment", "")
        wire = self._octets("wire")
        if wire is not None and _committed(parse(wire)) not in (None, stated.decode()):
            _refuse("commitment", "Envelope/Commitment")
        return None

    def _original_of(self, message_id: str) -> bytes | None:
        item = next((i for i in self._index.messages if i.id == message_id), None)
        return None if item is None else self._octets("original", item)

    def status(self) -> Outcome | None:
        """The counterpart's certificate was not revoked when it signed the message to us, or
        the receipt for ours."""
        roles = {
            "inbound": ("wire", "Created", ""),
            "outbound": ("receipt", "Received", "receipt-"),
        }
        if self._item.kind not in roles:
            return Outcome.OK
        role, when, prefix = roles[self._item.kind]
        content = self._octets(role)
        if content is None:
            return Outcome.ABSENT
        root = parse(content)
        path = f"{{{DSIG}}}Signature/{{{DSIG}}}KeyInfo/{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate"
        texts = ["".join((each.text or "").split()) for each in root.iterfind(path)]
        signers, at = [base64.b64decode(text) for text in texts], self._time(root, when)
        return check_status(self._octets, prefix, signers, at, self._anchors.authorities)

    def _verified(self, root: etree._Element, when: str, usage: Usage) -> Verified:
        shape = shape_of(
            len(root.findall(f"{{{DSIG}}}Signature")),
            len(root.findall(f".//{{{DSIG}}}Transform")),
        )
        policy = self._anchors.policy(usage, shape)
        return verify_document(root, policy, self._time(root, when))

    def _time(self, root: etree._Element, when: str) -> datetime:
        """Return when it was signed, as it says itself; a bare document does not."""
        path = f"{QUALIFIED}Envelope/{QUALIFIED}Created" if when == "Created" else QUALIFIED + when
        return datetime.fromisoformat(root.findtext(path) or self._item.created)

    def _octets(self, role: str, item: Item | None = None) -> bytes | None:
        parts = (item or self._item).documents
        path = next((part.path for part in parts if part.role == role), None)
        return None if path is None else self._members[path]


def _committed(root: etree._Element) -> str | None:
    return root.findtext(f"{QUALIFIED}Envelope/{QUALIFIED}Commitment")


def _refuse(rule: str, found: str) -> NoReturn:
    raise TrustError("signature-scope", Finding("signature-scope", rule, "bundle", found))
