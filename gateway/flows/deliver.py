"""Send what is queued.

1 load       the message and its signed bytes
2 sign       if that was not done: sign, store; a retry sends the stored bytes
3 post       within the destination's total deadline
4 judge      HTTP 200 is no receipt: verify the signed receipt or refusal, and its signer
5 bind       it must name our message and the digest that we signed
6 store      receipt, state, evidence
"""

import hashlib
from collections.abc import Mapping

from lxml import etree

from gateway.codec import envelope
from gateway.codec.exchange import kind_of
from gateway.errors import CounterpartError, Finding, GatewayError, StateError, UnavailableError
from gateway.flows.attempts import attempt
from gateway.flows.outgoing import LINK_MEDIA_TYPE
from gateway.flows.ports import LinkAnswer, Message, Task, Transaction
from gateway.flows.record import EVIDENCE, Paper, step
from gateway.flows.retry import Outcome
from gateway.flows.revocation import Judged
from gateway.flows.services import PROFILE_VERSION, Counterpart, Services
from gateway.flows.standing import grace_step, papers_of, standing_of
from gateway.model.states import MessageState
from gateway.safexml import c14n, parse
from gateway.signing.dsse import sign_statement
from gateway.signing.profiles import DSIG
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document

REPORT_TYPE = "application/vnd.bilateral-gateway.report+json"
"""DSSE payload type of a translation report."""

XML_FORMATS = ("cn.",)
"""Formats that travel as an element of the envelope; others as base64 of their octets."""


def send(services: Services, task: Task) -> Outcome:
    """Deliver a link message to the counterpart; see the steps above."""
    return attempt(services, task, _send)


def hand_over(services: Services, task: Task) -> Outcome:
    """Post a domestic document to the agency's own system; a 2xx takes it over."""
    return attempt(services, task, _hand_over)


def _send(services: Services, task: Task) -> None:
    message, wire = services.store.read(lambda tx: _load(tx, task.message_id))
    counterpart = services.counterparts[message.party]
    if wire is None:
        message, wire = _sign(services, message)
    answer = services.link.post(task.destination, wire, LINK_MEDIA_TYPE, {})
    _judge(services, counterpart, message, answer, wire)


def _load(tx: Transaction, message_id: str) -> tuple[Message, bytes | None]:
    message = tx.message(message_id)
    if message is None:
        raise StateError("not-found", Finding("not-found", "message", message_id))
    return message, tx.content(message_id, "wire")


def _sign(services: Services, message: Message) -> tuple[Message, bytes]:
    """Sign the envelope and the report, and store the bytes before they are sent."""

    def load(tx: Transaction) -> tuple[bytes, str, bytes]:
        body = tx.content(message.id, "translated") or b""
        committed = (tx.content(message.id, "commitment") or b"").decode()
        return body, committed, tx.content(message.id, "report") or b"{}"

    body, committed, report = services.store.read(load)
    unsigned = envelope.build_message(_envelope(services, message, committed), _body(message, body))
    signer = services.message_signer
    wire = sign_document(unsigned, signer, services.counterparts[message.party].ours)
    statement = sign_statement(REPORT_TYPE, report, [services.statement_signer])
    digest = envelope.digest_of(unsigned)
    now = services.clock()
    papers = (
        Paper("wire", wire, LINK_MEDIA_TYPE),
        Paper("report-signature", statement, "application/json", "report"),
    )
    event = ("signed", {"key": signer.key_id})
    signed = step(
        services, "signed", message.id, now, {"digest": digest}, papers=papers, event=event
    )

    def store(tx: Transaction) -> tuple[Message, bytes]:
        if first := tx.content(message.id, "wire"):
            return tx.message(message.id) or message, first
        tx.set_digest(message.id, digest)
        signed.write(tx)
        return tx.message(message.id) or message, wire

    return services.store.commit(store)


def _envelope(services: Services, message: Message, committed: str) -> envelope.Envelope:
    return envelope.Envelope(
        message_id=message.id,
        conversation_id=message.conversation_id,
        ref_to=message.ref_to,
        sender=services.name,
        recipient=message.party,
        document_type=message.document_type,
        document_type_version=services.formats.header(message.document_type).version,
        function=message.function,
        document_version=message.document_version,
        order_key=message.order_key or message.id,
        sequence=message.sequence or 1,
        created=message.created,
        expires=message.created + services.limits.lifetime,
        test=message.test,
        commitment=committed,
        attachments=(),
        profile_version=PROFILE_VERSION,
    )


def _body(message: Message, content: bytes) -> bytes | envelope.Opaque:
    """Return the body: plain canonical XML in place, anything else as its exact octets."""
    if not message.document_type.startswith(XML_FORMATS):
        return envelope.Opaque("application/octet-stream", content)
    root = parse(content)
    signed = next(root.iter(f"{{{DSIG}}}Signature"), None) is not None
    return envelope.Opaque(LINK_MEDIA_TYPE, content) if signed else c14n(root)


