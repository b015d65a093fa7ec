"""The worker on a real SQLite store: order, isolation, the breaker, crashes, drain."""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway import store as stores
from gateway.errors import CounterpartError
from gateway.flows.chores import Chore
from gateway.flows.ports import Destination, Message, Store, Task
from gateway.flows.retry import Breaker, Dead, Done, Outcome, Retry, Schedule
from gateway.model.states import MessageKind, MessageState, TaskKind
from gateway.worker import Pace, Waking, Worker

START = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)
SOON = 10.0  # seconds that a test waits at most for a thread
EVERY = timedelta(seconds=30)
PACE = Pace(
    places=2,
    lease=timedelta(seconds=90),
    schedule=Schedule(jitter=0.0, crashes=3),
    breaker=Breaker(threshold=2, pause=timedelta(seconds=20), longest=timedelta(seconds=60)),
)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class House:
    """A store with a queue, and the tasks that ran."""

    store: stores.Store
    clock: Clock = field(default_factory=Clock)
    ran: list[str] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def queue(
        self, name: str, to: str = "cn", key: str | None = None, kind: TaskKind = TaskKind.SEND
    ) -> None:
        message = Message(
            id=name,
            kind=MessageKind.OUTBOUND,
            party="cn",
            external_id=name,
            conversation_id="c",
            document_type="cn.mt1401",
            state=MessageState.QUEUED,
            digest="",
            created=self.clock(),
        )
        self.store.commit(
            lambda tx: (
                tx.add_message(message),
                tx.enqueue(kind, name, to, key or name, self.clock()),
            )
        )

    def worker(
        self,
        run: Callable[[Task], Outcome] | None = None,
        *,
        pace: Pace = PACE,
        chore: Callable[[], int] | None = None,
        store: Store | None = None,
        bell: threading.Event | None = None,
    ) -> Worker:
        def noted(task: Task) -> Outcome:
            self.ran.append(task.message_id)
            return run(task) if run else Done()

        made = Worker(
            store or self.store,
            dict.fromkeys(TaskKind, noted),
            [Chore("errand", EVERY, chore)] if chore else [],
            clock=self.clock,
            ids=lambda: f"id-{next(self.numbers)}",
            randomness=bytes,
            pace=pace,
            bell=bell,
        )
        self.workers.append(made)
        return made

    def turn(self, worker: Worker) -> int:
        """Let the worker take one turn and wait for what it started."""
        count = worker.turn()
        assert worker.settled(SOON)
        return count

    def pending(self, name: str) -> tuple[Task, ...]:
        return self.store.read(lambda tx: tx.pending(name))

    def health(self, name: str = "cn") -> Destination:
        return self.store.read(lambda tx: tx.destination(name))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    stores.upgrade(url)
    with stores.open(url, wait=0.2) as store:
        made = House(store)
        yield made
        for worker in made.workers:
            worker.close(SOON)


def test_a_task_runs_once_and_is_done(house: House) -> None:
    house.queue("a")
    worker = house.worker()
    assert house.turn(worker) == 1
    assert house.turn(worker) == 0
    assert house.ran == ["a"]
    assert house.pending("a") == ()


def test_one_order_key_runs_in_order_and_one_at_a_time(house: House) -> None:
    for name in ("a", "b", "c"):
        house.queue(name, key="batch")
    worker = house.worker()
    assert [house.turn(worker) for _ in range(4)] == [1, 1, 1, 0]
    assert house.ran == ["a", "b", "c"]


def test_a_dead_destination_does_not_delay_another(house: House) -> None:
    over, lived = threading.Event(), threading.Semaphore(0)

    def run(task: Task) -> Outcome:
        if task.destination == "dead":
            over.wait(SOON)
        else:
            lived.release()
        return Done()

    for number in range(8):
        house.queue(f"dead-{number}", to="dead")
    for number in range(4):
        house.queue(f"live-{number}", to="live")
    worker = house.worker(run)
    worker.start()
    for _ in range(4):
        assert lived.acquire(timeout=SOON)
    assert sum(name.startswith("dead") for name in house.ran) == PACE.places
    over.set()


def _until(true: Callable[[], bool], event: threading.Event) -> None:
    for _ in range(500):
        if true():
            event.set()
            return
        event.wait(0.02)


def test_no_more_than_its_places_of_a_destination_are_leased(house: House) -> None:
    over = threading.Event()

    def run(task: Task) -> Outcome:
        over.wait(SOON)
        return Done()

    for number in range(6):
        house.queue(str(number))
    worker = house.worker(run)
    assert [worker.turn() for _ in range(3)] == [2, 0, 0]
    over.set()
    assert worker.settled(SOON)
    assert [house.turn(worker) for _ in range(3)] == [2, 2, 0]


