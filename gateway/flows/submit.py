"""An agency hands in documents.

    1 permit     number and sizes
    2 open       the agency's signature, where its formats are signed (gateway.flows.intake)
    3 decode     every document, all findings at once; formats that it may submit
    4 repeat     a known Idempotency-Key gets its first answer
    5 store      message, original, parameters, evidence
    6 pass on    a document that travels as it is becomes a link message
    7 join       the others meet their other half, or wait
    8 translate  a closed set becomes link messages (gateway.flows.translate)
    9 commit     one durable commit; the worker signs and sends

A refusal leaves nothing but its own row of evidence: the identical bytes are judged anew.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gateway.codec import join
from gateway.errors import DocumentError, Finding, GatewayError, StateError
from gateway.flows import gather
from gateway.flows.intake import SIGNED, Intake, Upload, permit, read_uploads
from gateway.flows.keys import search_keys
from gateway.flows.outgoing import Parts, queue_message
from gateway.flows.ports import Half, Message, Transaction
from gateway.flows.record import Paper, first_step, step
from gateway.flows.services import Agency, Services
from gateway.flows.standing import grace_step, papers_of
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters
from gateway.model.response import Response
from gateway.model.states import MessageKind, MessageState


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission. replayed: this is a stored first answer."""

    messages: tuple[str, ...]
    conversation_id: str
    state: str
    replayed: bool = False


def submit(
    services: Services,
    agency: Agency,
    uploads: Sequence[Upload],
    parameters: Parameters,
    idempotency_key: str | None = None,
) -> Submitted:
    """Accept documents of an agency; see the steps above.

    Raises GatewayError with all findings of all documents: nothing was accepted then.
    """
    body = _body_digest(uploads, parameters)
    try:
        permit(services, uploads)
        intakes = read_uploads(services, agency, uploads)
        return services.store.commit(
            lambda tx: _accept(services, tx, agency, intakes, parameters, idempotency_key, body)
        )
    except GatewayError as failure:
        _record_refusal(services, agency, body, failure)
        raise


def _accept(
    services: Services,
    tx: Transaction,
    agency: Agency,
    intakes: tuple[Intake, ...],
    parameters: Parameters,
    key: str | None,
    body: str,
) -> Submitted:
    if key and (answer := _repeat(tx, agency, key, body)):
        return answer
    conversation = services.ids()
    for intake in intakes:
        _store(services, tx, agency, intake, parameters, conversation)
    states = [_advance(services, tx, agency, intake, parameters) for intake in intakes]
    first = tx.message(intakes[0].id)
    done = Submitted(
        tuple(intake.id for intake in intakes),
        first.conversation_id if first else conversation,
        str(states[-1]),
    )
    if key:
        answer_text = msgspec.json.encode(done).decode()
        if not tx.remember(agency.name, key, body, answer_text, services.clock()):
            raise StateError("in-flight")  # another node accepted this key just now
    return done


def _repeat(tx: Transaction, agency: Agency, key: str, body: str) -> Submitted | None:
    known = tx.remembered(agency.name, key)
    if known is None:
        return None
    if known[0] != body:
        raise StateError("key-reused", Finding("key-reused", "idempotency-key"))
    stored = msgspec.json.decode(known[1], type=Submitted)
    return Submitted(stored.messages, stored.conversation_id, stored.state, replayed=True)


def _store(
    services: Services,
    tx: Transaction,
    agency: Agency,
    intake: Intake,
    parameters: Parameters,
    conversation: str,
) -> None:
    now = services.clock()
    decoded, upload = intake.decoded, intake.upload
    message = Message(
        id=intake.id,
        kind=MessageKind.SUBMISSION,
        party=agency.name,
        external_id=intake.id,
        conversation_id=conversation,
        document_type=decoded.format,
        state=MessageState.WAITING,
        digest=hashlib.sha256(upload.content).hexdigest(),
        created=now,
        test=services.test,
        keys=search_keys(decoded.document),
    )
    tx.add_message(message)
    papers = (
        Paper("original", upload.content, intake.media_type),
        Paper("canonical", msgspec.json.encode(decoded.document), "application/json"),
        Paper("parameters", msgspec.json.encode(parameters), "application/json"),
        *_signed_papers(services, intake),
    )
    facts = _signature_facts(intake)
    event = ("received", {"format": decoded.format, **facts})
    first_step(services, "submitted", message, papers, event, facts).write(tx)
    if graced := grace_step(services, intake.id, intake.judged, now):
        graced.write(tx)


