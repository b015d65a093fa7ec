"""Migrations: the schema they make is the one that the code thinks of."""

import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from store_program import accept, all_at_once, start
from store_sample import KINDS, NOW, enqueue, lease, sample

from gateway import store as stores
from gateway.errors import GatewayError, UnavailableError
from gateway.flows.ports import Event, Half, StatusRow, Transaction
from gateway.store import engine, migrate, schema
from gateway.store.tables import METADATA, task

both = pytest.mark.parametrize("empty_url", KINDS, indirect=True)


def run(url: str, work: object) -> object:
    """Run a work on a connection of the store's own writer, in a transaction."""
    writer, readers = engine.engines(url)
    try:
        with writer.begin() as connection:
            return work(connection)  # type: ignore[operator]
    finally:
        writer.dispose()
        readers.dispose()


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


@both
def test_autogenerate_finds_no_difference(empty_url: str) -> None:
    stores.upgrade(empty_url)
    assert run(empty_url, differences) == []


@both
def test_autogenerate_would_find_one(empty_url: str) -> None:
    """The comparison sees columns, indexes and unique constraints."""
    stores.upgrade(empty_url)

    def change(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE status ADD COLUMN extra TEXT"))
        connection.execute(text("DROP INDEX task_open"))

    run(empty_url, change)
    found = run(empty_url, differences)
    assert sorted(d[0] for d in found) == ["add_index", "remove_column"]  # type: ignore[attr-defined]


@both
def test_partial_indexes_keep_their_condition(empty_url: str) -> None:
    """Autogenerate does not look at it."""
    stores.upgrade(empty_url)
    kind = "sqlite" if empty_url.startswith("sqlite") else "postgresql"
    meant = {
        str(index.name)
        for table in METADATA.tables.values()
        for index in table.indexes
        if index.dialect_options[kind]["where"] is not None
    }
    assert meant == {"task_open", "task_buried", "half_waiting", "message_by_order"}

    def conditions(connection: Connection, table: str) -> dict[str, str]:
        found = inspect(connection).get_indexes(table)
        options = {i["name"]: i.get("dialect_options", {}) for i in found}
        return {
            str(name): str(o[f"{kind}_where"])
            for name, o in options.items()
            if f"{kind}_where" in o
        }

    of_task = run(empty_url, lambda c: conditions(c, "task"))
    assert sorted(of_task) == ["task_buried", "task_open"]  # type: ignore[call-overload]
    assert "IS NULL" in of_task["task_open"]  # type: ignore[index]
    assert "'buried'" in of_task["task_buried"]  # type: ignore[index]
    assert list(run(empty_url, lambda c: conditions(c, "half"))) == ["half_waiting"]  # type: ignore[call-overload]
    assert list(run(empty_url, lambda c: conditions(c, "message"))) == ["message_by_order"]  # type: ignore[call-overload]


@both
def test_down_and_up_again(empty_url: str) -> None:
    def tables(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    stores.upgrade(empty_url)
    before = run(empty_url, tables)
    run(empty_url, lambda c: command.downgrade(migrate.configuration(c), "base"))
    assert run(empty_url, tables) == ["alembic_version"]
    with stores.open(empty_url) as store, pytest.raises(UnavailableError):
        store.check()
    stores.upgrade(empty_url)
    assert run(empty_url, tables) == before
    with stores.open(empty_url) as store:
        store.check()
        store.commit(lambda tx: accept(tx, "m1"))


@both
def test_an_upgrade_keeps_what_is_there_and_runs_again(empty_url: str) -> None:
    stores.upgrade(empty_url)
    with stores.open(empty_url) as store:
        store.commit(lambda tx: accept(tx, "m1"))
    stores.upgrade(empty_url)
    with stores.open(empty_url) as store:
        assert len(store.read(lambda tx: tx.events("m1"))) == 1


@both
def test_nodes_that_upgrade_at_once(empty_url: str) -> None:
    assert all_at_once([start("upgrade", empty_url) for _ in range(3)]) == []
    with stores.open(empty_url) as store:
        store.check()


def test_two_databases_are_upgraded_at_once(tmp_path: Path) -> None:
    """Alembic keeps its context in a module: two threads must not mix theirs."""
    urls = [f"sqlite:///{tmp_path}/{n}.db" for n in range(6)]
    threads = [threading.Thread(target=stores.upgrade, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for url in urls:
        with stores.open(url) as store:
            store.check()


@both
def test_a_step_that_fails_leaves_the_old_schema(
    empty_url: str,
) -> None:
    """All steps or none, DDL included: the last table exists already."""
    run(empty_url, lambda c: c.execute(text("CREATE TABLE status (x TEXT)")))
    with pytest.raises(GatewayError):
        stores.upgrade(empty_url)
    assert run(empty_url, lambda c: inspect(c).get_table_names()) == ["status"]


@both
def test_check_refuses_an_older_schema(empty_url: str) -> None:
    stores.upgrade(empty_url)
    run(empty_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0000'")))
    with stores.open(empty_url) as store, pytest.raises(UnavailableError) as refused:
        store.check()
    found = refused.value.findings[0]
    assert (found.rule, found.found, found.expected) == ("schema-old", "0000", schema.CURRENT)


@both
def test_this_code_runs_on_a_newer_schema(empty_url: str) -> None:
    """A later step adds columns and tables; statements name the columns they mean."""
    stores.upgrade(empty_url)

    def later(connection: Connection) -> None:
        for table in METADATA.tables:
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN later TEXT"))
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN kept INTEGER DEFAULT 1"))
        connection.execute(text("CREATE TABLE later (id INTEGER PRIMARY KEY)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))

    run(empty_url, later)
    with stores.open(empty_url) as store:
        store.check()
        store.commit(everything)
        enqueue(store, "m1")
        (leased,) = lease(store)
        assert store.commit(lambda tx: tx.bury(leased.id, "w", "x"))
        assert store.read(lambda tx: tx.message("m2")) == sample("m2", keys=(("plate", "P"),))
        assert store.read(lambda tx: tx.search(key=("plate", "P"))).cursor is None


def everything(tx: Transaction) -> None:
    """Use each table once."""
    accept(tx, "m1")
    tx.add_message(sample("m2", keys=(("plate", "P"),)))
    tx.add_event("m2", Event(NOW, "x"))
    tx.add_half(Half("m2", "vn", "goods", "s", None, (("plate", "P"),), "waiting", NOW))
    assert len(tx.halves_with(["vn"], [("plate", "P")])) == 1
    tx.put_status(StatusRow("c", "truck", "P", "held", NOW, "m2"))
    assert len(tx.status("c")) == 1
    tx.set_destination("cn", tx.destination("cn"))
    tx.allocate("s", "k", "v")
    tx.remember("c", "k", "b", "a", NOW)
    tx.hold("chore", "w", NOW, NOW)
    for one in tx.lease("w", NOW, NOW, 9):
        tx.complete(one.id, "w")


def test_revisions_are_numbered_and_the_last_is_ours(tmp_path: Path) -> None:
    engine_ = create_engine(f"sqlite:///{tmp_path}/x.db")
    with engine_.connect() as connection:
        scripts = ScriptDirectory.from_config(migrate.configuration(connection))
    engine_.dispose()
    revisions = [s.revision for s in scripts.walk_revisions()][::-1]
    assert revisions == [f"{n:04}" for n in range(1, len(revisions) + 1)]
    assert revisions[-1] == schema.CURRENT


def test_numbers_of_tasks_are_never_used_again(tmp_path: Path) -> None:
    """Also when the last row went: a late worker must not finish another's task."""
    url = f"sqlite:///{tmp_path}/x.db"
    stores.upgrade(url)
    with stores.open(url) as store:
        first = enqueue(store, "m1")
        store.commit(lambda tx: tx.connection.execute(task.delete()))
        assert enqueue(store, "m1") > first
