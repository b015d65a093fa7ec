"""A message that we lost comes back from the counterpart.

What proves that it was ours, or that we had accepted it, is our own signature: on the message
that we sent, or on the receipt that we gave. With it neither age nor the present standing of
the sender's key matter any more; without it the message is judged like any that arrives.
"""

from datetime import UTC, datetime
from typing import NoReturn

import msgspec
from lxml import etree

from gateway.codec import envelope
from gateway.codec.exchange import QUALIFIED
from gateway.errors import DocumentError, Finding
from gateway.evidence.ledger import Kept
from gateway.flows import keys
from gateway.flows.outgoing import LINK_MEDIA_TYPE
from gateway.flows.ports import Message, Transaction
from gateway.flows.receive import receive, take_again
from gateway.flows.record import EVIDENCE, Paper, first_step, step
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_alarms import two_contents
from gateway.flows.settle_own import own_policy
from gateway.model.states import MessageKind, MessageState
from gateway.safexml import parse
from gateway.signing.trust import TrustPolicy, Usage
from gateway.signing.verify import verify_document


def recover_inbound(services: Services, counterpart: Counterpart, kept: Kept) -> None:
    """Take back a message of the counterpart. GatewayError when it is not what it says, or is
    refused."""
    if kept.receipt is not None:
        ours = own_policy(services, counterpart, Usage.RECEIPT)
        receipt = _receipt(kept.receipt, ours)
        parties = (receipt.sender, receipt.recipient, receipt.message_id)
        if parties != (services.name, counterpart.name, kept.id):
            _refuse("recovered-receipt", receipt.message_id)
        take_again(services, counterpart.name, kept.wire, kept.receipt, receipt)
        return
    answer = receive(services, counterpart.name, kept.wire)
    if not answer.ok:
        raise DocumentError(
            "rule-broken", Finding("rule-broken", "recovered", kept.id, answer.code)
        )


def _receipt(content: bytes, policy: TrustPolicy) -> envelope.Receipt:
    """Verify a receipt as of when it was given."""
    root = parse(content)
    at = _time(root, f"{QUALIFIED}Received")
    return envelope.read_receipt(verify_document(root, policy, at).element)


def recover_outbound(services: Services, counterpart: Counterpart, kept: Kept) -> None:
    """Take back a message of ours that the counterpart accepted, and its receipt."""
    if kept.receipt is None:
        _refuse("recovered-receipt", kept.id)
    stated, body, digest = _ours(services, counterpart, kept.wire)
    receipt = _receipt(kept.receipt, counterpart.receipts)
    bound = (receipt.sender, receipt.recipient, receipt.message_id, receipt.digest)
    if bound != (counterpart.name, services.name, kept.id, digest) or stated.message_id != kept.id:
        _refuse("recovered-receipt", receipt.message_id)
    known = services.store.read(
        lambda tx: tx.known(MessageKind.OUTBOUND, counterpart.name, kept.id)
    )
    if known is None:
        _store(services, counterpart, kept, stated, body, digest)
    elif known.digest != digest:
        first = services.store.read(lambda tx: tx.content(known.id, "wire"))
        two_contents(services, services.name, first or b"", kept.wire, kept.id)
    elif known.state is not MessageState.RECEIPTED:
        _store_receipt(services, known, kept.receipt)


def _time(root: etree._Element, path: str) -> datetime:
    """Return when a document, which is not verified yet, says that it was signed."""
    try:
        return datetime.fromisoformat(root.findtext(path) or "")
    except ValueError:
        _refuse("recovered-time", path.rpartition("}")[2])


def _ours(
    services: Services, counterpart: Counterpart, wire: bytes
) -> tuple[envelope.Envelope, etree._Element | envelope.Opaque, str]:
    """Verify a message with our own key, as of when it was made."""
    root = parse(wire)
    at = _time(root, f"{QUALIFIED}Envelope/{QUALIFIED}Created")
    verified = verify_document(root, own_policy(services, counterpart, Usage.MESSAGE), at)
    stated, body = envelope.read_message(verified.element)
    if (stated.sender, stated.recipient) != (services.name, counterpart.name):
        _refuse("recovered-parties", stated.recipient)
    return stated, body, verified.digest


def _store(
    services: Services,
    counterpart: Counterpart,
    kept: Kept,
    stated: envelope.Envelope,
    body: etree._Element | envelope.Opaque,
    digest: str,
) -> None:
    name = stated.document_type
    opaque = isinstance(body, envelope.Opaque)
    octets = body.content if isinstance(body, envelope.Opaque) else envelope.octets_of(body)
    decoded = services.formats.decode(name, octets)
    message = Message(
        id=kept.id,
        kind=MessageKind.OUTBOUND,
        party=counterpart.name,
        external_id=kept.id,
        conversation_id=stated.conversation_id,
        document_type=name,
        state=MessageState.RECEIPTED,
        digest=digest,
        created=stated.created,
        function=stated.function,
        document_version=stated.document_version,
        order_key=stated.order_key,
        sequence=stated.sequence,
        ref_to=stated.ref_to,
        test=stated.test,
        day=stated.created.astimezone(UTC).date().isoformat(),
        keys=keys.search_keys(decoded.document),
    )
    papers = (
        Paper("wire", kept.wire, LINK_MEDIA_TYPE),
        Paper("translated", octets, "application/octet-stream" if opaque else LINK_MEDIA_TYPE),
        Paper("canonical", msgspec.json.encode(decoded.document), "application/json"),
        Paper("receipt", kept.receipt or b"", LINK_MEDIA_TYPE, EVIDENCE),
    )
    facts = {"digest": digest}
    recovered = first_step(services, "recovered", message, papers, ("recovered", {}), facts)

    def work(tx: Transaction) -> None:
        used = tx.sequences(MessageKind.OUTBOUND, counterpart.name, stated.order_key)
        if not tx.add_message(message):
            return
        recovered.write(tx)
        if stated.sequence > max(used, default=0):  # the counter was restored too
            tx.count(f"sequence|{counterpart.name}|{stated.order_key}", stated.sequence)

    services.store.commit(work)


def _store_receipt(services: Services, known: Message, receipt: bytes) -> None:
    """The answer was lost, or the message given up; the counterpart has it all the same. Work
    that was buried runs once more: it gets the receipt of a duplicate, and is done."""
    now = services.clock()
    done = step(
        services,
        "receipted",
        known.id,
        now,
        {"digest": known.digest},
        papers=(Paper("receipt", receipt, LINK_MEDIA_TYPE, EVIDENCE),),
        state=MessageState.RECEIPTED,
        event=("receipted", {"by": "settlement"}),
    )

    def work(tx: Transaction) -> None:
        done.write(tx)
        tx.revive(known.id, now)

    services.store.commit(work)


def _refuse(rule: str, found: str) -> NoReturn:
    raise DocumentError("rule-broken", Finding("rule-broken", rule, "ledger", found))
