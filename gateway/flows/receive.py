"""A message of the counterpart arrives.

    1 parse      hardened; the raw bytes are kept with the message
    2 verify     signature, trusted key, parties; from here on only the signed element
    3 known      a known id and digest gets its stored receipt, at any age
    4 time       stale, future-dated, expired; the signer's certificate was not revoked
    5 decode     against the agreed schema, all findings
    6 check      the agreed rules
    7 sign       the receipt (or the refusal)
    8 commit     message, documents, evidence, receipt and the next task; then answer

What domestic tables say is not asked here: a fault in them is an operator's case and never
refuses a valid message.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from lxml import etree

from gateway.codec import envelope
from gateway.codec.envelope import Envelope, Opaque
from gateway.codec.formats import Decoded
from gateway.errors import (
    DocumentError,
    Finding,
    GatewayError,
    TrustError,
    UnavailableError,
)
from gateway.flows import bare, keys, settle_alarms, versions
from gateway.flows.outgoing import LINK_MEDIA_TYPE
from gateway.flows.parties import check_parties
from gateway.flows.ports import Message, Transaction
from gateway.flows.record import EVIDENCE, Paper, first_step, step
from gateway.flows.revocation import Judged
from gateway.flows.services import Counterpart, Services
from gateway.flows.standing import grace_step, papers_of, standing_of
from gateway.model.states import INTERNAL, MessageKind, MessageState, TaskKind
from gateway.safexml import Limits as XmlLimits
from gateway.safexml import parse
from gateway.signing.sign import sign_document
from gateway.signing.verify import Verified, verify_document


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. content: a signed receipt (ok) or a signed refusal (code). grace: taken
    though the status of the signer's certificate is stale."""

    ok: bool
    content: bytes
    code: str = ""
    retry_after: float | None = None
    grace: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified message. digest: hex SHA-256 of what was signed; with the id the key by
    which duplicates are known (never the raw bytes: those can differ and still verify)."""

    envelope: Envelope
    body: etree._Element | Opaque
    verified: Verified
    raw: bytes

    @property
    def digest(self) -> str:
        """Of what was signed."""
        return self.verified.digest


def receive(services: Services, peer: str, raw: bytes) -> Answer:
    """Judge a message of a counterpart; see the steps above.

    peer: the counterpart's name, from its TLS certificate. Raises UnavailableError when
    nothing can be promised (store or signer down): the sender tries again.
    """
    counterpart = services.counterparts[peer]
    incoming: Incoming | None = None
    try:
        incoming = _verified(services, counterpart, raw)
        if stored := services.store.read(lambda tx: _known(tx, peer, incoming)):
            return Answer(ok=True, content=stored)
        _check_time(services, incoming.envelope)
        judged = _judged(services, counterpart, incoming)
        decoded = _decode(services, incoming)
        return _accept(services, counterpart, incoming, decoded, judged)
    except UnavailableError:
        raise
    except GatewayError as failure:
        return _refuse(services, counterpart, incoming, raw, failure)


def take_again(
    services: Services, peer: str, raw: bytes, receipt: bytes, stated: envelope.Receipt
) -> None:
    """Accept a message that we accepted once and lost: the receipt that we gave, verified by
    the caller, stands in the place of its age and of its signer's present standing."""
    counterpart = services.counterparts[peer]
    incoming = _verified(services, counterpart, raw, stated.received)
    if (stated.message_id, stated.digest) != (incoming.envelope.message_id, incoming.digest):
        finding = Finding("party-mismatch", "recovered-receipt", "Receipt", stated.message_id)
        raise TrustError("party-mismatch", finding)
    if services.store.read(lambda tx: _known(tx, peer, incoming)) is None:
        _accept(services, counterpart, incoming, _decode(services, incoming), (), receipt)


