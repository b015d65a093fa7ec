"""The tables of mutual recognition."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table

from gateway.store.columns import Instant, Words
from gateway.store.tables import METADATA

# party: the agency or counterpart that brought it. content: RFC 8785. envelope: as the side
# signed it, null until it is sent. delivered_at: null while the counterpart lacks it.
recognition_statement = Table(
    "recognition_statement",
    METADATA,
    Column("digest", Words, primary_key=True),
    Column("side", Words, nullable=False),
    Column("party", Words, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("envelope", LargeBinary),
    Column("delivered_at", Instant),
    Index("recognition_by_delivery", "delivered_at", "digest"),
)

# What a statement can be found by, and what joins it with others.
recognition_key = Table(
    "recognition_key",
    METADATA,
    Column("kind", Words, primary_key=True),
    Column("value", Words, primary_key=True),
    Column("digest", Words, primary_key=True),
    sqlite_with_rowid=False,
)

# What each claim is worth: made again from the statements. agreement: with the counterpart.
# due: when a deadline has to be looked after; 0: none.
recognition_claim = Table(
    "recognition_claim",
    METADATA,
    Column("claim", Words, primary_key=True),
    Column("case_id", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("root", Words, nullable=False),
    Column("ruleset", Words, nullable=False),
    Column("agreement", Words, nullable=False),
    Column("holds", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("decision", LargeBinary, nullable=False),
    Index("recognition_by_case", "case_id"),
    Index("recognition_by_agreement", "agreement", "updated"),
)

# Receipts of both sides, chained: number counts from 0 for each claim and side.
recognition_receipt = Table(
    "recognition_receipt",
    METADATA,
    Column("claim", Words, primary_key=True),
    Column("side", Words, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Links that a person has to judge.
recognition_doubt = Table(
    "recognition_doubt",
    METADATA,
    Column("left", Words, primary_key=True),
    Column("right", Words, primary_key=True),
    Column("score", BigInteger, nullable=False),
    Column("lead", BigInteger, nullable=False),
    Column("why", Words, nullable=False),
    Column("features", Words, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
