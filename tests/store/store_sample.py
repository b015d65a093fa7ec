"""What the store tests share: a real PostgreSQL server, invented messages, short reads."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from gateway.flows.ports import Message, Task, Transaction
from gateway.model.states import MessageKind, MessageState, TaskKind
from gateway.store import Store

KINDS = ("sqlite", "postgresql")
Databases = Callable[[str], AbstractContextManager[str]]

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return a time so many seconds after the tests' now."""
    return NOW + timedelta(seconds=seconds)


def sample(name: str, **changes: object) -> Message:
    """Return an invented message; name: its id."""
    values: dict[str, object] = {
        "id": name,
        "kind": MessageKind.OUTBOUND,
        "party": "cn",
        "external_id": name,
        "conversation_id": f"conversation of {name}",
        "document_type": "cn.mt1401",
        "state": MessageState.QUEUED,
        "digest": "00" * 32,
        "created": NOW,
    }
    return Message(**(values | changes))  # type: ignore[arg-type]


def add(store: Store, *messages: Message) -> None:
    """Store messages in one commit."""

    def work(tx: Transaction) -> None:
        for message in messages:
            assert tx.add_message(message)

    store.commit(work)


def enqueue(store: Store, name: str, key: str = "k", to: str = "cn", when: float = 0) -> int:
    """Queue a task for a message, which is added if it is not known; return its id."""

    def work(tx: Transaction) -> int:
        if tx.message(name) is None:
            tx.add_message(sample(name))
        return tx.enqueue(TaskKind.SEND, name, to, key, at(when))

    return store.commit(work)


def lease(
    store: Store, owner: str = "w", now: float = 0, hold: float = 60, limit: int = 9, skip: str = ""
) -> tuple[Task, ...]:
    """Lease tasks for `hold` seconds."""
    return store.commit(lambda tx: tx.lease(owner, at(now), at(now + hold), limit, skip.split()))


def plans(store: Store, work: Callable[[Transaction], object]) -> list[str]:
    """Return what the database plans for each statement of a work."""
    found: list[str] = []

    def observed(tx: Transaction) -> None:
        cursors: list[tuple[str, object]] = []

        def note(*call: object) -> None:
            cursors.append((str(call[2]), call[3]))

        event.listen(tx.connection, "before_cursor_execute", note)
        work(tx)
        event.remove(tx.connection, "before_cursor_execute", note)
        sqlite = tx.connection.dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        for statement, values in cursors:
            rows = tx.connection.exec_driver_sql(explain + statement, values)  # type: ignore[arg-type]
            found.extend(str(row[-1]) for row in rows)

    store.commit(observed)
    return found
