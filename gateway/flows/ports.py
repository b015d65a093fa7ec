"""What the flows need from outside: the store, the link, clock, ids, randomness.

`store`, `transport`, `api` and `worker` meet only through these Protocols; `bootstrap`
wires them. All times are aware UTC datetimes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from gateway.flows.ports_ledger import Ledger
from gateway.flows.ports_log import Holds, Log, Retention, Scan
from gateway.flows.ports_recognition import RecognitionRows
from gateway.flows.ports_revocation import Statuses
from gateway.model.states import MessageKind, MessageState, TaskKind

T = TypeVar("T")

Clock = Callable[[], datetime]
IdMaker = Callable[[], str]
Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Message:
    """One message row.

    id: ours, a UUIDv7. external_id: the sender's id on the link (for outbound equal to id);
    (kind, party, external_id) is unique. party: the counterpart, or the agency. digest: hex
    SHA-256 of the signed content (link) or of the document's bytes. day: ISO day of the
    envelope's Created, UTC, by which both sides count. keys: what a search finds it by,
    pairs of (plate | container | seal | batch | declaration | waybill | reference, value).
    """

    id: str
    kind: MessageKind
    party: str
    external_id: str
    conversation_id: str
    document_type: str
    state: MessageState
    digest: str
    created: datetime
    function: str = "original"
    document_version: int = 1
    order_key: str | None = None
    sequence: int | None = None
    ref_to: str | None = None
    test: bool = False
    day: str | None = None
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document of a message. role: original, signed (what was signed of it),
    canonical, translated, report, report-signature, parameters, wire, receipt, refusal.
    retention: its class. salt: of what
    evidence says of it (gateway.evidence.rows.document_mark)."""

    role: str
    digest: str
    media_type: str
    size: int
    retention: str = "document"
    salt: bytes | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline. detail: short values, never personal data."""

    at: datetime
    code: str
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """Work for the worker. Tasks of one (destination, order_key) run one at a time, in the
    order of their ids. attempts: how often it was leased before."""

    id: int
    kind: TaskKind
    message_id: str
    destination: str
    order_key: str
    attempts: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a crossing that waits for, or found, the rest.

    role: vehicle | goods | link. keys: what a join may use, pairs of (join-ref | plate |
    gate | container | declaration | batch, value). day: ISO day of the departure or of the
    planned crossing. state: waiting | joined | expired. set_id: the conversation.
    """

    message_id: str
    submitter: str
    role: str
    set_id: str
    day: str | None
    keys: tuple[tuple[str, str], ...]
    state: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Destination:
    """What is known of a destination's health. open_until: the breaker is open till then."""

    failures: int = 0
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A projection: where a waybill, piece of equipment, declaration or truck stands."""

    conversation_id: str
    axis: str  # waybill | equipment | declaration | truck | transmission
    subject: str
    state: str
    since: datetime
    by: str  # message id of the response that moved it
    note: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of messages, newest first. cursor: for the next page, None at the end."""

    messages: tuple[Message, ...]
    cursor: str | None


