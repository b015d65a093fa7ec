"""Group commit: who shares a commit, and what a work that raises does to the others."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_sample import KINDS, Databases, add, sample

from gateway import store as stores
from gateway.errors import UnavailableError
from gateway.flows.ports import Transaction
from gateway.store import Store


class Gate:
    """A work that holds the writer until the gate is opened, while others queue up."""

    def __init__(self, store: Store) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()
        self.result = store.submit(self._work)

    def _work(self, tx: Transaction) -> str:
        self.entered.set()
        assert self._open.wait(60)
        return "opened"

    def open(self) -> None:
        self._open.set()


def counting(tx: Transaction) -> int:
    return tx.count("n")


def raising(error: BaseException) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        tx.count("n")
        raise error

    return work


def test_a_lone_caller_commits_at_once(store: Store) -> None:
    before = store.commits
    assert [store.commit(counting) for _ in range(3)] == [1, 2, 3]
    assert store.commits == before + 3


def test_callers_that_wait_share_one_commit(store: Store) -> None:
    gate = Gate(store)
    assert gate.entered.wait(60)
    futures = [store.submit(counting) for _ in range(30)]
    assert store.waiting == 30
    before = store.commits
    gate.open()
    assert [f.result(60) for f in futures] == list(range(1, 31))
    assert gate.result.result() == "opened"
    assert store.commits == before + 1


def test_a_shared_commit_has_a_limit(store: Store) -> None:
    gate = Gate(store)
    futures = [store.submit(counting) for _ in range(200)]
    before = store.commits
    gate.open()
    assert [f.result(60) for f in futures] == list(range(1, 201))
    assert store.commits - before == 4  # 201 works of at most 64


def test_thirty_two_submitters_share_commits(store: Store) -> None:
    """The goal is a sixteenth of a commit per message; the floor is an eighth."""
    before = store.commits
    ready = threading.Barrier(32)

    def submitter(number: int) -> None:
        ready.wait(60)
        for n in range(10):
            add(store, sample(f"m{number}.{n}"))

    threads = [threading.Thread(target=submitter, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.read(lambda tx: tx.search(limit=400)).messages) == 320
    assert store.commits - before <= 320 / 8


def test_one_that_raises_does_not_disturb_the_others(store: Store) -> None:
    gate = Gate(store)
    error = LookupError("mine")
    futures: list[Future[object]] = [
        store.submit(raising(error) if n == 5 else counting) for n in range(10)
    ]
    before = store.commits
    gate.open()
    wait_for(futures, 60)
    assert futures[5].exception() is error
    assert [f.result() for n, f in enumerate(futures) if n != 5] == list(range(1, 10))
    assert store.commits == before + 2  # what came before it, what came behind it
    assert store.commit(counting) == 10


def test_an_error_rests_on_committed_rows_only(store: Store) -> None:
    """A work that raised because of what another did, which was then undone, runs again."""
    undone = LookupError()

    def adds_and_raises(tx: Transaction) -> None:
        tx.add_message(sample("m1"))
        raise undone

    def wants_none(tx: Transaction) -> str:
        if tx.message("m1") is not None:
            raise AssertionError("saw what was never committed")
        return "none"

    def third(tx: Transaction) -> bool:
        return tx.message("m1") is None

    gate = Gate(store)
    futures = [store.submit(w) for w in (adds_and_raises, wants_none, third)]
    gate.open()
    wait_for(futures, 60)
    assert futures[0].exception() is undone
    assert (futures[1].result(), futures[2].result()) == ("none", True)


def test_a_batch_of_failures_only(store: Store) -> None:
    gate = Gate(store)
    errors = [LookupError(str(n)) for n in range(40)]
    futures = [store.submit(raising(error)) for error in errors]
    gate.open()
    wait_for(futures, 60)
    assert [f.exception() for f in futures] == errors
    assert store.commit(counting) == 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration()])
def test_the_writer_survives_whatever_a_work_raises(store: Store, error: BaseException) -> None:
    assert isinstance(store.submit(raising(error)).exception(60), type(error) | RuntimeError)
    assert store.commit(counting) == 1


def test_a_statement_that_fails_does_not_disturb_the_others(store: Store) -> None:
    """On PostgreSQL it breaks the transaction that it shares."""
    gate = Gate(store)
    futures = [
        store.submit(counting),
        store.submit(lambda tx: tx.connection.exec_driver_sql("SELECT nothing FROM nowhere")),
        store.submit(counting),
    ]
    gate.open()
    wait_for(futures, 60)
    assert isinstance(futures[1].exception(), UnavailableError)
    assert (futures[0].result(), futures[2].result()) == (1, 2)


def test_a_work_of_a_caller_that_left_does_not_run(store: Store) -> None:
    gate = Gate(store)
    assert gate.entered.wait(60)
    gone, stays = store.submit(counting), store.submit(counting)
    assert gone.cancel()
    gate.open()
    assert stays.result(60) == 1


def test_a_work_that_commits_is_a_bug_and_no_deadlock(store: Store) -> None:
    with pytest.raises(RuntimeError, match="for ever"):
        store.commit(lambda tx: store.commit(counting))


def writers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "store-writer"]


def test_closing_finishes_what_waits_and_ends_the_thread(store: Store) -> None:
    running = len(writers())
    gate = Gate(store)
    futures = [store.submit(counting) for _ in range(5)]
    closer = threading.Thread(target=store.close)
    closer.start()
    gate.open()
    closer.join(60)
    assert [f.result() for f in futures] == [1, 2, 3, 4, 5]
    with pytest.raises(UnavailableError):
        store.submit(counting)
    assert len(writers()) == running - 1


Step = tuple[str, int]
STEPS = st.tuples(st.sampled_from(["add", "raise", "taken"]), st.integers(0, 5))


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest, databases: Databases) -> Iterator[list[Store]]:
    """A store for all examples of a property, in a list so that hypothesis prints little."""
    with databases(request.param) as url, stores.open(url) as store:
        yield [store]


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_any_mix_ends_as_if_one_after_the_other(shared: list[Store], steps: list[Step]) -> None:
    """Results, errors and rows are those of running each work alone, in order."""
    store = shared[0]
    round_ = store.commit(lambda tx: tx.count("round"))

    def run(step: Step, tx: Transaction) -> bool | int:
        kind, number = step
        name = f"{round_}.{number}"
        if kind == "taken":
            if tx.message(name):
                raise KeyError(name)
            return False
        fresh = tx.add_message(sample(name, conversation_id=str(round_)))
        if kind == "raise":
            raise LookupError(fresh)
        return tx.count(str(round_)) if fresh else fresh

    gate = Gate(store)
    futures = [store.submit(lambda tx, s=step: run(s, tx)) for step in steps]
    gate.open()
    wait_for(futures, 60)

    there: set[int] = set()
    for (kind, number), future in zip(steps, futures, strict=True):
        known = number in there
        if kind == "taken":
            assert isinstance(future.exception(), KeyError) if known else future.result() is False
        elif kind == "raise":
            error = future.exception()
            assert isinstance(error, LookupError)
            assert error.args == (not known,)
        else:
            there.add(number)
            assert future.result() == (False if known else len(there))
    found = store.read(lambda tx: tx.conversation(str(round_)))
    assert {int(m.id.partition(".")[2]) for m in found} == there
