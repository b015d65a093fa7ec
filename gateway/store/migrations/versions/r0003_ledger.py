"""The mutual ledger: the day of a message, heads with both signatures, days, alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEYED = {"sqlite_with_rowid": False}
_DAYS = {
    "sqlite": "strftime('%Y-%m-%d', created / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(created / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}


def upgrade() -> None:
    """Add the column and the tables. Days of older inbound rows are those of acceptance: a
    message that crossed midnight is found by its id."""
    op.add_column("message", sa.Column("day", sa.Text(), nullable=True))
    day = _DAYS[op.get_bind().dialect.name]
    op.execute(f"UPDATE message SET day = {day} WHERE kind IN ('inbound', 'outbound')")  # noqa: S608
    op.create_index("message_by_day", "message", ["party", "day", "kind", "external_id"])
    op.create_table(
        "ledger_head",
        _text("log"),
        _number("epoch"),
        _number("size"),
        _octets("root"),
        _number("at"),
        _octets("statement"),
        sa.PrimaryKeyConstraint("log", "epoch", "size", name="pk_ledger_head"),
        **_KEYED,
    )
    op.create_table(
        "ledger_restoration",
        _text("log"),
        _number("epoch"),
        _number("at"),
        _octets("statement"),
        sa.PrimaryKeyConstraint("log", "epoch", name="pk_ledger_restoration"),
        **_KEYED,
    )
    op.create_table(
        "ledger_day",
        _text("party"),
        _text("day"),
        _number("at"),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        _octets("asked"),
        _octets("answered"),
        sa.PrimaryKeyConstraint("party", "day", name="pk_ledger_day"),
        **_KEYED,
    )
    op.create_table(
        "ledger_alarm",
        _text("kind"),
        _text("party"),
        _text("subject"),
        _number("at"),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("cleared", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "party", "subject", name="pk_ledger_alarm"),
        **_KEYED,
    )


def downgrade() -> None:
    """Drop the tables and the column."""
    for name in ("ledger_alarm", "ledger_day", "ledger_restoration", "ledger_head"):
        op.drop_table(name)
    op.drop_index("message_by_day", "message")
    op.drop_column("message", "day")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _octets(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary(), nullable=False)