class Transaction(Holds, Log, Retention, Scan, Ledger, Statuses, RecognitionRows, Protocol):
    """What can be done inside one durable commit. Methods raise nothing for what a caller
    can foresee: they return False or None."""

    # messages
    def add_message(self, message: Message) -> bool:
        """Insert; False when (kind, party, external_id) is known."""
        ...

    def message(self, message_id: str) -> Message | None:
        """Return a message by our id."""
        ...

    def known(self, kind: MessageKind, party: str, external_id: str) -> Message | None:
        """Return the message that a party named so."""
        ...

    def set_state(self, message_id: str, state: MessageState) -> None:
        """Move a message; the caller adds the event."""
        ...

    def set_digest(self, message_id: str, digest: str) -> None:
        """Set the digest once the signed bytes exist."""
        ...

    def move_to(self, message_id: str, conversation_id: str) -> None:
        """Put a message into another conversation (a join found its set)."""
        ...

    def add_keys(self, message_id: str, keys: Sequence[tuple[str, str]]) -> None:
        """Make a message findable by more keys; known ones are left alone."""
        ...

    def add_event(self, message_id: str, event: Event) -> None:
        """Append to the timeline."""
        ...

    def events(self, message_id: str) -> tuple[Event, ...]:
        """Return the timeline, oldest first."""
        ...

    def conversation(self, conversation_id: str) -> tuple[Message, ...]:
        """Return the messages of a conversation, oldest first."""
        ...

    def search(
        self,
        *,
        key: tuple[str, str] | None = None,
        kind: MessageKind | None = None,
        party: str | None = None,
        state: MessageState | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return messages, newest first, by any of the conditions. after: a Page.cursor;
        one that was not made here is a DocumentError `rule-broken`."""
        ...

    def sequences(self, kind: MessageKind, party: str, order_key: str) -> tuple[int, ...]:
        """Return the sequence numbers that a party's order key has used, ascending."""
        ...

    # documents
    def attach(
        self,
        message_id: str,
        role: str,
        content: bytes,
        media_type: str,
        retention: str,
        salt: bytes | None = None,
    ) -> str:
        """Store bytes (once per content) as a document of a message; return hex SHA-256.
        A role that is taken is replaced. salt: of what evidence says of the document."""
        ...

    def documents(self, message_id: str) -> tuple[Document, ...]:
        """Return what is attached."""
        ...

    def content(self, message_id: str, role: str) -> bytes | None:
        """Return the bytes of a document."""
        ...

    # evidence
    def append_evidence(self, message_id: str, entry: bytes, salt: bytes, leaf: bytes) -> None:
        """Append a row of evidence: the entry's bytes, its salt, its leaf hash."""
        ...

    # tasks
    def enqueue(
        self, kind: TaskKind, message_id: str, destination: str, order_key: str, at: datetime
    ) -> int:
        """Queue work that may start at once; return its id."""
        ...

    def lease(
        self, owner: str, now: datetime, until: datetime, limit: int, skip: Sequence[str] = ()
    ) -> tuple[Task, ...]:
        """Take due tasks: per (destination, order_key) only the first that is not done, and
        only if nobody holds it (a lease that ended is free). skip: destinations to leave."""
        ...

    def complete(self, task_id: int, owner: str) -> bool:
        """Finish a task; False when the lease was lost."""
        ...

    def postpone(self, task_id: int, owner: str, at: datetime, error: str) -> bool:
        """Try again at `at`; False when the lease was lost."""
        ...

    def bury(self, task_id: int, owner: str, error: str) -> bool:
        """Give up; the tasks behind it in its order go on. False when the lease was lost."""
        ...

    def revive(self, message_id: str, at: datetime) -> int:
        """Queue the buried tasks of a message again; return how many."""
        ...

    def pending(self, message_id: str) -> tuple[Task, ...]:
        """Return the tasks of a message that are neither done nor buried."""
        ...

    def backlog(self) -> Mapping[str, tuple[int, datetime | None, int]]:
        """Return per destination: waiting tasks, the oldest one's time, buried tasks."""
        ...

    def destination(self, name: str) -> Destination:
        """Return the health of a destination."""
        ...

    def set_destination(self, name: str, health: Destination) -> None:
        """Store the health of a destination."""
        ...

    # numbers
    def allocate(self, scope: str, key: str, value: str) -> str:
        """Bind a value to a key for good; return the value that was bound first."""
        ...

    def allocated(self, scope: str, key: str) -> str | None:
        """Return what is bound to a key."""
        ...

    def count(self, name: str, floor: int = 1) -> int:
        """Return the next number of a counter (the first is `floor`; never below it)."""
        ...

    # halves
    def add_half(self, half: Half) -> None:
        """Store a half."""
        ...

    def half(self, message_id: str) -> Half | None:
        """Return the half of a message."""
        ...

    def halves_of(self, set_id: str) -> tuple[Half, ...]:
        """Return the halves of a set."""
        ...

    def halves_with(
        self, submitters: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> tuple[Half, ...]:
        """Return the halves of these submitters that are not joined (waiting or expired) and
        share at least one key."""
        ...

    def set_half(self, message_id: str, *, state: str, set_id: str) -> None:
        """Move a half."""
        ...

    def overdue_halves(self, now: datetime, limit: int) -> tuple[Half, ...]:
        """Return waiting halves whose deadline has passed."""
        ...

    # status projection
    def put_status(self, row: StatusRow) -> None:
        """Insert or replace the row of (conversation, axis, subject)."""
        ...

    def status(self, conversation_id: str) -> tuple[StatusRow, ...]:
        """Return the status rows of a conversation."""
        ...

    # idempotency of the agency interface
    def remember(self, client: str, key: str, body: str, answer: str, at: datetime) -> bool:
        """Store the answer to (client, key); False when the key is taken."""
        ...

    def remembered(self, client: str, key: str) -> tuple[str, str] | None:
        """Return (body digest, answer) of a key."""
        ...


class Store(Protocol):
    """Durable storage."""

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once it is durable.

        Calls that wait at the same time may share one commit; `work` must not depend on
        running once: it may be run again after a rollback. What it raises is raised here,
        and none of its effects stay. UnavailableError when the database is down.
        """
        ...

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, on a consistent view."""
        ...

    def check(self) -> None:
        """Return when the store answers and its schema is current, else UnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What came back. body: at most the agreed size."""

    status: int
    body: bytes
    retry_after: float | None = None


class Link(Protocol):
    """Posts bytes to a named destination (counterpart or agency)."""

    def post(
        self, destination: str, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> LinkAnswer:
        """Send within the destination's total deadline and return the answer.

        CounterpartError `unreachable`, `timed-out` or `bad-answer`; any HTTP status is
        returned, not raised.
        """
        ...
