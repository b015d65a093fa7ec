"""The queue: tasks, the lanes that keep their order, the health of destinations.

A lane is a (destination, order_key) with open tasks. Every change of a lane's queue locks
its row first and decides in a later statement, which on PostgreSQL sees all that was
committed before the lock was got: an order key never has two leases, and no task is missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.flows.ports import Destination, Task
from gateway.model.states import TaskKind
from gateway.store.rows import Rows, insert_or_replace
from gateway.store.tables import BURIED, OPEN, destination, lane, task

_TASK = (
    task.c.id,
    task.c.kind,
    task.c.message_id,
    task.c.destination,
    task.c.order_key,
    task.c.attempts,
    task.c.first_at,
)  # in the order of Task's fields
_THIS_LANE = (
    lane.c.destination == bindparam("of_destination"),
    lane.c.order_key == bindparam("of_order_key"),
)
_IN_LANE = (
    task.c.destination == bindparam("of_destination"),
    task.c.order_key == bindparam("of_order_key"),
)
# A known lane keeps its time, but the update locks it.
_LOCK_LANE = upsert(lane).on_conflict_do_update(
    index_elements=list(lane.primary_key), set_={"ready_at": lane.c.ready_at}
)
_ENQUEUE = insert(task).returning(task.c.id)
_READY = (
    select(lane.c.destination, lane.c.order_key)
    .where(
        lane.c.ready_at <= bindparam("now"),
        lane.c.destination.not_in(bindparam("skip", expanding=True)),
    )
    .order_by(lane.c.ready_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_FIRST = select(task.c.id).where(*_IN_LANE, OPEN).order_by(task.c.id).limit(1)
_FIRST_DUE = select(task.c.due).where(*_IN_LANE, OPEN).order_by(task.c.id).limit(1)
_TAKE = (
    update(task)
    .where(task.c.id == _FIRST.scalar_subquery(), task.c.due <= bindparam("now"))
    .values(attempts=task.c.attempts + 1)
    .returning(*_TASK)
)
_SET_LANE = update(lane).where(*_THIS_LANE)
_SET_FREE_LANE = _SET_LANE.where(lane.c.task_id.is_(None))
_DROP_LANE = delete(lane).where(*_THIS_LANE)
_HELD = (
    select(lane.c.destination, lane.c.order_key)
    .where(lane.c.task_id == bindparam("task_id"), lane.c.owner == bindparam("owner"))
    .with_for_update()
)
_SET_TASK = update(task).where(task.c.id == bindparam("task_id"))
_PENDING = select(*_TASK).where(task.c.message_id == bindparam("message_id"), OPEN)
_BURIED_LANES = (
    select(task.c.destination, task.c.order_key)
    .where(task.c.message_id == bindparam("of_message"), BURIED)
    .distinct()
    .order_by(task.c.destination, task.c.order_key)
)
_REVIVE = (
    update(task)
    .where(task.c.message_id == bindparam("of_message"), *_IN_LANE, BURIED)
    .values(outcome=None, error=None, attempts=0)
)
_WAITING = (
    select(task.c.destination, func.count(), func.min(task.c.first_at))
    .where(OPEN)
    .group_by(task.c.destination)
)
_BURIED = select(task.c.destination, func.count()).where(BURIED).group_by(task.c.destination)
_HEALTH = select(destination.c.failures, destination.c.open_until).where(
    destination.c.name == bindparam("name")
)
_SET_HEALTH = insert_or_replace(destination)


class Tasks(Rows):
    """The queue of the worker."""

    def enqueue(
        self, kind: TaskKind, message_id: str, destination: str, order_key: str, at: datetime
    ) -> int:
        """Queue work that may start at once; return its id."""
        self._lock_lane(destination, order_key, at)
        row = {
            "kind": kind,
            "message_id": message_id,
            "destination": destination,
            "order_key": order_key,
            "attempts": 0,
            "first_at": at,
            "due": at,
        }
        task_id: int = self.connection.execute(_ENQUEUE, row).scalar_one()
        return task_id

    def lease(
        self, owner: str, now: datetime, until: datetime, limit: int, skip: Sequence[str] = ()
    ) -> tuple[Task, ...]:
        """Take due tasks: per (destination, order_key) only the first that is not done, and
        only if nobody holds it (a lease that ended is free). skip: destinations to leave."""
        ready = {"now": now, "skip": list(skip), "limit": limit}
        lanes = self.connection.execute(_READY, ready).all()
        taken = (self._take(name, order_key, owner, now, until) for name, order_key in lanes)
        return tuple(t for t in taken if t is not None)

    def complete(self, task_id: int, owner: str) -> bool:
        """Finish a task; False when the lease was lost."""
        return self._release(task_id, owner, outcome="done", error=None)

    def postpone(self, task_id: int, owner: str, at: datetime, error: str) -> bool:
        """Try again at `at`; False when the lease was lost."""
        return self._release(task_id, owner, due=at, error=error)

    def bury(self, task_id: int, owner: str, error: str) -> bool:
        """Give up; the tasks behind it in its order go on. False when the lease was lost."""
        return self._release(task_id, owner, outcome="buried", error=error)

    def revive(self, message_id: str, at: datetime) -> int:
        """Queue the buried tasks of a message again; return how many.

        They start anew (no attempts, first at `at`), before what was queued after them.
        """
        lanes = self.connection.execute(_BURIED_LANES, {"of_message": message_id}).all()
        return sum(self._revive(message_id, name, order_key, at) for name, order_key in lanes)

    def pending(self, message_id: str) -> tuple[Task, ...]:
        """Return the tasks of a message that are neither done nor buried."""
        rows = self.connection.execute(_PENDING.order_by(task.c.id), {"message_id": message_id})
        return tuple(Task(*row) for row in rows)

    def backlog(self) -> Mapping[str, tuple[int, datetime | None, int]]:
        """Return per destination: waiting tasks, the oldest one's time, buried tasks."""
        waiting = {name: (n, oldest) for name, n, oldest in self.connection.execute(_WAITING)}
        buried = {row[0]: row[1] for row in self.connection.execute(_BURIED)}
        names = sorted(waiting.keys() | buried.keys())
        return {n: (*waiting.get(n, (0, None)), buried.get(n, 0)) for n in names}

    def destination(self, name: str) -> Destination:
        """Return the health of a destination."""
        row = self.connection.execute(self._kept(_HEALTH), {"name": name}).one_or_none()
        return Destination() if row is None else Destination(*row)

    def set_destination(self, name: str, health: Destination) -> None:
        """Store the health of a destination."""
        row = {"name": name, "failures": health.failures, "open_until": health.open_until}
        self.connection.execute(_SET_HEALTH, row)

    def _lock_lane(self, destination: str, order_key: str, ready_at: datetime) -> None:
        row = {"destination": destination, "order_key": order_key, "ready_at": ready_at}
        self.connection.execute(_LOCK_LANE, row)

    def _take(
        self, destination: str, order_key: str, owner: str, now: datetime, until: datetime
    ) -> Task | None:
        names = {"of_destination": destination, "of_order_key": order_key}
        row = self.connection.execute(_TAKE, names | {"now": now}).one_or_none()
        if row is None:  # a lease ended or a task was revived: the first one is due later
            self._free(destination, order_key)
            return None
        held = _SET_LANE.values(ready_at=until, task_id=row.id, owner=owner)
        self.connection.execute(held, names)
        return replace(Task(*row), attempts=row.attempts - 1)

    def _release(self, task_id: int, owner: str, **values: object) -> bool:
        held = {"task_id": task_id, "owner": owner}
        found = self.connection.execute(_HELD, held).one_or_none()
        if found is None:
            return False
        self.connection.execute(_SET_TASK.values(**values), {"task_id": task_id})
        self._free(*found)
        return True

    def _free(self, destination: str, order_key: str) -> None:
        """Give a lane the time of its first task, or drop it when it has none."""
        names = {"of_destination": destination, "of_order_key": order_key}
        due = self.connection.scalar(_FIRST_DUE, names)
        if due is None:
            self.connection.execute(_DROP_LANE, names)
        else:
            freed = _SET_LANE.values(ready_at=due, task_id=None, owner=None)
            self.connection.execute(freed, names)

    def _revive(self, message_id: str, destination: str, order_key: str, at: datetime) -> int:
        self._lock_lane(destination, order_key, at)
        names = {"of_destination": destination, "of_order_key": order_key}
        again = _REVIVE.values(first_at=at, due=at)
        count = self.connection.execute(again, names | {"of_message": message_id}).rowcount
        due = self.connection.scalar(_FIRST_DUE, names)
        self.connection.execute(_SET_FREE_LANE.values(ready_at=due), names)
        return count
