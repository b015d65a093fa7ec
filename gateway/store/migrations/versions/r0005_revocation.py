"""Revocation sources and their last answers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "revocation_source",
        _text("kind"),
        _text("subject"),
        _text("url"),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        _text("digest"),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        _instant("this_update"),
        _instant("next_update"),
        _instant("fetched_at"),
        _instant("failed_at"),
        _text("error"),
        sa.PrimaryKeyConstraint("kind", "subject", "url", name="pk_revocation_source"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("revocation_source")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)