def _judge(
    services: Services,
    counterpart: Counterpart,
    message: Message,
    answer: LinkAnswer,
    posted: bytes,
) -> None:
    """Verify and bind what came back; raise unless it is our receipt."""
    root = _read(answer)
    if root is None:
        if answer.status == 503 or answer.status == 429:
            raise CounterpartError("unreachable", retry_after=answer.retry_after)
        code = "receipt-missing" if answer.status == 200 else "bad-answer"
        raise CounterpartError(code, Finding(code, "answer", found=f"HTTP {answer.status}"))
    try:
        verified = verify_document(root, counterpart.receipts, services.clock())
        judged = standing_of(services, counterpart.receipts, verified)
        if kind_of(verified.element) == "Refusal":
            refused = envelope.read_refusal(verified.element)
            _bind(services, message, refused, posted)
            _store_refusal(services, message, refused, answer.body)
            _refused(refused)
        receipt = envelope.read_receipt(verified.element)
        _bind(services, message, receipt, posted)
    except (CounterpartError, UnavailableError):
        raise
    except GatewayError as failure:
        raise CounterpartError("receipt-invalid", *failure.findings) from failure
    _store_receipt(services, message, answer.body, receipt.sequence_gap, judged)


def _read(answer: LinkAnswer) -> etree._Element | None:
    """Parse the answer; None when it is not XML at all (a proxy's page, an empty body)."""
    try:
        return parse(answer.body)
    except GatewayError:
        return None


def _bind(
    services: Services,
    message: Message,
    answer: envelope.Receipt | envelope.Refusal,
    posted: bytes,
) -> None:
    """The answer must be from our counterpart to us, and name this message and its digest.

    A refusal of what could not be verified names no message, only the octets (XP-ERR-003).
    """
    parties = (answer.sender, answer.recipient)
    if isinstance(answer, envelope.Refusal) and not answer.message_id:
        named = (message.id, hashlib.sha256(posted).hexdigest())
        stated = (message.id, answer.digest)
    else:
        named, stated = (message.id, message.digest), (answer.message_id, answer.digest)
    if stated != named or parties != (message.party, services.name):
        found = f"{answer.message_id} {answer.sender} {answer.recipient}"
        expected = f"{message.id} {message.party} {services.name}"
        finding = Finding("receipt-invalid", "binding", "", found, expected)
        raise CounterpartError("receipt-invalid", finding)


def _refused(refused: envelope.Refusal) -> None:
    """Raise what a signed refusal means for us: some can be retried, most are for good."""
    code = "unreachable" if refused.retriable else "refused"
    raise CounterpartError(
        code,
        Finding(refused.code, "refusal", found=refused.code),
        *refused.findings,
        retry_after=refused.retry_after,
    )


def _store_receipt(
    services: Services,
    message: Message,
    receipt: bytes,
    gap: tuple[int, ...],
    judged: tuple[Judged, ...],
) -> None:
    now = services.clock()
    detail: Mapping[str, str] = {"gap": " ".join(map(str, gap))} if gap else {}
    receipted = step(
        services,
        "receipted",
        message.id,
        now,
        {"digest": message.digest},
        papers=[
            Paper("receipt", receipt, LINK_MEDIA_TYPE, EVIDENCE),
            *papers_of(judged, "receipt-"),
        ],
        state=MessageState.RECEIPTED,
        event=("receipted", detail),
    )
    grace = grace_step(services, message.id, judged, now)

    def work(tx: Transaction) -> None:
        receipted.write(tx)
        if grace is not None:
            grace.write(tx)

    services.store.commit(work)


def _store_refusal(
    services: Services, message: Message, refused: envelope.Refusal, content: bytes
) -> None:
    """Keep a signed refusal, whether it can be retried or not: the newest, and a row of each."""
    facts = {"code": refused.code, "refused": message.digest}
    papers = [Paper("refusal", content, LINK_MEDIA_TYPE, EVIDENCE)]
    now = services.clock()
    services.store.commit(
        step(services, "refusal-received", message.id, now, facts, papers=papers).write
    )


def _hand_over(services: Services, task: Task) -> None:
    """Post the document; the agency's system answers with a 2xx once it has it."""

    def load(tx: Transaction) -> tuple[Message, bytes, str]:
        message = tx.message(task.message_id)
        content = tx.content(task.message_id, "translated")
        sent = (d.media_type for d in tx.documents(task.message_id) if d.role == "translated")
        media = next(sent, LINK_MEDIA_TYPE)
        if message is None or content is None:
            raise StateError("not-found", Finding("not-found", "message", task.message_id))
        return message, content, media

    message, content, media = services.store.read(load)
    headers = {
        "Gateway-Message-Id": message.id,
        "Gateway-Document-Type": message.document_type,
        "Gateway-Conversation-Id": message.conversation_id,
    }
    answer = services.link.post(task.destination, content, media, headers)
    if not 200 <= answer.status < 300:
        _agency_refused(answer)
    now = services.clock()
    event = ("delivered", {"to": task.destination})
    state = MessageState.DELIVERED
    services.store.commit(
        step(services, "delivered", message.id, now, state=state, event=event).write
    )


def _agency_refused(answer: LinkAnswer) -> None:
    """Raise for a domestic system that did not take a document: 4xx is for good."""
    permanent = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429)
    code = "refused" if permanent else "unreachable"
    finding = Finding(code, "answer", found=f"HTTP {answer.status}")
    raise CounterpartError(code, finding, retry_after=answer.retry_after)
