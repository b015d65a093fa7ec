"""The evidence log: rows that wait for it, leaves, complete subtrees, heads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update

from gateway.flows.ports_log import Head, Kept
from gateway.store.rows import Rows, insert_new
from gateway.store.tables import evidence
from gateway.store.tables_log import log_head, log_leaf, log_node, log_queue

_KEPT = (
    evidence.c.id,
    log_leaf.c.seq,
    evidence.c.message_id,
    evidence.c.entry,
    evidence.c.salt,
    evidence.c.leaf,
)  # in the order of Kept's fields
_ROWS = select(*_KEPT).select_from(evidence.outerjoin(log_leaf))
_OF_MESSAGE = _ROWS.where(evidence.c.message_id == bindparam("message_id")).order_by(evidence.c.id)
_AT = select(*_KEPT).join_from(log_leaf, evidence).where(log_leaf.c.seq == bindparam("seq"))
_WAITING = (
    select(*_KEPT)
    .select_from(
        log_queue.join(evidence).outerjoin(log_leaf, log_leaf.c.evidence_id == evidence.c.id)
    )
    .where(log_leaf.c.seq.is_(None))
    .order_by(log_queue.c.evidence_id)
    .limit(bindparam("limit"))
)
_UNTAKEN = select(func.count()).select_from(log_queue)
_LAST = select(func.max(log_leaf.c.seq))
_LEAF = select(log_leaf.c.leaf).where(log_leaf.c.seq == bindparam("seq"))
_LEAVES = select(log_leaf.c.seq, log_leaf.c.leaf).where(
    log_leaf.c.seq.in_(bindparam("of", expanding=True))
)
_NODE = select(log_node.c.hash).where(
    log_node.c.level == bindparam("level"), log_node.c.idx == bindparam("idx")
)
_ADD_LEAF = insert(log_leaf)
_ADD_NODE = insert(log_node)
_TAKEN = delete(log_queue).where(log_queue.c.evidence_id == bindparam("of_evidence"))
_HEADS = select(log_head)  # the columns stand in the order of Head's fields
_NEWEST = _HEADS.order_by(log_head.c.size.desc()).limit(1)
_HEAD_AT = _HEADS.where(log_head.c.size == bindparam("size"))
_COVERING = _HEADS.where(log_head.c.size > bindparam("seq")).order_by(log_head.c.size).limit(1)
_UNSTAMPED = (
    _HEADS.where(log_head.c.state.in_(("pending", "overdue")))
    .order_by(log_head.c.size.desc())
    .limit(bindparam("limit"))
)
_ADD_HEAD = insert_new(log_head)
_SET_HEAD = update(log_head).where(log_head.c.size == bindparam("of_size"))


@cache
def _nodes(count: int) -> Select[Any]:
    """Return the question for so many nodes, each by its key: both databases use the index."""
    return select(log_node.c.level, log_node.c.idx, log_node.c.hash).where(
        or_(
            *(
                and_(log_node.c.level == bindparam(f"l{n}"), log_node.c.idx == bindparam(f"i{n}"))
                for n in range(count)
            )
        )
    )


class Log(Rows):
    """Leaves and nodes are only ever added; a second sequencer would meet their keys."""

    def log_size(self) -> int:
        """Return how many leaves the log has."""
        last = self.connection.scalar(_LAST)
        return 0 if last is None else last + 1

    def log_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree (level 0: a leaf); KeyError if there is none."""
        if level == 0:
            found = self.connection.scalar(_LEAF, {"seq": index})
        else:
            found = self.connection.scalar(_NODE, {"level": level, "idx": index})
        if found is None:
            raise KeyError((level, index))
        return bytes(found)

    def log_nodes(self, places: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """Return the hashes of subtrees (level, index) in one question; what is not there is
        not returned."""
        leaves = [index for level, index in places if level == 0]
        above = [place for place in places if place[0]]
        found = {(0, seq): leaf for seq, leaf in self.connection.execute(_LEAVES, {"of": leaves})}
        if above:
            values = {f"l{n}": level for n, (level, _) in enumerate(above)}
            values |= {f"i{n}": index for n, (_, index) in enumerate(above)}
            rows = self.connection.execute(_nodes(len(above)), values)
            found |= {(level, index): value for level, index, value in rows}
        return {place: bytes(value) for place, value in found.items()}

    def waiting_evidence(self, limit: int) -> tuple[Kept, ...]:
        """Return rows that the log has not taken, the oldest first."""
        return self._rows(_WAITING, {"limit": limit})

    def untaken_evidence(self) -> int:
        """Return how many rows the log has not taken."""
        return self.connection.scalar(_UNTAKEN) or 0

    def extend_log(
        self,
        leaves: Sequence[tuple[int, int, bytes]],
        nodes: Sequence[tuple[int, int, bytes]],
    ) -> None:
        """Add leaves (number, evidence id, hash) and the nodes (level, index, hash) that they
        complete; the rows wait no longer."""
        rows = [{"seq": seq, "evidence_id": of, "leaf": leaf} for seq, of, leaf in leaves]
        self.connection.execute(_ADD_LEAF, rows)
        above = [{"level": level, "idx": at, "hash": value} for level, at, value in nodes]
        if above:
            self.connection.execute(_ADD_NODE, above)
        self.connection.execute(_TAKEN, [{"of_evidence": of} for _, of, _ in leaves])

    def evidence_of(self, message_id: str) -> tuple[Kept, ...]:
        """Return the rows of a message, in the order in which they were appended."""
        return self._rows(_OF_MESSAGE, {"message_id": message_id})

    def evidence_at(self, index: int) -> Kept | None:
        """Return the row that is leaf `index` of the log."""
        return next(iter(self._rows(_AT, {"seq": index})), None)

    def add_head(self, head: Head) -> bool:
        """Store a head; False when there is one of that size."""
        row = {name: getattr(head, name) for name in Head.__slots__}
        return bool(self.connection.execute(_ADD_HEAD, row).rowcount)

    def latest_head(self) -> Head | None:
        """Return the head of the greatest size."""
        return self._head(_NEWEST, {})

    def head_at(self, size: int) -> Head | None:
        """Return the head of a size."""
        return self._head(_HEAD_AT, {"size": size})

    def head_covering(self, index: int) -> Head | None:
        """Return the smallest head over a tree that has leaf `index`."""
        return self._head(_COVERING, {"seq": index})

    def unstamped_heads(self, limit: int) -> tuple[Head, ...]:
        """Return heads that wait for their timestamp, newest first."""
        rows = self.connection.execute(_UNSTAMPED, {"limit": limit})
        return tuple(Head(**row._mapping) for row in rows)

    def stamp_head(self, size: int, token: bytes, at: datetime) -> None:
        """Store the timestamp of a head."""
        stamped = _SET_HEAD.values(state="stamped", token=token, stamped_at=at)
        self.connection.execute(stamped, {"of_size": size})

    def set_head_overdue(self, size: int) -> None:
        """Say that a head has waited too long for its timestamp."""
        self.connection.execute(_SET_HEAD.values(state="overdue"), {"of_size": size})

    def _rows(self, statement: Select[Any], names: Mapping[str, object]) -> tuple[Kept, ...]:
        rows = self.connection.execute(statement, dict(names))
        return tuple(Kept(*row) for row in rows)

    def _head(self, statement: Select[Any], names: Mapping[str, object]) -> Head | None:
        row = self.connection.execute(statement, dict(names)).one_or_none()
        return None if row is None else Head(**row._mapping)
