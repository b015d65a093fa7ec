"""A response of the other side's customs: statuses are folded, answers go out.

1 correlate  by the message id that it echoes, else by batch number and waybills
2 fold       all responses to that message, from the stored bytes
3 project    one status row per waybill, container, declaration and truck
4 answer     one document per declaration, for the agency that declared it
"""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from gateway.codec import report as reports
from gateway.codec.answers import Declared, Due, answers, declared
from gateway.codec.formats import Decoded
from gateway.errors import DocumentError, Finding
from gateway.evidence.rows import SALT_SIZE
from gateway.flows.domestic import Product, hand_out
from gateway.flows.holds import follow
from gateway.flows.ports import Event, Message, StatusRow, Transaction
from gateway.flows.record import step
from gateway.flows.services import Agency, Services
from gateway.model.manifest import Manifest
from gateway.model.response import Response
from gateway.model.states import MessageKind
from gateway.model.status import Discrepancy, Received, Standing, View, fold

ANSWER = "vn.vnsw.answer"


def apply(services: Services, tx: Transaction, message: Message, decoded: Decoded) -> None:
    """Fold a response into the crossing that it answers, and answer the declarations.

    DocumentError `reference-unknown` when it fits no message, or more than one: it stays
    parked, and an operator sees it.
    """
    request = _request(services, tx, decoded.document)
    if message.conversation_id != request.conversation_id:
        tx.move_to(message.id, request.conversation_id)
        follow(services, tx, message.conversation_id, request.conversation_id)
        facts = {"conversation": request.conversation_id}
        step(services, "joined", message.id, services.clock(), facts).write(tx)
        message = replace(message, conversation_id=request.conversation_id)
    manifest = msgspec.json.decode(tx.content(request.id, "canonical") or b"{}", type=Manifest)
    declarations = declared(manifest)
    received = _received(services, tx, request, message)
    view = _folded(received, declarations)
    _project(services, tx, request, view)
    _tell(services, tx, message, _new(view, received, message, declarations))
    profile = services.counterparts[message.party].profile
    for due in answers(view, received, declarations, profile, services.ids):
        _give(services, tx, message, decoded, request, due)


def _folded(received: list[Received], declarations: tuple[Declared, ...]) -> View:
    waybills = [waybill for each in declarations for waybill in each.waybills]
    return fold(received, waybills, {each.reference: each.waybills for each in declarations})


def _new(
    view: View, received: list[Received], message: Message, declarations: tuple[Declared, ...]
) -> list[Discrepancy]:
    """Return what this response revealed, also about one that was sent later than it."""
    before = _folded([each for each in received if each.by != message.id], declarations)
    return [found for found in view.discrepancies if found not in before.discrepancies]


def _tell(services: Services, tx: Transaction, message: Message, found: list[Discrepancy]) -> None:
    for each in found:
        seen = {"axis": each.axis, "subject": each.subject, "code": each.code}
        tx.add_event(message.id, Event(services.clock(), each.kind, seen))


def _has_waybills(services: Services, message: Message) -> bool:
    """Waybills stand in the goods document; the truck's has only the batch in common."""
    return "goods" in services.formats.header(message.document_type).roles


def _request(services: Services, tx: Transaction, response: Response) -> Message:
    """Find our message that a response answers."""
    for reference in (i.value for i in response.refers if i.scheme == "cn.message"):
        for name in (reference, reference.removesuffix("DEL")):
            found = _outbound(tx, ("reference", name))
            if len(found) == 1:
                return found[0]
    for batch in (i.value for i in response.refers if i.scheme == "cn.road-batch"):
        stated = {("waybill", s.id) for s in response.waybills}
        found = [
            m
            for m in _outbound(tx, ("batch", batch))
            if stated and stated <= set(m.keys) and _has_waybills(services, m)
        ]
        if len(found) == 1:
            return found[0]
    unmatched = Finding("reference-unknown", "response-unmatched", "Head/MessageID")
    raise DocumentError("reference-unknown", unmatched)


def _outbound(tx: Transaction, key: tuple[str, str]) -> list[Message]:
    page = tx.search(key=key, kind=MessageKind.OUTBOUND, limit=10)
    return list(page.messages)


def _received(
    services: Services, tx: Transaction, request: Message, newest: Message
) -> list[Received]:
    """Return all responses to our message, the new one included."""
    responses = {
        m.id: m
        for m in (*tx.conversation(request.conversation_id), newest)
        if m.kind is MessageKind.INBOUND and m.document_type == newest.document_type
    }
    found = []
    for each in responses.values():
        content = tx.content(each.id, "original") or b""
        response = services.formats.decode(each.document_type, content).document
        if isinstance(response, Response):
            found.append(Received(response, each.id, each.digest))
    return found


def _project(services: Services, tx: Transaction, request: Message, view: View) -> None:
    """Store where everything stands. The rows can be dropped and folded again."""

    def put(axis: str, subject: str, standing: Standing) -> None:
        since = _instant(standing.since) or services.clock()
        note = "disputed" if standing.disputed else standing.code
        tx.put_status(
            StatusRow(
                request.conversation_id, axis, subject, standing.state, since, standing.by, note
            )
        )

    for subject, standing in view.waybills.items():
        put("waybill", subject, standing)
    for subject, standing in view.equipment.items():
        put("equipment", subject, standing)
    for subject, state in view.declarations.items():
        put("declaration", subject, Standing(state))
    if view.transmission.code:
        put("transmission", request.id, view.transmission)
    put("truck", request.order_key or request.id, Standing(view.truck))


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _give(
    services: Services,
    tx: Transaction,
    message: Message,
    decoded: Decoded,
    request: Message,
    due: Due,
) -> None:
    """Hand an answer to the agencies that declared, once."""
    takers = _declarants(services, tx, request)
    key = f"{request.id}|{due.declaration}|{due.key}"
    if not takers or tx.allocate("answer", key, message.id) != message.id:
        return
    encoded = services.formats.encode(ANSWER, due.answer, {})
    salt = services.randomness(SALT_SIZE)
    product = Product(
        cause=message,
        document_type=ANSWER,
        content=encoded.content,
        media_type=encoded.media_type,
        document=due.answer,
        report=reports.build([decoded], None, [encoded], salt=salt).to_bytes(),
    )
    hand_out(services, tx, product, takers)
    said = {"declaration": due.declaration, "function": due.answer.function}
    step(services, "answered", message.id, services.clock(), event=("answered", said)).write(tx)


def _declarants(services: Services, tx: Transaction, request: Message) -> tuple[Agency, ...]:
    """Return the agencies that handed in something of this crossing and want answers."""
    parties = {
        m.party
        for m in tx.conversation(request.conversation_id)
        if m.kind is MessageKind.SUBMISSION
    }
    return tuple(agency for agency in services.takers(ANSWER) if agency.name in parties)
