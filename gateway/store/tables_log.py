"""The tables of leases by name, of the evidence log, of keys at rest and of retention."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, UniqueConstraint

from gateway.store.columns import Instant, Serial, Words
from gateway.store.tables import METADATA

# Who may run what only one node runs at a time; free once `until` has passed.
hold = Table(
    "hold",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("until", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# Rows of evidence that the log has not taken yet. A trigger fills it, so that a node with
# older code fills it too; the sequencer empties it.
log_queue = Table(
    "log_queue",
    METADATA,
    Column("evidence_id", Serial, ForeignKey("evidence.id"), primary_key=True, autoincrement=False),
)

# The log (RFC 9162). Triggers refuse UPDATE and DELETE of leaves and nodes. A node is a
# complete subtree of two leaves or more: level 1 and up.
log_leaf = Table(
    "log_leaf",
    METADATA,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("evidence_id", Serial, ForeignKey("evidence.id"), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    UniqueConstraint("evidence_id"),
)
log_node = Table(
    "log_node",
    METADATA,
    Column("level", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# statement: the signed DSSE envelope. token: RFC 3161, over the octets of its signature.
log_head = Table(
    "log_head",
    METADATA,
    Column("size", Serial, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("state", Words, nullable=False),
    Column("token", LargeBinary),
    Column("stamped_at", Instant),
)

# Keys that payloads are encrypted with; each is itself encrypted with the key `wrapper`, which
# is never stored here.
data_key = Table(
    "data_key",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("wrapper", Words, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", Instant, nullable=False),
)

# Conversations of which nothing is pruned.
legal_hold = Table(
    "legal_hold",
    METADATA,
    Column("conversation_id", Words, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("reason", Words, nullable=False),
)
