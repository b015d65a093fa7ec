"""An accepted message goes on to the agencies of this side.

    1 load       the accepted document, decoded again from its stored bytes
    2 as it is   to agencies that want the counterpart's own format
    3 response   statuses are folded anew, answers go to who declared (gateway.flows.answer)
    4 manifest   joined with its other half, translated for the agencies that want that
    5 done       the message is distributed

It runs in the worker, after the receipt has left: a fault in a domestic table is an
operator's case (a dead task), never a refusal of the counterpart's message.
"""

from gateway.codec import join
from gateway.codec.formats import Decoded
from gateway.errors import Finding, StateError
from gateway.flows import answer, gather, versions
from gateway.flows.attempts import attempt
from gateway.flows.domestic import Product, hand_out
from gateway.flows.outgoing import LINK_MEDIA_TYPE
from gateway.flows.ports import Half, Message, Task, Transaction
from gateway.flows.record import step
from gateway.flows.retry import Outcome
from gateway.flows.services import Services
from gateway.model.manifest import Function, Manifest
from gateway.model.parameters import Parameters
from gateway.model.response import Response
from gateway.model.states import MessageState


def distribute(services: Services, task: Task) -> Outcome:
    """Hand an accepted message on; see the steps above. Runs again without doing it twice:
    all of it is one commit that the message's state guards."""
    return attempt(services, task, _distribute)


def _distribute(services: Services, task: Task) -> None:
    services.store.commit(lambda tx: _hand_on(services, tx, task.message_id))


def _hand_on(services: Services, tx: Transaction, message_id: str) -> None:
    message = tx.message(message_id)
    content = tx.content(message_id, "original")
    if message is None or content is None:
        raise StateError("not-found", Finding("not-found", "message", message_id))
    if message.state not in (MessageState.ACCEPTED, MessageState.DEAD):
        return
    if not versions.in_force(services, tx, message):
        return
    decoded = services.formats.decode(message.document_type, content)
    as_it_is = Product(message, message.document_type, content, LINK_MEDIA_TYPE, decoded.document)
    hand_out(services, tx, as_it_is, services.takers(message.document_type))
    if isinstance(decoded.document, Response):
        answer.apply(services, tx, message, decoded)
    elif _meet(services, tx, message, decoded) is MessageState.WAITING:
        return
    now, state = services.clock(), MessageState.DISTRIBUTED
    step(services, "passed-on", message_id, now, state=state, event=("distributed", {})).write(tx)


def _meet(
    services: Services, tx: Transaction, message: Message, decoded: Decoded
) -> MessageState | None:
    """Join an inbound half with the others of its batch, where a route asks for it."""
    routed = services.routes.targets(services.side, "inbound", message.document_type)
    if not routed or not isinstance(decoded.document, Manifest):
        return None
    roles = services.formats.header(decoded.format).roles
    facts = join.half_of(decoded.document, Parameters(), roles)
    before = versions.inherit(services, tx, message)
    if decoded.document.function is Function.CANCEL:
        _take_back(services, tx, before)
        return None
    half = Half(
        message_id=message.id,
        submitter=message.party,
        role=facts.role,
        set_id=before.set_id if before else message.conversation_id,
        day=facts.day,
        keys=facts.keys,
        state="waiting",
        deadline=services.clock() + services.limits.half_waits,
    )
    tx.add_half(half)
    if before is not None:
        return gather.advance(services, tx, half, "replaces")
    return gather.meet(services, tx, half)


def _take_back(services: Services, tx: Transaction, before: Half | None) -> None:
    """A cancelled half leaves its set; the others wait again."""
    for other in tx.halves_of(before.set_id) if before else ():
        tx.set_half(other.message_id, state="waiting", set_id=other.set_id)
        step(
            services,
            "waiting",
            other.message_id,
            services.clock(),
            state=MessageState.WAITING,
            event=("waiting", {"reason": "cancelled"}),
        ).write(tx)