def test_a_destination_that_is_half_busy_gets_the_rest_of_its_places(house: House) -> None:
    over = threading.Event()

    def run(task: Task) -> Outcome:
        over.wait(SOON)
        return Done()

    house.queue("first")
    worker = house.worker(run)
    assert worker.turn() == 1
    for number in range(4):
        house.queue(str(number))
    assert worker.turn() == PACE.places - 1
    over.set()


def test_a_retry_waits_for_its_time_and_counts_its_attempts(house: House) -> None:
    seen: list[int] = []

    def run(task: Task) -> Outcome:
        seen.append(task.attempts)
        return Retry(house.clock() + timedelta(seconds=30), CounterpartError("timed-out"))

    house.queue("a")
    worker = house.worker(run)
    assert house.turn(worker) == 1
    house.clock.pass_(29)
    assert house.turn(worker) == 0
    house.clock.pass_(1)
    assert house.turn(worker) == 1
    assert seen == [0, 1]


def test_what_is_given_up_is_buried_and_the_next_of_its_order_goes_on(house: House) -> None:
    house.queue("a", key="batch")
    house.queue("b", key="batch")
    worker = house.worker(
        lambda task: Dead(CounterpartError("refused")) if task.message_id == "a" else Done()
    )
    assert [house.turn(worker) for _ in range(3)] == [1, 1, 0]
    assert house.store.read(lambda tx: tx.backlog())["cn"][2] == 1
    assert house.store.commit(lambda tx: tx.revive("a", house.clock())) == 1


# crashes


def _crash(task: Task) -> Outcome:
    raise ZeroDivisionError("passport C1234567")


def test_a_crash_is_an_incident_and_a_later_try_not_the_end(house: House) -> None:
    house.queue("a")
    house.queue("b")
    worker = house.worker(lambda task: _crash(task) if task.message_id == "a" else Done())
    with capture_logs() as logs:
        house.turn(worker)
    (crash,) = [entry for entry in logs if entry["event"] == "task-crashed"]
    (event,) = house.store.read(lambda tx: tx.events("a"))
    assert event.code == "retry"
    assert event.detail["incident"] == crash["incident"]
    assert "C1234567" not in str(event)
    assert house.pending("b") == ()
    (task,) = house.pending("a")
    assert task.attempts == 1
    assert house.health() == Destination()


def test_a_poisoned_task_parks_itself_and_its_order_key_goes_on(house: House) -> None:
    house.queue("a", key="batch")
    house.queue("b", key="batch")
    worker = house.worker(lambda task: _crash(task) if task.message_id == "a" else Done())
    for _ in range(PACE.schedule.crashes + 1):
        house.turn(worker)
        house.clock.pass_(3600)
    assert house.ran == ["a"] * PACE.schedule.crashes + ["b"]
    message = house.store.read(lambda tx: tx.message("a"))
    assert message is not None
    assert message.state is MessageState.DEAD
    assert [e.code for e in house.store.read(lambda tx: tx.events("a"))] == ["retry"] * 2 + ["dead"]


def test_a_lease_that_was_lost_changes_nothing(house: House) -> None:
    """Our task takes too long, another worker takes it over and finishes it."""
    began, over = threading.Event(), threading.Event()

    def slow(task: Task) -> Outcome:
        began.set()
        over.wait(SOON)
        return Retry(house.clock() + timedelta(days=1), CounterpartError("timed-out"))

    house.queue("a")
    late, quick = house.worker(slow), house.worker()
    late.turn()
    assert began.wait(SOON)
    house.clock.pass_(PACE.lease.total_seconds() + 1)
    assert house.turn(quick) == 1
    with capture_logs() as logs:
        over.set()
        assert late.settled(SOON)
    assert house.pending("a") == ()
    assert "lease-lost" in [entry["event"] for entry in logs]


# the breaker


def test_the_breaker_leaves_a_destination_alone_then_sends_one_probe(house: House) -> None:
    up = threading.Event()

    def run(task: Task) -> Outcome:
        if up.is_set() or task.destination != "cn":
            return Done()
        return Retry(house.clock(), CounterpartError("unreachable"))

    for number in range(5):
        house.queue(f"cn-{number}")
    house.queue("other", to="vn-customs")
    worker = house.worker(run)
    house.turn(worker)
    house.turn(worker)
    assert house.health().open_until is not None
    tried = len(house.ran)
    assert house.turn(worker) == 0  # open: though tasks are due
    house.clock.pass_(61)
    assert house.turn(worker) == 1  # half-open: one probe, which fails
    assert house.turn(worker) == 0
    assert len(house.ran) == tried + 1
    house.clock.pass_(61)
    up.set()
    assert house.turn(worker) == 1  # a probe that succeeds closes it
    assert house.health() == Destination()
    while house.turn(worker):
        pass
    assert not any(house.pending(f"cn-{number}") for number in range(5))
    assert house.pending("other") == ()


