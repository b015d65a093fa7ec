"""The tables of leases by name and of the evidence log."""

from sqlalchemy import Column, Table

from gateway.store.columns import Instant, Words
from gateway.store.tables import METADATA

# Who may run what only one node runs at a time; free once `until` has passed.
hold = Table(
    "hold",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("until", Instant, nullable=False),
    sqlite_with_rowid=False,
)
