"""Everything that the audit looks at, in pages, by primary key: nothing is held in memory."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, exists, select

from gateway.errors import UnavailableError
from gateway.flows.ports_log import Head, Kept, Leaf, Stored
from gateway.store.retention import Retention
from gateway.store.tables import document, evidence, message, payload
from gateway.store.tables_log import data_key, log_head, log_leaf, log_node, log_queue

_AFTER: BindParameter[Any] = bindparam("after")
_LIMIT: BindParameter[Any] = bindparam("limit")
_PAYLOADS = (
    select(payload.c.digest, payload.c.size, payload.c.key_id, payload.c.content)
    .where(payload.c.digest > _AFTER)
    .order_by(payload.c.digest)
    .limit(_LIMIT)
)
_ROWS = (
    select(
        evidence.c.id,
        log_leaf.c.seq,
        evidence.c.message_id,
        evidence.c.entry,
        evidence.c.salt,
        evidence.c.leaf,
    )
    .select_from(evidence.outerjoin(log_leaf))
    .where(evidence.c.id > _AFTER)
    .order_by(evidence.c.id)
    .limit(_LIMIT)
)
_LEAVES = (
    select(log_leaf.c.seq, log_leaf.c.leaf, evidence.c.leaf.label("of_row"))
    .select_from(log_leaf.outerjoin(evidence))
    .where(log_leaf.c.seq > _AFTER)
    .order_by(log_leaf.c.seq)
    .limit(_LIMIT)
)
_NODES = (
    select(log_node.c.idx, log_node.c.hash)
    .where(log_node.c.level == bindparam("level"), log_node.c.idx > _AFTER)
    .order_by(log_node.c.idx)
    .limit(_LIMIT)
)
_LEVELS = select(log_node.c.level).distinct().order_by(log_node.c.level)
_HEADS = select(log_head).where(log_head.c.size > _AFTER).order_by(log_head.c.size).limit(_LIMIT)
_MESSAGES = select(message.c.id).where(message.c.id > _AFTER).order_by(message.c.id).limit(_LIMIT)
_OWNERLESS = (
    select(evidence.c.message_id)
    .where(evidence.c.message_id != "", ~exists().where(message.c.id == evidence.c.message_id))
    .distinct()
    .order_by(evidence.c.message_id)
)
_LEFT_OUT = (
    select(evidence.c.id)
    .where(
        ~exists().where(log_leaf.c.evidence_id == evidence.c.id),
        ~exists().where(log_queue.c.evidence_id == evidence.c.id),
    )
    .order_by(evidence.c.id)
)
_NAMELESS = (
    select(payload.c.digest)
    .where(~exists().where(document.c.digest == payload.c.digest))
    .order_by(payload.c.digest)
)
_DATA_KEYS = select(data_key.c.id).order_by(data_key.c.id)


class Scan(Retention):
    """Pages of rows after a key. Only reads."""

    def scan_payloads(self, after: str, limit: int) -> tuple[Stored, ...]:
        """Return payloads, opened; content None where they cannot be (the reason in `fault`)."""
        rows = self.connection.execute(_PAYLOADS, {"after": after, "limit": limit})
        return tuple(self._stored(*row) for row in rows)

    def scan_evidence(self, after: int, limit: int) -> tuple[Kept, ...]:
        """Return rows of evidence by id."""
        rows = self.connection.execute(_ROWS, {"after": after, "limit": limit})
        return tuple(Kept(*row) for row in rows)

    def scan_leaves(self, after: int, limit: int) -> tuple[Leaf, ...]:
        """Return leaves of the log, each with the leaf hash that its row of evidence has."""
        rows = self.connection.execute(_LEAVES, {"after": after, "limit": limit})
        return tuple(Leaf(*row) for row in rows)

    def scan_nodes(self, level: int, after: int, limit: int) -> tuple[tuple[int, bytes], ...]:
        """Return (index, hash) of the nodes of a level (1 and up)."""
        rows = self.connection.execute(_NODES, {"level": level, "after": after, "limit": limit})
        return tuple((row.idx, row.hash) for row in rows)

    def node_levels(self) -> tuple[int, ...]:
        """Return the levels that have nodes."""
        return self._all(_LEVELS)

    def scan_heads(self, after: int, limit: int) -> tuple[Head, ...]:
        """Return heads by size."""
        rows = self.connection.execute(_HEADS, {"after": after, "limit": limit})
        return tuple(Head(**row._mapping) for row in rows)

    def scan_messages(self, after: str, limit: int) -> tuple[str, ...]:
        """Return ids of messages."""
        return self._all(_MESSAGES, {"after": after, "limit": limit})

    def ownerless_evidence(self) -> tuple[str, ...]:
        """Return the messages that evidence names and that are not there."""
        return self._all(_OWNERLESS)

    def left_out_evidence(self) -> tuple[int, ...]:
        """Return the rows that are neither in the log nor waiting for it."""
        return self._all(_LEFT_OUT)

    def nameless_payloads(self) -> tuple[str, ...]:
        """Return the digests of payloads that no document names."""
        return self._all(_NAMELESS)

    def unusable_data_keys(self) -> tuple[str, ...]:
        """Return the data keys that cannot be unwrapped with the keys at hand."""
        return tuple(name for name in self._all(_DATA_KEYS) if not self._usable(name))

    def _all(
        self, statement: Select[Any], names: Mapping[str, object] | None = None
    ) -> tuple[Any, ...]:
        return tuple(self.connection.scalars(statement, dict(names or {})))

    def _stored(self, digest: str, size: int, key_id: str | None, content: bytes) -> Stored:
        try:
            return Stored(digest, size, self.opened(digest, key_id, content))
        except UnavailableError as fault:
            return Stored(digest, size, None, fault.findings[0].rule)

    def _usable(self, key_id: str) -> bool:
        return self._vault is not None and self._vault.has(self.connection, key_id)