def test_two_workers_send_one_probe_between_them(house: House) -> None:
    over, began = threading.Event(), threading.Event()

    def run(task: Task) -> Outcome:
        began.set()
        over.wait(SOON)
        return Done()

    for number in range(4):
        house.queue(str(number))
    house.store.commit(lambda tx: tx.set_destination("cn", Destination(9, START)))
    one, two = house.worker(run), house.worker(run)
    for worker in (one, two):
        worker._known.add("cn")
    assert one.turn() == 1
    assert began.wait(SOON)
    assert two.turn() == 0
    assert one.turn() == 0
    over.set()
    assert one.settled(SOON)
    assert two.turn() == 2


def test_no_probe_goes_out_while_an_earlier_send_still_runs(house: House) -> None:
    over = threading.Event()

    def run(task: Task) -> Outcome:
        if task.message_id == "slow":
            over.wait(SOON)
        return Done()

    house.queue("slow")
    worker = house.worker(run)
    assert worker.turn() == 1
    house.queue("next")
    house.store.commit(lambda tx: tx.set_destination("cn", Destination(9, START)))
    assert worker.turn() == 0
    over.set()
    assert worker.settled(SOON)
    assert house.turn(worker) == 1


# the loop


def test_every_commit_rings_the_bell_and_reading_does_not(house: House) -> None:
    bell = threading.Event()
    waking = Waking(house.store, bell)
    waking.read(lambda tx: tx.backlog())
    waking.check()
    assert not bell.is_set()
    assert waking.commit(lambda tx: "result") == "result"
    assert bell.is_set()


def test_a_commit_in_this_process_wakes_the_worker_at_once(house: House) -> None:
    bell, done = threading.Event(), threading.Event()

    def run(task: Task) -> Outcome:
        done.set()
        return Done()

    worker = house.worker(run, bell=bell, pace=Pace(poll=3600))
    worker.start()
    house.store = Waking(house.store, bell)  # type: ignore[assignment]
    house.queue("a")
    assert done.wait(SOON)
    assert worker.close(SOON)


def test_the_loop_outlives_a_store_that_is_down(house: House, tmp_path: Path) -> None:
    done = threading.Event()

    def run(task: Task) -> Outcome:
        done.set()
        return Done()

    house.queue("a")
    bell = threading.Event()
    worker = house.worker(run, bell=bell, pace=Pace(poll=0.01))
    lock = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        worker.start()
        _until(lambda: any(e["event"] == "store-unavailable" for e in logs), threading.Event())
        lock.execute("ROLLBACK")
        lock.close()
        bell.set()
        assert done.wait(SOON)
        assert worker.close(SOON)
    assert "store-unavailable" in [entry["event"] for entry in logs]


def test_closing_drains_what_runs(house: House) -> None:
    began, over = threading.Event(), threading.Event()

    def run(task: Task) -> Outcome:
        began.set()
        over.wait(SOON)
        return Done()

    house.queue("a")
    worker = house.worker(run)
    worker.start()
    assert began.wait(SOON)
    assert not worker.close(0.05)  # it does not wait for ever
    over.set()
    assert worker.close(SOON)
    assert house.pending("a") == ()
    house.queue("b")
    assert house.ran == ["a"]


# chores


def test_a_chore_runs_now_and_then_and_a_fault_there_harms_nothing(house: House) -> None:
    calls: list[datetime] = []

    def errand() -> int:
        calls.append(house.clock())
        if len(calls) == 1:
            raise ZeroDivisionError
        return 1

    house.queue("a")
    worker = house.worker(chore=errand)
    with capture_logs() as logs:
        house.turn(worker)
        house.turn(worker)
        assert len(calls) == 1
        house.clock.pass_(EVERY.total_seconds())
        house.turn(worker)
        assert len(calls) == 2
    assert house.ran == ["a"]
    assert {"chore", "task-not-settled"} <= {entry["event"] for entry in logs}


def test_a_chore_that_takes_long_takes_no_place_and_is_not_begun_twice(house: House) -> None:
    over, calls = threading.Event(), []

    def errand() -> int:
        calls.append(house.clock())
        over.wait(SOON)
        return 0

    worker = house.worker(chore=errand)
    assert worker.turn() == 0
    house.clock.pass_(EVERY.total_seconds())
    for number in range(PACE.places):
        house.queue(str(number))
    assert worker.turn() == PACE.places
    over.set()
    assert worker.settled(SOON)
    assert len(calls) == 1
