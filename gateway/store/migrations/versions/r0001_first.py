"""The tables of the exchange core."""

import sqlalchemy as sa
from alembic import op

from gateway.store.columns import Serial

revision = "0001"
down_revision = None

# SQLite tables without a row id: the primary key is the table.
_KEYED = {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Make all tables."""
    _messages()
    _documents()
    _evidence()
    _queue()
    _numbers()
    _halves()
    _status()


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("status")
    op.drop_table("half_key")
    op.drop_table("half")
    op.drop_table("idempotency")
    op.drop_table("counter")
    op.drop_table("allocation")
    op.drop_table("destination")
    op.drop_table("lane")
    op.drop_table("task")
    op.drop_table("evidence")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION evidence_stays()")
    op.drop_table("document")
    op.drop_table("payload")
    op.drop_table("event")
    op.drop_table("message_key")
    op.drop_table("message")


def _text(name: str, *, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=null)


def _number(name: str, *, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _octets(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _serial() -> "sa.Column[int]":
    return sa.Column("id", Serial, nullable=False)


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _of_message(table: str, target: str = "message.id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["message_id"], [target], name=f"fk_{table}_message_id")


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _messages() -> None:
    op.create_table(
        "message",
        _text("id"),
        _text("kind"),
        _text("party"),
        _text("external_id"),
        _text("conversation_id"),
        _text("document_type"),
        _text("state"),
        _text("digest"),
        _number("created"),
        _text("function"),
        _number("document_version"),
        _text("order_key", null=True),
        _number("sequence", null=True),
        _text("ref_to", null=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        _primary("message", "id"),
        sa.UniqueConstraint("kind", "party", "external_id", name="uq_message_kind"),
    )
    op.create_index("message_by_time", "message", ["created", "id"])
    op.create_index("message_by_party", "message", ["party", "created", "id"])
    op.create_index("message_by_state", "message", ["state", "created", "id"])
    op.create_index("message_by_conversation", "message", ["conversation_id"])
    _partial_index("message_by_order", "message", ["order_key", "sequence"], "sequence IS NOT NULL")
    op.create_table(
        "message_key",
        _text("message_id"),
        _text("kind"),
        _text("value"),
        _number("created"),
        _primary("message_key", "message_id", "kind", "value"),
        _of_message("message_key"),
        **_KEYED,
    )
    op.create_index(
        "message_key_by_value", "message_key", ["kind", "value", "created", "message_id"]
    )
    op.create_table(
        "event",
        _serial(),
        _text("message_id"),
        _number("at"),
        _text("code"),
        sa.Column("detail", sa.JSON(), nullable=False),
        _primary("event", "id"),
        _of_message("event"),
    )
    op.create_index("event_by_message", "event", ["message_id"])


def _documents() -> None:
    op.create_table(
        "payload",
        _text("digest"),
        _number("size"),
        _octets("content"),
        _primary("payload", "digest"),
    )
    op.create_table(
        "document",
        _text("message_id"),
        _text("role"),
        _text("digest"),
        _text("media_type"),
        _text("retention"),
        _primary("document", "message_id", "role"),
        _of_message("document"),
        sa.ForeignKeyConstraint(["digest"], ["payload.digest"], name="fk_document_digest"),
        **_KEYED,
    )
    op.create_index("document_by_digest", "document", ["digest"])


def _evidence() -> None:
    op.create_table(
        "evidence",
        _serial(),
        _text("message_id"),
        _octets("entry"),
        _octets("salt"),
        _octets("leaf"),
        _primary("evidence", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("evidence_by_message", "evidence", ["message_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION evidence_stays() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'evidence is append-only' USING ERRCODE = '23000'; END $$"
        )
        op.execute(
            "CREATE TRIGGER evidence_stays BEFORE UPDATE OR DELETE ON evidence "
            "FOR EACH ROW EXECUTE FUNCTION evidence_stays()"
        )
    else:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER evidence_stays_{change.lower()} BEFORE {change} ON evidence "
                "BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END"
            )


def _queue() -> None:
    op.create_table(
        "task",
        _serial(),
        _text("kind"),
        _text("message_id"),
        _text("destination"),
        _text("order_key"),
        _number("attempts"),
        _number("first_at"),
        _number("due"),
        _text("outcome", null=True),
        _text("error", null=True),
        _primary("task", "id"),
        _of_message("task"),
        sqlite_autoincrement=True,
    )
    _partial_index("task_open", "task", ["destination", "order_key", "id"], "outcome IS NULL")
    _partial_index("task_buried", "task", ["destination"], "outcome = 'buried'")
    op.create_index("task_by_message", "task", ["message_id"])
    op.create_table(
        "lane",
        _text("destination"),
        _text("order_key"),
        _number("ready_at"),
        _number("task_id", null=True),
        _text("owner", null=True),
        _primary("lane", "destination", "order_key"),
        **_KEYED,
    )
    op.create_index("lane_by_time", "lane", ["ready_at", "destination"])
    op.create_index("lane_by_task", "lane", ["task_id"])
    op.create_table(
        "destination",
        _text("name"),
        _number("failures"),
        _number("open_until", null=True),
        _primary("destination", "name"),
    )


def _numbers() -> None:
    op.create_table(
        "allocation",
        _text("scope"),
        _text("key"),
        _text("value"),
        _primary("allocation", "scope", "key"),
        **_KEYED,
    )
    op.create_table(
        "counter", _text("name"), _number("value"), _primary("counter", "name"), **_KEYED
    )
    op.create_table(
        "idempotency",
        _text("client"),
        _text("key"),
        _text("body"),
        _text("answer"),
        _number("at"),
        _primary("idempotency", "client", "key"),
    )


def _halves() -> None:
    op.create_table(
        "half",
        _text("message_id"),
        _text("submitter"),
        _text("role"),
        _text("set_id"),
        _text("day", null=True),
        _text("state"),
        _number("deadline"),
        _primary("half", "message_id"),
        _of_message("half"),
    )
    op.create_index("half_by_set", "half", ["set_id"])
    _partial_index("half_waiting", "half", ["deadline"], "state = 'waiting'")
    op.create_table(
        "half_key",
        _text("message_id"),
        _text("kind"),
        _text("value"),
        _primary("half_key", "message_id", "kind", "value"),
        _of_message("half_key", "half.message_id"),
        **_KEYED,
    )
    op.create_index("half_key_by_value", "half_key", ["kind", "value"])


def _status() -> None:
    op.create_table(
        "status",
        _text("conversation_id"),
        _text("axis"),
        _text("subject"),
        _text("state"),
        _number("since"),
        _text("by"),
        _text("note"),
        _primary("status", "conversation_id", "axis", "subject"),
    )
