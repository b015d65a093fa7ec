"""The table of revocation sources and their last answers."""

from sqlalchemy import Boolean, Column, LargeBinary, Table

from gateway.signing.revocation import Kind
from gateway.store.columns import Instant, Name, Words
from gateway.store.tables import METADATA

# subject: hex SHA-256 of the certificate that an answer is about: the issuer's for a list.
# certificate, issuer: what to ask about. digest, content: of the last answer that verified.
revocation_source = Table(
    "revocation_source",
    METADATA,
    Column("kind", Name(Kind), primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("url", Words, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("issuer", LargeBinary, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("digest", Words, nullable=False),
    Column("content", LargeBinary),
    Column("this_update", Instant),
    Column("next_update", Instant),
    Column("fetched_at", Instant),
    Column("failed_at", Instant),
    Column("error", Words, nullable=False),
)
