"""Hand a document to the agencies that want it: one message per agency, queued or ready."""

import hashlib
from dataclasses import dataclass

import msgspec

from gateway.errors import Finding
from gateway.flows import keys
from gateway.flows.ports import Message, Transaction
from gateway.flows.record import Paper, first_step
from gateway.flows.services import Agency, Services
from gateway.model.states import INTERNAL, MessageKind, MessageState, TaskKind
from gateway.model.values import Canonical


@dataclass(frozen=True, slots=True)
class Product:
    """A document made for agencies. cause: the message that it stems from. findings: of a
    draft, what is missing."""

    cause: Message
    document_type: str
    content: bytes
    media_type: str
    document: Canonical
    report: bytes = b""
    draft: bool = False
    findings: tuple[Finding, ...] = ()


def hand_out(
    services: Services, tx: Transaction, product: Product, takers: tuple[Agency, ...]
) -> None:
    """Store the product once per agency: queued where it is posted, else ready to be fetched."""
    for agency in takers:
        _hand_out(services, tx, product, agency)


def _hand_out(services: Services, tx: Transaction, product: Product, agency: Agency) -> None:
    now = services.clock()
    destination = agency.deliver.destination if agency.deliver else None
    message_id = services.ids()
    cause = product.cause
    message = Message(
        id=message_id,
        kind=MessageKind.DOMESTIC,
        party=agency.name,
        external_id=message_id,
        conversation_id=cause.conversation_id,
        document_type=product.document_type,
        state=MessageState.QUEUED if destination else MessageState.READY,
        digest=hashlib.sha256(product.content).hexdigest(),
        created=now,
        ref_to=cause.id,
        order_key=cause.order_key,
        test=cause.test,
        keys=keys.search_keys(product.document),
    )
    tx.add_message(message)
    missing = {f"missing-{n}": f.path for n, f in enumerate(product.findings[:40], 1)}
    told = (
        "draft" if product.draft else "queued" if destination else "ready",
        {"format": product.document_type, **missing},
    )
    first_step(services, "distributed", message, _papers(product), told).write(tx)
    if product.report:
        tx.enqueue(TaskKind.SEAL, message_id, INTERNAL, message_id, now)
    if destination:
        key = cause.order_key or cause.id
        tx.enqueue(TaskKind.HAND_OVER, message_id, destination, key, now)


def _papers(product: Product) -> list[Paper]:
    canonical = msgspec.json.encode(product.document)
    papers = [
        Paper("translated", product.content, product.media_type),
        Paper("canonical", canonical, "application/json"),
    ]
    if product.report:
        papers.append(Paper("report", product.report, "application/json", "report"))
    return papers
