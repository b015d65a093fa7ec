"""Mutual recognition: statements, their search keys, claims, receipts, doubtful links."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEYED = {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "recognition_statement",
        _text("digest"),
        _text("side"),
        _text("party"),
        _number("received_at"),
        sa.Column("private", sa.Boolean(), nullable=False),
        _octets("content"),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_recognition_statement"),
    )
    op.create_index("recognition_by_delivery", "recognition_statement", ["delivered_at", "digest"])
    op.create_table(
        "recognition_key",
        _text("kind"),
        _text("value"),
        _text("digest"),
        sa.PrimaryKeyConstraint("kind", "value", "digest", name="pk_recognition_key"),
        **_KEYED,
    )
    op.create_table(
        "recognition_claim",
        _text("claim"),
        _text("case_id"),
        _text("outcome"),
        _text("root"),
        _text("ruleset"),
        _text("agreement"),
        _text("holds"),
        _text("detail"),
        _number("due"),
        _number("updated"),
        _octets("decision"),
        sa.PrimaryKeyConstraint("claim", name="pk_recognition_claim"),
    )
    op.create_index("recognition_by_case", "recognition_claim", ["case_id"])
    op.create_index("recognition_by_agreement", "recognition_claim", ["agreement", "updated"])
    op.create_table(
        "recognition_receipt",
        _text("claim"),
        _text("side"),
        _number("number"),
        _text("digest"),
        _number("at"),
        _octets("envelope"),
        sa.PrimaryKeyConstraint("claim", "side", "number", name="pk_recognition_receipt"),
        **_KEYED,
    )
    op.create_table(
        "recognition_doubt",
        _text("left"),
        _text("right"),
        _number("score"),
        _number("lead"),
        _text("why"),
        _text("features"),
        _number("at"),
        sa.PrimaryKeyConstraint("left", "right", name="pk_recognition_doubt"),
        **_KEYED,
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("doubt", "receipt", "claim", "key", "statement"):
        op.drop_table(f"recognition_{name}")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _octets(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary(), nullable=False)
