"""Which version of a document counts (exchange profile, XP-ORD).

A document is known by its sender, type and order key, and for a vehicle document by the truck
too: several trucks may share a batch. The highest version counts, in whatever order they
arrive; a lower one that comes later is stored and changes nothing. Events (responses) have no
versions.
"""

from gateway.errors import Finding, StateError
from gateway.flows.holds import follow
from gateway.flows.ports import Half, Message, Transaction
from gateway.flows.record import step
from gateway.flows.services import Services
from gateway.model.states import MessageKind, MessageState

MOST_VERSIONS = 200


def subject(services: Services, document_type: str, keys: tuple[tuple[str, str], ...]) -> str:
    """Return what tells documents of one order key apart: the plates of a vehicle document."""
    if services.formats.header(document_type).roles != ("vehicle",):
        return ""
    return " ".join(sorted(value for kind, value in keys if kind == "plate"))


def has_versions(services: Services, document_type: str) -> bool:
    """True for documents that replace each other; False for events."""
    return services.formats.header(document_type).canonical == "manifest"


def others(services: Services, tx: Transaction, message: Message) -> tuple[Message, ...]:
    """Return the accepted messages with other versions of the same document."""
    if message.order_key is None or not has_versions(services, message.document_type):
        return ()
    page = tx.search(
        key=("batch", message.order_key),
        kind=MessageKind.INBOUND,
        party=message.party,
        limit=MOST_VERSIONS,
    )
    same = subject(services, message.document_type, message.keys)
    return tuple(
        other
        for other in page.messages
        if other.id != message.id
        and (other.document_type, other.order_key) == (message.document_type, message.order_key)
        and subject(services, other.document_type, other.keys) == same
    )


def check_new(services: Services, tx: Transaction, message: Message) -> None:
    """Refuse a second message with one version of one document (XP-ORD-009).

    StateError `conflict`.
    """
    for other in others(services, tx, message):
        if other.document_version == message.document_version:
            found = Finding(
                "conflict",
                "document-version",
                "Envelope/DocumentVersion",
                str(message.document_version),
                f"a version that {other.external_id} does not have",
            )
            raise StateError("conflict", found)


def in_force(services: Services, tx: Transaction, message: Message) -> bool:
    """Say whether a message counts; mark it, or those below it, as superseded."""
    versions = others(services, tx, message)
    if any(other.document_version > message.document_version for other in versions):
        _supersede(services, tx, message)
        return False
    for other in versions:
        if other.state is not MessageState.SUPERSEDED:
            _supersede(services, tx, other)
    return True


def _supersede(services: Services, tx: Transaction, message: Message) -> None:
    now, state = services.clock(), MessageState.SUPERSEDED
    step(services, "superseded", message.id, now, state=state, event=("superseded", {})).write(tx)


def inherit(services: Services, tx: Transaction, message: Message) -> Half | None:
    """Take the place of the version before in its set; return that half, if there was one."""
    for other in others(services, tx, message):
        half = tx.half(other.id)
        if half is not None and half.set_id != other.id:
            tx.set_half(other.id, state="joined", set_id=other.id)
            tx.move_to(message.id, half.set_id)
            follow(services, tx, message.conversation_id, half.set_id)
            facts = {"conversation": half.set_id}
            step(services, "joined", message.id, services.clock(), facts).write(tx)
            return half
    return None
