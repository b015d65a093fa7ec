"""The tables. How they change: `gateway.store.migrations`.

Message rows stay small; payload bytes live once per content in `payload`. A document row
says why the bytes are kept (`retention`), because the same bytes can be kept for several
reasons; a payload that no document row names may go.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    literal_column,
)

from gateway.model.states import MessageKind, MessageState, TaskKind
from gateway.store.columns import Instant, Name, Serial, Words

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

message = Table(
    "message",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("kind", Name(MessageKind), nullable=False),
    Column("party", Words, nullable=False),
    Column("external_id", Words, nullable=False),
    Column("conversation_id", Words, nullable=False),
    Column("document_type", Words, nullable=False),
    Column("state", Name(MessageState), nullable=False),
    Column("digest", Words, nullable=False),
    Column("created", Instant, nullable=False),
    Column("function", Words, nullable=False),
    Column("document_version", BigInteger, nullable=False),
    Column("order_key", Words),
    Column("sequence", BigInteger),
    Column("ref_to", Words),
    Column("test", Boolean, nullable=False),
    Column("day", Words),  # of the envelope's Created, UTC; null: stored by older code
    UniqueConstraint("kind", "party", "external_id"),
)
Index("message_by_day", message.c.party, message.c.day, message.c.kind, message.c.external_id)
Index("message_by_time", message.c.created, message.c.id)
Index("message_by_party", message.c.party, message.c.created, message.c.id)
Index("message_by_state", message.c.state, message.c.created, message.c.id)
Index("message_by_conversation", message.c.conversation_id)
_ordered = message.c.sequence.is_not(None)
Index(
    "message_by_order",
    message.c.order_key,
    message.c.sequence,
    sqlite_where=_ordered,
    postgresql_where=_ordered,
)

message_key = Table(
    "message_key",
    METADATA,
    Column("message_id", Words, ForeignKey("message.id"), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("value", Words, primary_key=True),
    Column("created", Instant, nullable=False),  # of the message: a search is in its order
    sqlite_with_rowid=False,
)
Index(
    "message_key_by_value",
    message_key.c.kind,
    message_key.c.value,
    message_key.c.created,
    message_key.c.message_id,
)

event = Table(
    "event",
    METADATA,
    Column("id", Serial, primary_key=True),
    Column("message_id", Words, ForeignKey("message.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("code", Words, nullable=False),
    Column("detail", JSON, nullable=False),
)
Index("event_by_message", event.c.message_id)

payload = Table(
    "payload",
    METADATA,
    Column("digest", Words, primary_key=True),  # hex SHA-256 of the content
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("key_id", Words),  # of the data key that it is encrypted with; null: in clear
)

document = Table(
    "document",
    METADATA,
    Column("message_id", Words, ForeignKey("message.id"), primary_key=True),
    Column("role", Words, primary_key=True),
    Column("digest", Words, ForeignKey("payload.digest"), nullable=False),
    Column("media_type", Words, nullable=False),
    Column("retention", Words, nullable=False),
    Column("salt", LargeBinary),  # of what evidence says of it; goes when the document goes
    sqlite_with_rowid=False,
)
Index("document_by_digest", document.c.digest)

# Append-only: triggers refuse UPDATE and DELETE. `id` tells rows apart and grows, but on
# PostgreSQL it may have gaps and a smaller id may become visible later. No foreign key:
# what was refused is evidence too, and has no message.
evidence = Table(
    "evidence",
    METADATA,
    Column("id", Serial, primary_key=True),
    Column("message_id", Words, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("evidence_by_message", evidence.c.message_id)

# outcome: null while there is work to do, then done or buried.
task = Table(
    "task",
    METADATA,
    Column("id", Serial, primary_key=True),
    Column("kind", Name(TaskKind), nullable=False),
    Column("message_id", Words, ForeignKey("message.id"), nullable=False),
    Column("destination", Words, nullable=False),
    Column("order_key", Words, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    Column("outcome", Words),
    Column("error", Words),
    sqlite_autoincrement=True,
)
# Literals, not parameters: only then can SQLite prove that a partial index serves a query.
OPEN = task.c.outcome.is_(None)
BURIED = task.c.outcome == literal_column("'buried'")
Index(
    "task_open",
    task.c.destination,
    task.c.order_key,
    task.c.id,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)
Index("task_buried", task.c.destination, sqlite_where=BURIED, postgresql_where=BURIED)
Index("task_by_message", task.c.message_id)

# One row per (destination, order_key) with open tasks. Whoever changes the queue of a key
# locks its lane first, so ids follow the order of commits and a key has one lease at most.
# ready_at: when the lane's first task can be leased: its due time, or the lease's end.
lane = Table(
    "lane",
    METADATA,
    Column("destination", Words, primary_key=True),
    Column("order_key", Words, primary_key=True),
    Column("ready_at", Instant, nullable=False),
    Column("task_id", BigInteger),
    Column("owner", Words),
    sqlite_with_rowid=False,
)
Index("lane_by_time", lane.c.ready_at, lane.c.destination)
Index("lane_by_task", lane.c.task_id)

destination = Table(
    "destination",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("open_until", Instant),
)

allocation = Table(
    "allocation",
    METADATA,
    Column("scope", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("value", Words, nullable=False),
    sqlite_with_rowid=False,
)

counter = Table(
    "counter",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

half = Table(
    "half",
    METADATA,
    Column("message_id", Words, ForeignKey("message.id"), primary_key=True),
    Column("submitter", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("set_id", Words, nullable=False),
    Column("day", Words),
    Column("state", Words, nullable=False),
    Column("deadline", Instant, nullable=False),
)
WAITING = half.c.state == literal_column("'waiting'")
Index("half_by_set", half.c.set_id)
Index("half_waiting", half.c.deadline, sqlite_where=WAITING, postgresql_where=WAITING)

half_key = Table(
    "half_key",
    METADATA,
    Column("message_id", Words, ForeignKey("half.message_id"), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("value", Words, primary_key=True),
    sqlite_with_rowid=False,
)
Index("half_key_by_value", half_key.c.kind, half_key.c.value)

status = Table(
    "status",
    METADATA,
    Column("conversation_id", Words, primary_key=True),
    Column("axis", Words, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("note", Words, nullable=False),
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("client", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("body", Words, nullable=False),
    Column("answer", Words, nullable=False),
    Column("at", Instant, nullable=False),
)