def _signed_papers(services: Services, intake: Intake) -> tuple[Paper, ...]:
    """Return what was signed, apart from its signature, and how the signer stood."""
    if intake.opened is None:
        return ()
    media = services.formats.header(intake.decoded.format).media_type
    return (Paper(SIGNED, intake.content, media), *papers_of(intake.judged))


def _signature_facts(intake: Intake) -> dict[str, str]:
    """Return who signed an upload, and how that is known: for its timeline and its evidence."""
    opened = intake.opened
    if opened is None:
        return {}
    at = opened.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"signer": opened.fingerprint, "signed-at": at, "signing-time": opened.proof.value}


def _advance(
    services: Services,
    tx: Transaction,
    agency: Agency,
    intake: Intake,
    parameters: Parameters,
) -> MessageState:
    """Pass the document on, or join it with what waits; return its state."""
    if services.routes.passes(services.side, intake.decoded.format):
        return _pass_on(services, tx, intake)
    manifest = intake.decoded.document
    if not isinstance(manifest, Manifest):
        unmapped = Finding("type-unknown", "route", intake.upload.name, intake.decoded.format)
        raise DocumentError("type-unknown", unmapped)
    roles = services.formats.header(intake.decoded.format).roles
    facts = join.half_of(manifest, parameters, roles, intake.decoded.head)
    half = Half(
        message_id=intake.id,
        submitter=agency.name,
        role=facts.role,
        set_id=_conversation(tx, intake.id),
        day=facts.day,
        keys=facts.keys,
        state="waiting",
        deadline=services.clock() + services.limits.half_waits,
    )
    tx.add_half(half)
    return gather.meet(services, tx, half)


def _conversation(tx: Transaction, message_id: str) -> str:
    message = tx.message(message_id)
    return message.conversation_id if message else message_id


def _pass_on(services: Services, tx: Transaction, intake: Intake) -> MessageState:
    """Queue a document of the counterpart's own formats as it is, octets unchanged; of a signed
    one what was signed."""
    decoded = intake.decoded
    report = gather.passing_report(services, decoded)
    conversation, answered = _answered(tx, intake)
    tx.move_to(intake.id, conversation)
    queue_message(
        services,
        tx,
        Parts(
            conversation_id=conversation,
            ref_to=answered,
            document_type=decoded.format,
            content=intake.content,
            document=decoded.document,
            head=decoded.head,
            report=report,
            originals=(intake.upload.content,),
        ),
    )
    step(
        services,
        "forwarded",
        intake.id,
        services.clock(),
        {"conversation": conversation},
        state=MessageState.FORWARDED,
        event=("forwarded", {"format": decoded.format}),
    ).write(tx)
    return MessageState.FORWARDED


def _answered(tx: Transaction, intake: Intake) -> tuple[str, str | None]:
    """Return the conversation that a response belongs to, and the message that it answers."""
    document = intake.decoded.document
    refers = document.refers if isinstance(document, Response) else ()
    for reference in (i.value for i in refers if i.scheme == "cn.message"):
        key = ("reference", reference)
        for request in tx.search(key=key, kind=MessageKind.INBOUND, limit=1).messages:
            return request.conversation_id, request.external_id
    return _conversation(tx, intake.id), None


def _body_digest(uploads: Sequence[Upload], parameters: Parameters) -> str:
    """Digest of a whole request, for the Idempotency-Key."""
    total = hashlib.sha256()
    for part in (*(u.content for u in uploads), msgspec.json.encode(parameters)):
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def _record_refusal(services: Services, agency: Agency, body: str, failure: GatewayError) -> None:
    """Keep evidence of a refusal. It consumes no id."""
    if failure.retriable:
        return
    now = services.clock()
    facts = {"agency": agency.name, "digest": body, "code": failure.code}
    services.store.commit(step(services, "refused", "", now, facts).write)
