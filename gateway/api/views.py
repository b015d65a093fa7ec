"""What the agencies' interface shows: the shapes of its answers (OpenAPI 3.1)."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from gateway import texts
from gateway.flows.ports import Event, Message
from gateway.flows.query import CrossingView, MessageView
from gateway.flows.submit import Submitted


class Link(BaseModel):
    """A message by its id."""

    id: str
    href: str


class Submission(BaseModel):
    """What became of a submission."""

    messages: list[Link] = Field(description="One for each document, in the order sent.")
    conversation_id: str = Field(description="Changes when a document joins a waiting one.")
    state: str = Field(description="State of the last document when it was accepted.")
    state_text: str
    replayed: bool = Field(description="The stored first answer to this Idempotency-Key.")


class SearchKey(BaseModel):
    """Something that a message is found by."""

    kind: str = Field(description="plate, container, seal, batch, declaration, waybill ...")
    value: str


class MessageSummary(BaseModel):
    """A message in a list."""

    id: str
    href: str
    kind: str = Field(description="submission, outbound, inbound or domestic.")
    party: str = Field(description="The agency, or the counterpart.")
    conversation_id: str
    document_type: str
    state: str
    state_text: str
    function: str
    document_version: int
    created: datetime
    order_key: str | None = None
    sequence: int | None = None
    ref_to: str | None = None
    test: bool
    keys: list[SearchKey]


class TimelineEntry(BaseModel):
    """One thing that happened."""

    at: datetime
    code: str = Field(description="Stable.")
    text: str = Field(description="Words for `code`, in the language of the answer.")
    detail: dict[str, str]
    message_id: str


class DocumentEntry(BaseModel):
    """A stored document of a message."""

    role: str
    href: str
    digest: str = Field(description="Hex SHA-256 of the stored bytes.")
    media_type: str
    size: int


class PendingEntry(BaseModel):
    """Work that is still to be done for a message."""

    kind: str
    destination: str
    attempts: int


class MessageDetail(MessageSummary):
    """A message with its timeline."""

    digest: str = Field(description="Hex SHA-256 of the signed content, or of the document.")
    timeline: list[TimelineEntry]
    documents: list[DocumentEntry]
    pending: list[PendingEntry]


class MessageList(BaseModel):
    """One page, newest first."""

    messages: list[MessageSummary]
    next: str | None = Field(description="Give it as `after`; null on the last page.")


class StatusEntry(BaseModel):
    """Where a waybill, a piece of equipment, a declaration or the truck stands."""

    axis: str
    subject: str
    state: str
    state_text: str
    since: datetime
    by: str = Field(description="Message id of the response that moved it.")
    note: str


class Crossing(BaseModel):
    """One crossing: all its messages, and where its parts stand."""

    conversation_id: str
    href: str
    messages: list[MessageSummary]
    statuses: list[StatusEntry]
    timeline: list[TimelineEntry]


class CrossingList(BaseModel):
    """Crossings, newest first."""

    crossings: list[Crossing]


def submission(done: Submitted, lang: str) -> Submission:
    """Show what became of a submission."""
    return Submission(
        messages=[Link(id=each, href=f"/v1/messages/{each}") for each in done.messages],
        conversation_id=done.conversation_id,
        state=done.state,
        state_text=texts.state(done.state, lang),
        replayed=done.replayed,
    )


def summary(message: Message, lang: str) -> MessageSummary:
    """Show a message in a list."""
    return MessageSummary(
        id=message.id,
        href=f"/v1/messages/{message.id}",
        kind=str(message.kind),
        party=message.party,
        conversation_id=message.conversation_id,
        document_type=message.document_type,
        state=str(message.state),
        state_text=texts.state(str(message.state), lang),
        function=message.function,
        document_version=message.document_version,
        created=message.created,
        order_key=message.order_key,
        sequence=message.sequence,
        ref_to=message.ref_to,
        test=message.test,
        keys=[SearchKey(kind=kind, value=value) for kind, value in message.keys],
    )


def detail(view: MessageView, lang: str) -> MessageDetail:
    """Show a message with its timeline."""
    message = view.message
    return MessageDetail(
        **vars(summary(message, lang)),
        digest=message.digest,
        timeline=timeline(((message.id, event) for event in view.events), lang),
        documents=[
            DocumentEntry(
                role=each.role,
                href=f"/v1/messages/{message.id}/documents/{each.role}",
                digest=each.digest,
                media_type=each.media_type,
                size=each.size,
            )
            for each in view.documents
        ],
        pending=[
            PendingEntry(kind=str(t.kind), destination=t.destination, attempts=t.attempts)
            for t in view.pending
        ],
    )


def timeline(events: Iterable[tuple[str, Event]], lang: str) -> list[TimelineEntry]:
    """Show events, oldest first."""
    return [
        TimelineEntry(
            at=event.at,
            code=event.code,
            text=texts.event(event.code, lang, **event.detail),
            detail=dict(event.detail),
            message_id=message_id,
        )
        for message_id, event in events
    ]


def crossing(view: CrossingView, lang: str) -> Crossing:
    """Show a crossing."""
    return Crossing(
        conversation_id=view.conversation_id,
        href=f"/v1/crossings/{view.conversation_id}",
        messages=[summary(message, lang) for message in view.messages],
        statuses=[
            StatusEntry(
                axis=row.axis,
                subject=row.subject,
                state=row.state,
                state_text=texts.state(row.state, lang),
                since=row.since,
                by=row.by,
                note=row.note,
            )
            for row in view.statuses
        ],
        timeline=timeline(view.events, lang),
    )
