"""Numbers and answers that are given once: allocations, counters, idempotency keys."""

from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.dialects.postgresql import insert

from gateway.store.rows import Rows, insert_new
from gateway.store.tables import allocation, counter, idempotency

_ALLOCATE = insert_new(allocation)
_ALLOCATED = select(allocation.c.value).where(
    allocation.c.scope == bindparam("scope"), allocation.c.key == bindparam("key")
)
_first = insert(counter)
_next = counter.c.value + 1
_COUNT = _first.on_conflict_do_update(
    index_elements=[counter.c.name],
    set_={"value": case((_next > _first.excluded.value, _next), else_=_first.excluded.value)},
).returning(counter.c.value)
_REMEMBER = insert_new(idempotency)
_REMEMBERED = select(idempotency.c.body, idempotency.c.answer).where(
    idempotency.c.client == bindparam("client"), idempotency.c.key == bindparam("key")
)


class Numbers(Rows):
    """What is bound or counted once. A competing process waits until this one commits."""

    def allocate(self, scope: str, key: str, value: str) -> str:
        """Bind a value to a key for good; return the value that was bound first."""
        row = {"scope": scope, "key": key, "value": value}
        if self.connection.execute(_ALLOCATE, row).rowcount:
            return value
        return self.allocated(scope, key) or value

    def allocated(self, scope: str, key: str) -> str | None:
        """Return what is bound to a key."""
        return self.connection.scalar(_ALLOCATED, {"scope": scope, "key": key})

    def count(self, name: str, floor: int = 1) -> int:
        """Return the next number of a counter (the first is `floor`; never below it)."""
        row = {"name": name, "value": floor}
        number: int = self.connection.execute(_COUNT, row).scalar_one()
        return number

    def remember(self, client: str, key: str, body: str, answer: str, at: datetime) -> bool:
        """Store the answer to (client, key); False when the key is taken."""
        row = {"client": client, "key": key, "body": body, "answer": answer, "at": at}
        return bool(self.connection.execute(_REMEMBER, row).rowcount)

    def remembered(self, client: str, key: str) -> tuple[str, str] | None:
        """Return (body digest, answer) of a key."""
        row = self.connection.execute(_REMEMBERED, {"client": client, "key": key}).one_or_none()
        return None if row is None else (row.body, row.answer)
