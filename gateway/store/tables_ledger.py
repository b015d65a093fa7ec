"""The tables of the mutual ledger: heads with both signatures, restorations, days, alarms."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, LargeBinary, Table

from gateway.store.columns import Instant, Words
from gateway.store.tables import METADATA

# Heads that both sides signed. log: whose log it is: ours or the counterpart's.
ledger_head = Table(
    "ledger_head",
    METADATA,
    Column("log", Words, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("root", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# What a side signed when it had been restored from a backup: the epoch that it begins.
ledger_restoration = Table(
    "ledger_restoration",
    METADATA,
    Column("log", Words, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# A day with a counterpart, as last compared. asked, answered: the signed statements.
ledger_day = Table(
    "ledger_day",
    METADATA,
    Column("party", Words, primary_key=True),
    Column("day", Words, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("answered", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# proof: a bundle of signed statements, where there is one. cleared: null while it stands.
ledger_alarm = Table(
    "ledger_alarm",
    METADATA,
    Column("kind", Words, primary_key=True),
    Column("party", Words, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("proof", LargeBinary),
    Column("cleared", Instant),
    sqlite_with_rowid=False,
)
