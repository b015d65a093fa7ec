"""The database down, locked, full, read-only, old: `unavailable`, and never a half state."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from pathlib import Path

import psycopg
import pytest
import store_program
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from store_sample import NOW, Databases, add, sample

from gateway import store as stores
from gateway.errors import InternalError, UnavailableError
from gateway.flows.ports import Event, Transaction
from gateway.store import Store
from gateway.store.tables import message, payload


@pytest.fixture
def file(databases: Databases) -> Iterator[Path]:
    """A SQLite file with the current schema."""
    with databases("sqlite") as url:
        yield Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def postgresql(databases: Databases) -> Iterator[str]:
    """The URL of a PostgreSQL database with the current schema."""
    with databases("postgresql") as url:
        yield url


def accept(tx: Transaction, name: str, size: int = 10) -> None:
    tx.add_message(sample(name, conversation_id="c"))
    tx.attach(name, "original", name.encode() * size, "text/xml", "document")
    tx.add_event(name, Event(NOW, "accepted"))


def whole(store: Store) -> list[str]:
    """Return the messages, after a look at whether each is complete."""
    messages = store.read(lambda tx: tx.conversation("c"))
    for one in messages:
        assert store.read(lambda tx, n=one.id: tx.content(n, "original"))
        assert len(store.read(lambda tx, n=one.id: tx.events(n))) == 1
    count = store.read(lambda tx: len(tx.connection.execute(select(payload.c.digest)).all()))
    assert count == len(messages)
    return [m.id for m in messages]


class TestSqlite:
    def test_only_its_owner_reads_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "store.db"
        stores.upgrade(f"sqlite:///{path}")
        with stores.open(f"sqlite:///{path}") as store:
            add(store, sample("m1"))
            modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
        assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}

    def test_a_file_that_others_could_read_is_closed_to_them(self, file: Path) -> None:
        file.chmod(0o644)
        with stores.open(f"sqlite:///{file}") as store:
            store.check()
        assert file.stat().st_mode & 0o777 == 0o600

    def test_commits_wait_for_the_disk(self, file: Path) -> None:
        """synchronous=FULL is 2; foreign keys hold; the journal is a WAL."""
        with stores.open(f"sqlite:///{file}") as store:
            for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
                found = store.commit(
                    lambda tx, p=pragma: tx.connection.exec_driver_sql(f"PRAGMA {p}").scalar()
                )
                assert found == value

    def test_locked_by_another_process(self, file: Path) -> None:
        """Whoever waits is told together, reads go on, and so do commits afterwards."""
        with stores.open(f"sqlite:///{file}", wait=0.4) as store:
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            futures = [store.submit(lambda tx, n=n: accept(tx, f"m{n}")) for n in range(50)]
            assert wait_for(futures, 15).not_done == set()  # not 0.4 s for each
            assert {type(f.exception()) for f in futures} == {UnavailableError}
            with pytest.raises(UnavailableError):
                store.check()
            assert whole(store) == []
            other.execute("COMMIT")
            other.close()
            store.commit(lambda tx: accept(tx, "m1"))
            assert whole(store) == ["m1"]

    def test_disk_full(self, file: Path) -> None:
        """SQLite's own limit of pages gives the error of a full disk."""
        with stores.open(f"sqlite:///{file}") as store:
            store.commit(lambda tx: accept(tx, "m1"))

            def limit(tx: Transaction) -> None:
                pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
                tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")

            store.commit(limit)
            held = threading.Event()
            store.submit(lambda tx: held.wait(60))
            small = store.submit(lambda tx: accept(tx, "m2"))
            large = store.submit(lambda tx: accept(tx, "m3", size=200_000))
            after = store.submit(lambda tx: accept(tx, "m4"))
            held.set()
            assert isinstance(large.exception(60), UnavailableError)
            assert (small.result(60), after.result(60)) == (None, None)
            assert whole(store) == ["m1", "m2", "m4"]

    def test_a_commit_that_fails_is_told_to_all_who_shared_it(self, file: Path) -> None:
        """Also to those whose own work was fine: nothing of it is there."""

        def spoils(tx: Transaction) -> None:
            tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            tx.add_event("nobody", Event(NOW, "x"))

        with stores.open(f"sqlite:///{file}") as store:
            held = threading.Event()
            futures: list[Future[object]] = [
                store.submit(lambda tx: held.wait(60)),
                store.submit(lambda tx: accept(tx, "m1")),
                store.submit(spoils),
                store.submit(lambda tx: accept(tx, "m2")),
            ]
            held.set()
            assert wait_for(futures, 60).not_done == set()
            assert {type(f.exception()) for f in futures} == {InternalError}
            assert whole(store) == []

    def test_read_only(self, file: Path) -> None:
        """A file of a later write format is read-only for this library, also for root."""
        with stores.open(f"sqlite:///{file}") as store:
            store.commit(lambda tx: accept(tx, "m1"))
        with file.open("r+b") as octets:
            octets.seek(18)
            octets.write(b"\x03")
        with stores.open(f"sqlite:///{file}") as store:
            with pytest.raises(UnavailableError):
                store.commit(lambda tx: accept(tx, "m2"))
            with pytest.raises(UnavailableError):
                store.check()
            assert whole(store) == ["m1"]

    def test_no_database_at_all(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        path.write_bytes(b"not a database, but long enough to be looked at" * 100)
        with stores.open(f"sqlite:///{path}") as store:
            with pytest.raises(UnavailableError):
                store.check()
            with pytest.raises(UnavailableError):
                store.read(lambda tx: tx.message("m1"))

    def test_a_database_without_tables(self, tmp_path: Path) -> None:
        with stores.open(f"sqlite:///{tmp_path}/new.db") as store:
            with pytest.raises(UnavailableError) as refused:
                store.check()
            assert refused.value.findings[0].rule == "schema-old"
            with pytest.raises(UnavailableError):
                store.commit(lambda tx: accept(tx, "m1"))


class TestPostgresql:
    def test_commits_wait_for_the_disk(self, postgresql: str) -> None:
        """Also where the database's default is not to."""
        with psycopg.connect(postgresql, autocommit=True) as root:
            root.execute(f"ALTER DATABASE {root.info.dbname} SET synchronous_commit = off")
        with stores.open(postgresql) as store:
            shown = store.commit(
                lambda tx: tx.connection.exec_driver_sql("SHOW synchronous_commit").scalar()
            )
        assert shown == "on"

    def test_nobody_listens(self, tmp_path: Path) -> None:
        url = f"postgresql://postgres@/postgres?host={tmp_path}"
        with stores.open(url, wait=2) as store:
            futures = [store.submit(lambda tx: accept(tx, "m1")) for _ in range(5)]
            for future in futures:
                assert isinstance(future.exception(60), UnavailableError)
            for call in (store.check, lambda: store.read(lambda tx: tx.message("m1"))):
                with pytest.raises(UnavailableError):
                    call()

    def test_a_connection_that_breaks_in_a_commit(self, postgresql: str) -> None:
        """Only the work that it broke under is told; nothing is left, and work goes on."""
        with stores.open(postgresql) as store, psycopg.connect(postgresql, autocommit=True) as root:
            store.commit(lambda tx: accept(tx, "m1"))

            def broken(tx: Transaction) -> None:
                accept(tx, "m2")
                pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                root.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
                tx.add_event("m2", Event(NOW, "never"))

            held = threading.Event()
            store.submit(lambda tx: held.wait(60))
            before = store.submit(lambda tx: accept(tx, "m3"))
            breaks = store.submit(broken)
            after = store.submit(lambda tx: accept(tx, "m4"))
            held.set()
            assert isinstance(breaks.exception(60), UnavailableError)
            assert (before.result(60), after.result(60)) == (None, None)
            assert whole(store) == ["m1", "m3", "m4"]

    def test_connections_that_broke_while_idle_cost_nothing(self, postgresql: str) -> None:
        with stores.open(postgresql) as store, psycopg.connect(postgresql, autocommit=True) as root:
            store.commit(lambda tx: accept(tx, "m1"))
            store.read(lambda tx: tx.message("m1"))
            root.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'gateway'"
            )
            store.commit(lambda tx: accept(tx, "m2"))
            assert whole(store) == ["m1", "m2"]

    def test_a_lock_that_another_process_keeps(self, postgresql: str) -> None:
        with (
            stores.open(postgresql, wait=0.2) as store,
            psycopg.connect(postgresql) as other,
        ):
            store.commit(lambda tx: tx.count("n"))
            other.execute("UPDATE counter SET value = 10")
            future = store.submit(lambda tx: (accept(tx, "m1"), tx.count("n")))
            assert isinstance(future.exception(15), UnavailableError)
            other.commit()
            assert whole(store) == []
            assert store.commit(lambda tx: tx.count("n")) == 11

    def test_read_only_server(self, postgresql: str) -> None:
        with psycopg.connect(postgresql, autocommit=True) as root:
            name = root.info.dbname
            root.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        with stores.open(postgresql) as store, pytest.raises(UnavailableError):
            store.commit(lambda tx: accept(tx, "m1"))

    def test_two_processes_that_deadlock_both_succeed(self, postgresql: str) -> None:
        """PostgreSQL ends one of them, which runs again."""
        with stores.open(postgresql) as one, stores.open(postgresql) as two:
            one.commit(lambda tx: (tx.count("a"), tx.count("b")))
            both_hold = threading.Barrier(2)
            runs: list[str] = []

            def work(tx: Transaction, first: str, second: str) -> tuple[int, int]:
                runs.append(first)
                numbers = {first: tx.count(first)}
                if len(runs) <= 2:
                    both_hold.wait(60)
                numbers[second] = tx.count(second)
                return numbers["a"], numbers["b"]

            futures = [
                one.submit(lambda tx: work(tx, "a", "b")),
                two.submit(lambda tx: work(tx, "b", "a")),
            ]
            assert sorted(f.result(60) for f in futures) == [(2, 2), (3, 3)]
            assert len(runs) >= 3


