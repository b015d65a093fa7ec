"""Bringing a database to the current schema."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from gateway.store.engine import WAIT, engines
from gateway.store.failures import translated

_LOCK = 4_729_518  # any number that no other program on this database locks
_ONE_AT_A_TIME = threading.Lock()  # alembic keeps the context of a run in a module


def upgrade(url: str, *, wait: float = WAIT) -> None:
    """Upgrade in one transaction: all steps or none; a current schema is left alone.

    Nodes that do it at the same time wait for each other. UnavailableError as for `open`.
    """
    writer, readers = engines(url, wait)
    try:
        with _ONE_AT_A_TIME, translated(), writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                # A step on large tables, and the nodes that wait for it, may take long.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(configuration(connection), "head")
    finally:
        writer.dispose()
        readers.dispose()


def configuration(connection: Connection) -> Config:
    """Return alembic's configuration for a connection; its folder travels in the package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
