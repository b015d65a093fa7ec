"""The evidence log over the rows of evidence; payloads encrypted at rest; retention."""

import sqlalchemy as sa
from alembic import op

from gateway.store.columns import Serial

revision = "0004"
down_revision = "0003"

_APPEND_ONLY = ("log_leaf", "log_node")


def upgrade() -> None:
    """Make the tables; what evidence there is waits for the log."""
    op.add_column("payload", sa.Column("key_id", sa.Text(), nullable=True))
    op.add_column("document", sa.Column("salt", sa.LargeBinary(), nullable=True))
    _log()
    _heads()
    _keys()
    op.execute("INSERT INTO log_queue (evidence_id) SELECT id FROM evidence")
    if op.get_bind().dialect.name == "postgresql":
        _postgresql_triggers()
    else:
        _sqlite_triggers()


def downgrade() -> None:
    """Drop the tables and columns."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER log_queue_fills ON evidence")
        op.execute("DROP FUNCTION log_queue_fills()")
    else:
        op.execute("DROP TRIGGER log_queue_fills")
    for table in ("legal_hold", "data_key", "log_head", "log_node", "log_leaf", "log_queue"):
        op.drop_table(table)
    op.drop_column("document", "salt")
    op.drop_column("payload", "key_id")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _place(name: str) -> "sa.Column[int]":
    return sa.Column(name, Serial, nullable=False, autoincrement=False)


def _octets(name: str, *, null: bool = False) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def _of_evidence(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_evidence_id"
    return sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=name)


def _log() -> None:
    op.create_table(
        "log_queue",
        _place("evidence_id"),
        sa.PrimaryKeyConstraint("evidence_id", name="pk_log_queue"),
        _of_evidence("log_queue"),
    )
    op.create_table(
        "log_leaf",
        _place("seq"),
        _place("evidence_id"),
        _octets("leaf"),
        sa.PrimaryKeyConstraint("seq", name="pk_log_leaf"),
        sa.UniqueConstraint("evidence_id", name="uq_log_leaf_evidence_id"),
        _of_evidence("log_leaf"),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("idx", sa.BigInteger(), nullable=False, autoincrement=False),
        _octets("hash"),
        sa.PrimaryKeyConstraint("level", "idx", name="pk_log_node"),
        sqlite_with_rowid=False,
    )


def _heads() -> None:
    op.create_table(
        "log_head",
        _place("size"),
        _octets("root"),
        _number("at"),
        _octets("statement"),
        _text("state"),
        _octets("token", null=True),
        _number("stamped_at", null=True),
        sa.PrimaryKeyConstraint("size", name="pk_log_head"),
    )


def _keys() -> None:
    op.create_table(
        "data_key",
        _text("id"),
        _text("wrapper"),
        _octets("wrapped"),
        _number("created"),
        sa.PrimaryKeyConstraint("id", name="pk_data_key"),
    )
    op.create_table(
        "legal_hold",
        _text("conversation_id"),
        _number("at"),
        _text("by"),
        _text("reason"),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_legal_hold"),
    )


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION log_queue_fills() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO log_queue (evidence_id) VALUES (NEW.id); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER log_queue_fills AFTER INSERT ON evidence "
        "FOR EACH ROW EXECUTE FUNCTION log_queue_fills()"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION evidence_stays()"
        )


def _sqlite_triggers() -> None:
    op.execute(
        "CREATE TRIGGER log_queue_fills AFTER INSERT ON evidence "
        "BEGIN INSERT INTO log_queue (evidence_id) VALUES (NEW.id); END"
    )
    for table in _APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_stays_{change.lower()} BEFORE {change} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END"
            )
