"""What agencies ask: one message, its documents, a search, a crossing, a resend.

An agency sees what it handed in, what was made for it, and the conversations that these
belong to; an operator sees all. Personal values are projected away by the agency's profile.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from gateway.codec.formats import project
from gateway.errors import AccessError, Finding, StateError
from gateway.flows.bundle import export
from gateway.flows.ports import Document, Event, Message, StatusRow, Task, Transaction
from gateway.flows.record import step
from gateway.flows.services import Agency, Services
from gateway.model.manifest import Manifest
from gateway.model.states import MessageKind, MessageState

KEPT_IN = frozenset({"parameters", "commitment-salt", "commitment"})
"""Roles of documents that no interface shows."""

OWN_WORDS = frozenset({"original", "signed", "wire", "translated"})
"""Documents with personal values in somebody's own words: for the agency that they are from,
and for those that may read all personal values."""

PERSONAL = frozenset({"crew", "communications", "contact"})
"""What an agency's profile must disclose before it may read documents of others."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as an agency sees it."""

    message: Message
    events: tuple[Event, ...]
    documents: tuple[Document, ...]
    pending: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class PageView:
    """One page of messages; cursor leads to the next."""

    messages: tuple[Message, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CrossingView:
    """All messages of one conversation and where its parts stand."""

    conversation_id: str
    messages: tuple[Message, ...]
    statuses: tuple[StatusRow, ...]
    events: tuple[tuple[str, Event], ...]


def status(services: Services, agency: Agency, message_id: str) -> MessageView:
    """Return a message with its timeline. StateError `not-found`, also when it is not the
    agency's: who may not see it does not learn that it exists."""

    def work(tx: Transaction) -> MessageView:
        message = _visible(tx, agency, message_id)
        documents = tuple(d for d in tx.documents(message_id) if d.role not in KEPT_IN)
        return MessageView(message, tx.events(message_id), documents, tx.pending(message_id))

    return services.store.read(work)


def document(
    services: Services, agency: Agency, message_id: str, role: str
) -> tuple[Document, bytes]:
    """Return a document of a message. The canonical one without the personal subtrees that
    the agency may not read; it has a digest of its own then."""

    def work(tx: Transaction) -> tuple[Message, bool, Document | None, bytes | None]:
        message = _visible(tx, agency, message_id)
        found = next((d for d in tx.documents(message_id) if d.role == role), None)
        return message, _own(tx, agency, message), found, tx.content(message_id, role)

    message, own, found, content = services.store.read(work)
    if found is None or content is None or role in KEPT_IN:
        raise StateError("not-found", Finding("not-found", "document", role))
    if role in OWN_WORDS and not own and not agency.disclose >= PERSONAL:
        raise AccessError("forbidden", Finding("forbidden", "personal-values", role))
    kind = services.formats.header(message.document_type).canonical
    if role != "canonical" or kind != "manifest":
        return found, content
    manifest = msgspec.json.decode(content, type=Manifest)
    shown = msgspec.json.encode(project(manifest, agency.disclose))
    digest = hashlib.sha256(shown).hexdigest()
    return Document(role, digest, found.media_type, len(shown)), shown


def search(
    services: Services,
    agency: Agency,
    *,
    key: tuple[str, str] | None = None,
    kind: MessageKind | None = None,
    state: MessageState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> PageView:
    """Return messages that the agency may see, newest first."""
    party = None if agency.sees_all else agency.name
    page = services.store.read(
        lambda tx: tx.search(key=key, kind=kind, party=party, state=state, after=after, limit=limit)
    )
    return PageView(page.messages, page.cursor)


def crossings(services: Services, agency: Agency, key: tuple[str, str]) -> tuple[CrossingView, ...]:
    """Return the conversations in which a plate, container, seal ... occurs, newest first."""

    def work(tx: Transaction) -> tuple[str, ...]:
        page = tx.search(key=key, limit=200)
        return tuple(dict.fromkeys(m.conversation_id for m in page.messages))

    found = services.store.read(work)
    views = (_crossing(services, agency, conversation) for conversation in found)
    return tuple(view for view in views if view is not None)


def crossing(services: Services, agency: Agency, conversation_id: str) -> CrossingView:
    """Return one conversation. StateError `not-found` when the agency has no part in it."""
    view = _crossing(services, agency, conversation_id)
    if view is None:
        raise StateError("not-found", Finding("not-found", "crossing", conversation_id))
    return view


def _crossing(services: Services, agency: Agency, conversation_id: str) -> CrossingView | None:
    def work(tx: Transaction) -> CrossingView | None:
        messages = tx.conversation(conversation_id)
        if not agency.sees_all and all(m.party != agency.name for m in messages):
            return None
        events = [(m.id, event) for m in messages for event in tx.events(m.id)]
        events.sort(key=lambda pair: pair[1].at)
        return CrossingView(conversation_id, messages, tx.status(conversation_id), tuple(events))

    return services.store.read(work)


def _visible(tx: Transaction, agency: Agency, message_id: str) -> Message:
    message = tx.message(message_id)
    if message is None or not _may_see(tx, agency, message):
        raise StateError("not-found", Finding("not-found", "message", message_id))
    return message


def _may_see(tx: Transaction, agency: Agency, message: Message) -> bool:
    if agency.sees_all or message.party == agency.name:
        return True
    return any(m.party == agency.name for m in tx.conversation(message.conversation_id))


def _own(tx: Transaction, agency: Agency, message: Message) -> bool:
    """True for an agency's own message, and for what was sent on from its documents."""
    if message.party == agency.name:
        return True
    return message.kind is MessageKind.OUTBOUND and any(
        m.party == agency.name and m.kind is MessageKind.SUBMISSION
        for m in tx.conversation(message.conversation_id)
    )


def resend(services: Services, agency: Agency, message_id: str) -> int:
    """Queue the given-up tasks of a message again; return how many.

    StateError `conflict` when nothing of it was given up.
    """
    now = services.clock()

    def work(tx: Transaction) -> int:
        message = _visible(tx, agency, message_id)
        count = tx.revive(message_id, now)
        if not count:
            raise StateError("conflict", Finding("conflict", "nothing-given-up", message_id))
        inbound = message.kind is MessageKind.INBOUND
        state = MessageState.ACCEPTED if inbound else MessageState.QUEUED
        event = ("resent", {"by": agency.name})
        step(services, "resent", message_id, now, state=state, event=event).write(tx)
        return count

    return services.store.commit(work)


def bundle(services: Services, agency: Agency, message_id: str) -> bytes:
    """Return the evidence of a message and its conversation as a file that verifies offline
    (docs/evidence.md). Documents that the agency may not read are named in it and left out.
    StateError as `status`; UnavailableError when it cannot be signed now."""
    services.store.read(lambda tx: _visible(tx, agency, message_id))
    personal = OWN_WORDS | KEPT_IN | {"canonical"}

    def may(message: Message, role: str) -> bool:
        whole = agency.disclose >= PERSONAL
        return role not in personal or whole or (message.party == agency.name and role in OWN_WORDS)

    return export(services, message_id, may)
