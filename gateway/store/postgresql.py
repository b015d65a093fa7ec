"""PostgreSQL: many equal nodes on one server."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine

_READERS = 8
_DRIVER = "postgresql+psycopg"
# A client or a network that hangs must not hold locks for ever.
_SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "{wait}ms",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "client_encoding": "utf8",
}


def engines(url: URL, wait: float) -> tuple[Engine, Engine]:
    """Return (writer, readers). wait: seconds to wait for a lock or a connection.

    The writer reads what is committed and locks what it decides by; readers see one
    snapshot. Settings that the URL names win.
    """
    settings = " ".join(
        f"-c {name}={value.format(wait=round(wait * 1000))}" for name, value in _SETTINGS.items()
    )
    arguments: dict[str, Any] = {
        "connect_timeout": max(2, round(wait)),
        "tcp_user_timeout": 30_000,
        "application_name": "gateway",
        "options": settings,
    }
    shared: dict[str, Any] = {
        "hide_parameters": True,  # what stands in an error may be logged
        "pool_pre_ping": True,  # a server that was restarted costs no failed call
        "pool_timeout": wait,
        "connect_args": {k: v for k, v in arguments.items() if k not in url.query},
    }
    url = url.set(drivername=_DRIVER)
    writer = create_engine(
        url, pool_size=1, max_overflow=0, isolation_level="READ COMMITTED", **shared
    )
    readers = create_engine(
        url, pool_size=_READERS, max_overflow=_READERS, isolation_level="REPEATABLE READ", **shared
    ).execution_options(postgresql_readonly=True)
    return writer, readers
