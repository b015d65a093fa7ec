"""SQLite: one file, one writer at a time, readers beside it (WAL)."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from gateway.errors import Finding, UnavailableError

_OLDEST = (3, 35, 0)  # the first with RETURNING
_READERS = 16
_TURNS = 100
_PAUSE = 0.05  # seconds


def engines(url: URL, wait: float) -> tuple[Engine, Engine]:
    """Return (writer, readers). wait: seconds to wait for another process's lock."""
    _prepare(url)
    return _engine(url, wait, writer=True), _engine(url, wait, writer=False)


def _engine(url: URL, wait: float, *, writer: bool) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # what stands in an error may be logged
        pool_size=1 if writer else _READERS,
        max_overflow=0,
        pool_timeout=wait,
        # No transaction is opened behind our back: the listener below says which kind.
        connect_args={"timeout": wait, "isolation_level": None},
    )
    event.listen(engine, "connect", _writer_pragmas if writer else _reader_pragmas)
    event.listen(engine, "begin", _begin_immediate if writer else _begin)
    return engine


def _prepare(url: URL) -> None:
    """Make the file if there is none, and let nobody else read it."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise _refused("sqlite-version", sqlite3.sqlite_version, "3.35 or later")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise _refused("store-url", "no file", "sqlite:///folder/file")
    path = Path(url.database)
    try:
        # SQLite gives the -wal and -shm files the mode of this one.
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise _refused("store-file", error.strerror or "", "a file of our own") from error


def _refused(rule: str, found: str, expected: str) -> UnavailableError:
    return UnavailableError(
        "unavailable", Finding("unavailable", rule, found=found, expected=expected)
    )


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _writer_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    _turn_to_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    connection.execute("PRAGMA foreign_keys = ON")


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Two processes that turn a new file to WAL at once: one is told `locked` at once, whatever
    time-out is set, because to wait for each other would be a deadlock."""
    for _ in range(_TURNS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(_PAUSE)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _reader_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
