"""What the parts of a transaction share."""

from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects.postgresql import Insert, insert

from gateway.store.vault import Vault


class Rows:
    """A part of a transaction: statements on one connection.

    writing: inside a commit. What a commit reads to decide by stays locked until it ends
    (on SQLite the whole database is), so that other processes cannot decide on the same row.
    vault: encrypts payloads; None: they are stored in clear.
    """

    def __init__(
        self, connection: Connection, *, writing: bool, vault: Vault | None = None
    ) -> None:
        self.connection = connection
        self._writing = writing
        self._vault = vault

    def _kept(self, statement: Select[Any]) -> Select[Any]:
        """Lock the rows that a commit reads, but not against rows that refer to them."""
        return statement.with_for_update(key_share=True) if self._writing else statement


# SQLite took ON CONFLICT and RETURNING from PostgreSQL: the statements below, in
# PostgreSQL's dialect, compile to the same words on both.


def insert_new(table: Table) -> Insert:
    """Return an INSERT that leaves a known key alone; its row count tells which it was."""
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def insert_or_replace(table: Table) -> Insert:
    """Return an INSERT that replaces the columns outside the primary key."""
    statement = insert(table)
    rest = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