def _verified(
    services: Services, counterpart: Counterpart, raw: bytes, at: datetime | None = None
) -> Incoming:
    """Steps 1 and 2. What is returned comes from the signed element alone. at: None is now."""
    root = parse(raw, XmlLimits(max_bytes=services.limits.document_bytes))
    verified = verify_document(root, counterpart.messages, at or services.clock())
    if bare.is_bare(verified.element):
        if not counterpart.accept_bare:
            raise DocumentError("type-unknown", Finding("type-unknown", "envelope"))
        stated = bare.envelope_of(services, counterpart, verified)
        return Incoming(stated, verified.element, verified, raw)
    stated, body = envelope.read_message(verified.element)
    check_parties(services, counterpart, verified.party, stated)
    return Incoming(stated, body, verified, raw)


def _known(tx: Transaction, peer: str, incoming: Incoming) -> bytes | None:
    """Return the stored receipt of a known id and digest; another digest is a conflict."""
    known = tx.known(MessageKind.INBOUND, peer, incoming.envelope.message_id)
    if known is None:
        return None
    if known.digest != incoming.digest:
        raise TrustError(
            "id-conflict",
            Finding("id-conflict", "digest", "Envelope/MessageID", incoming.envelope.message_id),
        )
    return tx.content(known.id, "receipt")


def _check_time(services: Services, stated: Envelope) -> None:
    """Only for unknown messages: duplicates are looked up before age."""
    now, limits = services.clock(), services.limits
    created = Finding("stale", "created", "Envelope/Created", stated.created.isoformat())
    if stated.created < now - limits.stale_after or stated.expires < now:
        raise TrustError("stale", created)
    if stated.created > now + limits.future:
        raise TrustError(
            "future-dated",
            Finding("future-dated", "created", "Envelope/Created", stated.created.isoformat()),
        )


def _judged(services: Services, counterpart: Counterpart, incoming: Incoming) -> tuple[Judged, ...]:
    """The time in the envelope proves nothing: nobody but the signer has written it."""
    claimed = incoming.envelope.created
    return standing_of(services, counterpart.messages, incoming.verified, claimed=claimed)


def _decode(services: Services, incoming: Incoming) -> Decoded:
    """Steps 5 and 6: the agreed schema and the agreed rules, all findings at once."""
    stated = incoming.envelope
    if not services.routes.receives(services.side, stated.document_type):
        raise DocumentError(
            "type-unknown",
            Finding("type-unknown", "document-type", "Envelope/DocumentType", stated.document_type),
        )
    agreed = services.formats.header(stated.document_type).version
    if stated.document_type_version != agreed:
        raise DocumentError(
            "version-unsupported",
            Finding(
                "version-unsupported",
                "document-version",
                "Envelope/DocumentTypeVersion",
                stated.document_type_version,
                agreed,
            ),
        )
    decoded = _decode_body(services, incoming)
    key = keys.order_key(services, stated.document_type, decoded.document)
    if key is not None and key != stated.order_key:
        path = "Envelope/OrderKey"
        raise DocumentError(
            "rule-broken", Finding("rule-broken", "order-key", path, stated.order_key, key)
        )
    return decoded


def _decode_body(services: Services, incoming: Incoming) -> Decoded:
    name, body, verified = incoming.envelope.document_type, incoming.body, incoming.verified
    if isinstance(body, Opaque):
        return services.formats.decode(name, body.content)
    signed = verified.content
    octets = signed if body is verified.element else envelope.body_octets(signed)
    return services.formats.decode_tree(name, body, octets)


