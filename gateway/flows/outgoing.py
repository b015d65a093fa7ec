"""Queue a document for the link: message, documents, evidence and task in one commit.

It is stored unsigned; the worker signs, stores the signed bytes, then sends them, so that
an agency never waits for a key that is elsewhere (docs/decisions.md).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

import msgspec

from gateway.evidence.rows import SALT_SIZE, commitment
from gateway.flows import keys, versions
from gateway.flows.ports import Message, Transaction
from gateway.flows.record import EVIDENCE, Paper, first_step
from gateway.flows.services import Services
from gateway.model.states import MessageKind, MessageState, TaskKind
from gateway.model.values import Canonical

LINK_MEDIA_TYPE = "application/xml"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a link message is made of. content: the body's exact octets. head: transport
    values of the document (its own message id ...). originals: what the agency handed in,
    in the order in which they joined. parameters: what was stated beside them, as JSON;
    empty when nothing was."""

    conversation_id: str
    document_type: str
    content: bytes
    document: Canonical
    head: Mapping[str, str]
    report: bytes
    originals: tuple[bytes, ...]
    parameters: bytes = b""
    ref_to: str | None = None


def queue_message(services: Services, tx: Transaction, parts: Parts) -> str:
    """Store a link message and the task that sends it; return its id."""
    counterpart = services.counterpart()
    message = _message(services, tx, parts, counterpart.name)
    salt = services.randomness(SALT_SIZE)
    tx.add_message(message)
    event = ("queued", {"format": parts.document_type})
    first_step(services, "queued", message, _papers(parts, salt), event).write(tx)
    tx.enqueue(
        TaskKind.SEND,
        message.id,
        counterpart.destination,
        message.order_key or message.id,
        message.created,
    )
    return message.id


def _papers(parts: Parts, salt: bytes) -> list[Paper]:
    """List what is kept of a message before it is signed."""
    stated = (parts.parameters,) if parts.parameters else ()
    committed = commitment(salt, (*parts.originals, *stated)).encode()
    canonical = msgspec.json.encode(parts.document)
    return [
        Paper("translated", parts.content, LINK_MEDIA_TYPE),
        Paper("canonical", canonical, "application/json"),
        Paper("report", parts.report, "application/json", "report"),
        Paper("commitment-salt", salt, "application/octet-stream", EVIDENCE),
        *(Paper("parameters", content, "application/json") for content in stated),
        Paper("commitment", committed, "text/plain", EVIDENCE),
    ]


def _message(services: Services, tx: Transaction, parts: Parts, party: str) -> Message:
    message_id = services.ids()
    order_key = keys.order_key(services, parts.document_type, parts.document) or message_id
    thing = f"{party}|{order_key}"
    found = keys.search_keys(parts.document)
    same = versions.subject(services, parts.document_type, found)
    versioned = versions.has_versions(services, parts.document_type)
    version = tx.count(f"version|{parts.document_type}|{thing}|{same}") if versioned else 1
    own_id = parts.head.get("messageId")
    created = services.clock()
    return Message(
        id=message_id,
        kind=MessageKind.OUTBOUND,
        party=party,
        external_id=message_id,
        conversation_id=parts.conversation_id,
        document_type=parts.document_type,
        state=MessageState.QUEUED,
        digest=hashlib.sha256(parts.content).hexdigest(),
        created=created,
        function=keys.function(parts.document),
        document_version=version,
        order_key=order_key,
        sequence=tx.count(f"sequence|{thing}"),
        ref_to=parts.ref_to,
        test=services.test,
        day=created.astimezone(UTC).date().isoformat(),
        keys=(*found, ("reference", own_id)) if own_id else found,
    )
