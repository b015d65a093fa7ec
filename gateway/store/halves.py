"""Halves of crossings that wait for each other."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, and_, bindparam, func, insert, or_, select, update

from gateway.flows.ports import Half
from gateway.store.rows import Rows, insert_new
from gateway.store.tables import WAITING, half, half_key

_ADD = insert(half)
_ADD_KEY = insert_new(half_key)
_HALF = select(
    half.c.message_id,
    half.c.submitter,
    half.c.role,
    half.c.set_id,
    half.c.day,
    half.c.state,
    half.c.deadline,
)
_BY_MESSAGE = _HALF.where(half.c.message_id == bindparam("message_id"))
_BY_SET = _HALF.where(half.c.set_id == bindparam("set_id")).order_by(half.c.message_id)
_NOT_JOINED = _HALF.where(
    half.c.submitter.in_(bindparam("submitters", expanding=True)),
    half.c.state != "joined",
).order_by(half.c.message_id)
_OVERDUE = (
    _HALF.where(WAITING, half.c.deadline <= bindparam("now"))
    .order_by(half.c.deadline, half.c.message_id)
    .limit(bindparam("limit"))
)
_KEYS = (
    select(half_key)
    .where(half_key.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(half_key.c.message_id, half_key.c.kind, half_key.c.value)
)
_SET = update(half).where(half.c.message_id == bindparam("of_message"))
_GUARD = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))


class Halves(Rows):
    """Half rows. The keys of a half come back sorted."""

    def add_half(self, half: Half) -> None:
        """Store a half."""
        row = {
            "message_id": half.message_id,
            "submitter": half.submitter,
            "role": half.role,
            "set_id": half.set_id,
            "day": half.day,
            "state": half.state,
            "deadline": half.deadline,
        }
        self.connection.execute(_ADD, row)
        keys = [{"message_id": half.message_id, "kind": k, "value": v} for k, v in half.keys]
        if keys:
            self.connection.execute(_ADD_KEY, keys)

    def half(self, message_id: str) -> Half | None:
        """Return the half of a message."""
        found = self._halves(self._kept(_BY_MESSAGE), {"message_id": message_id})
        return next(iter(found), None)

    def halves_of(self, set_id: str) -> tuple[Half, ...]:
        """Return the halves of a set."""
        return self._halves(self._kept(_BY_SET), {"set_id": set_id})

    def halves_with(
        self, submitters: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> tuple[Half, ...]:
        """Return the halves of these submitters that are not joined (waiting or expired) and
        share at least one key."""
        if not keys:
            return ()
        self._guard(keys)
        # SQLite finds each pair by the index in this form, but not in a list of pairs.
        pairs = [and_(half_key.c.kind == kind, half_key.c.value == value) for kind, value in keys]
        sharing = select(half_key.c.message_id).where(or_(*pairs)).scalar_subquery()
        statement = _NOT_JOINED.where(half.c.message_id.in_(sharing))
        return self._halves(self._kept(statement), {"submitters": list(submitters)})

    def set_half(self, message_id: str, *, state: str, set_id: str) -> None:
        """Move a half."""
        moved = _SET.values(state=state, set_id=set_id)
        self.connection.execute(moved, {"of_message": message_id})

    def overdue_halves(self, now: datetime, limit: int) -> tuple[Half, ...]:
        """Return waiting halves whose deadline has passed."""
        return self._halves(self._kept(_OVERDUE), {"now": now, "limit": limit})

    def _guard(self, keys: Sequence[tuple[str, str]]) -> None:
        """Let no two processes look for the same key at once.

        Two halves that come at the same instant would otherwise not see each other before
        either is committed, and both would wait. SQLite has one writer at a time.
        """
        if self._writing and self.connection.dialect.name == "postgresql":
            for number in sorted({_number(kind, value) for kind, value in keys}):
                self.connection.execute(_GUARD, {"number": number})

    def _halves(self, statement: Select[Any], names: Mapping[str, object]) -> tuple[Half, ...]:
        rows = self.connection.execute(statement, dict(names)).all()
        if not rows:
            return ()
        keys: dict[str, list[tuple[str, str]]] = {row.message_id: [] for row in rows}
        for message_id, kind, value in self.connection.execute(_KEYS, {"ids": list(keys)}):
            keys[message_id].append((kind, value))
        return tuple(Half(**row._mapping, keys=tuple(keys[row.message_id])) for row in rows)


def _number(kind: str, value: str) -> int:
    """Return a 64-bit number of a key; two keys that share one only wait for each other."""
    digest = hashlib.sha256(f"half\x00{kind}\x00{value}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