def _accept(
    services: Services,
    counterpart: Counterpart,
    incoming: Incoming,
    decoded: Decoded,
    judged: tuple[Judged, ...],
    given: bytes | None = None,
) -> Answer:
    """Steps 7 and 8. Two deliveries of one message at once: the first receipt stands. given:
    the receipt, where we gave one before."""
    now = services.clock()
    stated, peer = incoming.envelope, counterpart.name
    used = services.store.read(lambda tx: tx.sequences(MessageKind.INBOUND, peer, stated.order_key))
    gap = tuple(n for n in range(1, stated.sequence) if n not in set(used))[:100]
    unsigned = envelope.build_receipt(
        envelope.Receipt(
            message_id=stated.message_id,
            digest=incoming.digest,
            sender=services.name,
            recipient=peer,
            received=now,
            sequence_gap=gap,
        )
    )
    receipt = given or sign_document(unsigned, services.receipt_signer, counterpart.ours)
    message = _message(services, peer, incoming, decoded, now)
    papers = (
        Paper("wire", incoming.raw, LINK_MEDIA_TYPE),
        Paper("original", _octets(incoming.body), LINK_MEDIA_TYPE),
        Paper("canonical", msgspec.json.encode(decoded.document), "application/json"),
        Paper("receipt", receipt, LINK_MEDIA_TYPE, EVIDENCE),
        *papers_of(judged),
    )
    detail = {"missing-sequences": " ".join(map(str, gap))} if gap else {}
    signed = {"digest": incoming.digest}
    accepted = first_step(services, "accepted", message, papers, ("accepted", detail), signed)
    grace = grace_step(services, message.id, judged, now)

    def work(tx: Transaction) -> bytes:
        if not tx.add_message(message):
            return _known(tx, peer, incoming) or receipt
        versions.check_new(services, tx, message)
        accepted.write(tx)
        if grace is not None:
            grace.write(tx)
        tx.enqueue(TaskKind.DISTRIBUTE, message.id, INTERNAL, stated.order_key, now)
        return receipt

    return Answer(True, services.store.commit(work), grace=grace is not None)


def _octets(body: etree._Element | Opaque) -> bytes:
    """Return the document as the agencies get it: canonical XML, or the exact octets."""
    return body.content if isinstance(body, Opaque) else envelope.octets_of(body)


def _message(
    services: Services, peer: str, incoming: Incoming, decoded: Decoded, now: datetime
) -> Message:
    stated = incoming.envelope
    found = keys.search_keys(decoded.document)
    own_id = decoded.head.get("messageId")
    return Message(
        id=services.ids(),
        kind=MessageKind.INBOUND,
        party=peer,
        external_id=stated.message_id,
        conversation_id=stated.conversation_id,
        document_type=stated.document_type,
        state=MessageState.ACCEPTED,
        digest=incoming.digest,
        created=now,
        function=stated.function,
        document_version=stated.document_version,
        order_key=stated.order_key,
        sequence=stated.sequence,
        ref_to=stated.ref_to,
        test=stated.test,
        day=stated.created.astimezone(UTC).date().isoformat(),
        keys=(*found, ("reference", own_id)) if own_id else found,
    )


def _refuse(
    services: Services,
    counterpart: Counterpart,
    incoming: Incoming | None,
    raw: bytes,
    failure: GatewayError,
) -> Answer:
    """Sign the refusal and keep evidence of it. The refused id is not consumed."""
    if failure.code == "id-conflict" and incoming is not None:
        settle_alarms.id_conflict(services, counterpart.name, raw, incoming.envelope)
    now = services.clock()
    message_id = incoming.envelope.message_id if incoming else ""
    digest = incoming.digest if incoming else hashlib.sha256(raw).hexdigest()
    unsigned = envelope.build_refusal(
        envelope.Refusal(
            message_id=message_id,
            digest=digest,
            sender=services.name,
            recipient=counterpart.name,
            at=now,
            code=failure.code,
            findings=failure.findings,
            retry_after=failure.retry_after,
            retriable=failure.retriable,
        )
    )
    content = sign_document(unsigned, services.receipt_signer, counterpart.ours)
    facts = {
        "peer": counterpart.name,
        "external": message_id,
        "digest": digest,
        "code": failure.code,
        "answer": hashlib.sha256(content).hexdigest(),
    }
    services.store.commit(step(services, "refused", "", now, facts).write)
    return Answer(False, content, failure.code, failure.retry_after)
