"""Which schema a database has.

Revisions are numbered 0001, 0002 ... A change of schema keeps what older code needs, so a
number that is not smaller than ours will do.
"""

from sqlalchemy import Connection, column, delete, false, inspect, select, table

from gateway.errors import Finding, UnavailableError

CURRENT = "0006"

_VERSION = table("alembic_version", column("version_num"))
_READ = select(_VERSION.c.version_num)
_PROBE = delete(_VERSION).where(false())  # changes nothing; fails where nothing can be written


def require(connection: Connection) -> None:
    """Return when the schema will do and the database takes writes, else UnavailableError."""
    found = ""
    if inspect(connection).has_table(_VERSION.name):
        found = connection.scalar(_READ) or ""
    if found < CURRENT:
        finding = Finding("unavailable", "schema-old", found=found, expected=CURRENT)
        raise UnavailableError("unavailable", finding)
    connection.execute(_PROBE)