class TestOpening:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "nonsense",
            "sqlite://",
            "sqlite:///:memory:",
            "sqlite:///file:x?mode=memory&uri=true",
            "mysql://host/database",
            "oracle://host",
            "postgresql://host:port/x",
        ],
    )
    def test_a_url_of_another_kind_is_the_operators(self, url: str) -> None:
        for use in (stores.open, stores.upgrade):
            with pytest.raises(UnavailableError) as refused:
                use(url)
            assert refused.value.findings[0].rule == "store-url"

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UnavailableError) as refused:
            stores.open(f"sqlite:///{tmp_path}/no/store.db")
        assert refused.value.findings[0].rule == "store-file"
        with pytest.raises(UnavailableError):
            stores.open(f"sqlite:///{tmp_path}")


def test_no_database_error_leaves_the_store(store: Store) -> None:
    """Neither from a commit nor from a read, and parameters stay out of the text."""
    secret = "NGUYEN VAN MAU"
    twice = message.insert().values(id=secret)
    for call in (store.commit, store.read):
        with pytest.raises((InternalError, UnavailableError)) as raised:
            call(lambda tx: tx.connection.execute(twice))
        cause = raised.value.__cause__
        assert isinstance(cause, SQLAlchemyError)
        assert "hidden" in str(cause).lower()


def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    add(store, sample("m1"))
    entered, leave = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        tx.add_message(sample("m2"))
        entered.set()
        assert leave.wait(60)

    future = store.submit(slow)
    assert entered.wait(60)
    assert store.read(lambda tx: (tx.message("m1"), tx.message("m2"))) == (sample("m1"), None)
    leave.set()
    future.result(60)


def test_more_readers_than_connections(store: Store) -> None:
    add(store, sample("m1"))
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.read(lambda tx: tx.message("m1"))))
        for _ in range(60)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sample("m1")] * 60


def test_a_write_error_of_the_system(file: Path) -> None:
    """A real one: the process may not write so large a file."""
    url = f"sqlite:///{file}"
    command = [sys.executable, store_program.__file__, "fill", url, str(file.stat().st_size)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    *accepted, last = told.split()
    assert len(accepted) >= 1
    assert last == "unavailable"
    with stores.open(url) as store:
        store_program.assert_whole(store, accepted)
