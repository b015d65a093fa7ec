"""Which schema a database has.

Revisions are numbered 0001, 0002 ... A change of schema keeps what older code needs, so a
number that is not smaller than ours will do.
"""

from sqlalchemy import Connection, Select, column, inspect, select, table

CURRENT = "0001"

_VERSION: Select[str] = select(column("version_num")).select_from(table("alembic_version"))


def version(connection: Connection) -> str | None:
    """Return the revision of a database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(_VERSION)
