"""The queue: order, leases and what happens to tasks, on both databases."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, text
from store_sample import KINDS, Databases, add, at, enqueue, lease, plans, sample

from gateway import store as stores
from gateway.flows.ports import Task, Transaction
from gateway.model.states import TaskKind
from gateway.store import Store
from gateway.store.tables import lane, task


def ids(tasks: tuple[Task, ...]) -> list[int]:
    return [t.id for t in tasks]


def complete(store: Store, task_id: int, owner: str = "w") -> bool:
    return store.commit(lambda tx: tx.complete(task_id, owner))


def postpone(store: Store, task_id: int, until: float, owner: str = "w") -> bool:
    return store.commit(lambda tx: tx.postpone(task_id, owner, at(until), "timed-out"))


def bury(store: Store, task_id: int, owner: str = "w") -> bool:
    return store.commit(lambda tx: tx.bury(task_id, owner, "refused"))


def test_a_leased_task_says_what_was_queued(store: Store) -> None:
    number = enqueue(store, "m1", key="batch 1", to="agency", when=5)
    assert lease(store, now=4) == ()
    expected = Task(number, TaskKind.SEND, "m1", "agency", "batch 1", 0, at(5))
    assert lease(store, now=5) == (expected,)


def test_one_key_runs_one_at_a_time_in_order(store: Store) -> None:
    first, second, third = (enqueue(store, name) for name in ("m1", "m2", "m3"))
    assert first < second < third
    for number in (first, second, third):
        assert ids(lease(store)) == [number]
        assert lease(store) == ()
        assert complete(store, number)
    assert lease(store) == ()


def test_keys_and_destinations_do_not_wait_for_each_other(store: Store) -> None:
    numbers = [enqueue(store, "m1", key, to) for key in "ab" for to in ("cn", "agency")]
    assert sorted(ids(lease(store))) == numbers


def test_the_longest_due_come_first_up_to_the_limit(store: Store) -> None:
    late, early, middle = (
        enqueue(store, "m1", k, when=w) for k, w in (("a", 3), ("b", 1), ("c", 2))
    )
    assert ids(lease(store, now=9, limit=2)) == [early, middle]
    assert ids(lease(store, now=9, limit=2)) == [late]


def test_skipped_destinations_are_left(store: Store) -> None:
    enqueue(store, "m1", to="dead")
    alive = enqueue(store, "m1", to="alive")
    enqueue(store, "m1", to="gone")
    assert ids(lease(store, skip="dead gone")) == [alive]
    assert len(lease(store)) == 2


def test_an_ended_lease_is_free_and_its_owner_has_lost(store: Store) -> None:
    number = enqueue(store, "m1")
    assert [t.attempts for t in lease(store, "w1", now=0, hold=60)] == [0]
    assert lease(store, "w2", now=59) == ()
    assert [t.attempts for t in lease(store, "w2", now=60)] == [1]
    for lost in (
        lambda tx: tx.complete(number, "w1"),
        lambda tx: tx.postpone(number, "w1", at(0), "x"),
        lambda tx: tx.bury(number, "w1", "x"),
    ):
        assert store.commit(lost) is False
    assert complete(store, number, "w2")


def test_an_ended_lease_that_nobody_took_still_counts(store: Store) -> None:
    number = enqueue(store, "m1")
    lease(store, hold=1)
    assert complete(store, number)


def test_what_is_not_leased_cannot_be_finished(store: Store) -> None:
    number = enqueue(store, "m1")
    assert not complete(store, number)
    assert not complete(store, number + 1)
    lease(store)
    assert complete(store, number)
    assert not complete(store, number)
    assert not postpone(store, number, 5)
    assert not bury(store, number)


def test_a_postponed_task_holds_up_its_key_only(store: Store) -> None:
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    other = enqueue(store, "m3", key="other", when=1)
    assert ids(lease(store)) == [first]
    assert postpone(store, first, 30)
    assert ids(lease(store, now=29)) == [other]
    (again,) = lease(store, now=30)
    assert (again.id, again.attempts, again.first_at) == (first, 1, at(0))
    assert complete(store, first)
    assert ids(lease(store, now=30)) == [second]


def test_behind_a_buried_task_the_others_go_on(store: Store) -> None:
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    lease(store)
    assert bury(store, first)
    assert store.read(lambda tx: tx.pending("m1")) == ()
    assert ids(lease(store)) == [second]


def test_a_task_queued_while_the_key_is_held_waits(store: Store) -> None:
    first = enqueue(store, "m1")
    lease(store)
    second = enqueue(store, "m2", when=-60)
    assert lease(store) == ()
    assert complete(store, first)
    assert ids(lease(store)) == [second]


def test_a_revived_task_starts_anew_before_those_behind_it(store: Store) -> None:
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    lease(store)
    bury(store, first)
    assert store.commit(lambda tx: tx.revive("m2", at(5))) == 0
    assert store.commit(lambda tx: tx.revive("m1", at(5))) == 1
    assert store.commit(lambda tx: tx.revive("m1", at(5))) == 0
    assert lease(store, now=4) == ()
    (again,) = lease(store, now=5)
    assert (again.id, again.attempts, again.first_at) == (first, 0, at(5))
    complete(store, first)
    assert ids(lease(store, now=5)) == [second]


def test_a_revived_task_waits_for_the_one_that_is_under_way(store: Store) -> None:
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    lease(store)
    bury(store, first)
    assert ids(lease(store, "w2")) == [second]
    assert store.commit(lambda tx: tx.revive("m1", at(5))) == 1
    assert lease(store, now=5) == ()
    assert complete(store, second, "w2")
    assert ids(lease(store, now=5)) == [first]


def test_when_that_lease_ends_the_revived_task_is_first(store: Store) -> None:
    """Its time is heeded, and whoever held the key has lost."""
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    lease(store)
    bury(store, first)
    lease(store, "w2", hold=60)
    store.commit(lambda tx: tx.revive("m1", at(90)))
    assert lease(store, now=60) == ()
    assert not complete(store, second, "w2")
    assert ids(lease(store, now=90)) == [first]


def test_a_revived_task_does_not_wait_for_a_postponed_one_behind_it(store: Store) -> None:
    first, second = enqueue(store, "m1"), enqueue(store, "m2")
    lease(store)
    bury(store, first)
    lease(store)
    postpone(store, second, 99)
    store.commit(lambda tx: tx.revive("m1", at(5)))
    assert lease(store, now=4) == ()
    assert ids(lease(store, now=5)) == [first]


def test_a_message_revives_in_every_destination(store: Store) -> None:
    numbers = [enqueue(store, "m1", to=to) for to in ("a", "b")]
    for leased in lease(store):
        bury(store, leased.id)
    assert store.commit(lambda tx: tx.revive("m1", at(0))) == 2
    assert sorted(ids(lease(store))) == numbers


def test_pending_tasks_of_a_message(store: Store) -> None:
    numbers = [enqueue(store, "m1", key) for key in "abc"]
    enqueue(store, "m2")
    leased = {t.order_key: t.id for t in lease(store)}
    complete(store, leased["a"])
    assert ids(store.read(lambda tx: tx.pending("m1"))) == numbers[1:]


def test_backlog_per_destination(store: Store) -> None:
    assert store.read(lambda tx: tx.backlog()) == {}
    for key, to, when in (("a", "cn", 3), ("a", "cn", 2), ("b", "cn", 1), ("a", "dead", 0)):
        enqueue(store, "m1", key, to, when)
    for leased in lease(store, now=9):
        if leased.destination == "dead":
            bury(store, leased.id)
        else:
            postpone(store, leased.id, 99)
    expected = {"cn": (3, at(1), 0), "dead": (0, None, 1)}
    assert store.read(lambda tx: tx.backlog()) == expected


def test_a_hundred_thousand_done_tasks_are_never_read(store: Store) -> None:
    """Every step of the queue finds its rows by an index of what is open."""
    add(store, sample("m1"))
    done = {
        "kind": TaskKind.SEND,
        "message_id": "m1",
        "destination": "cn",
        "attempts": 1,
        "first_at": at(0),
        "due": at(0),
        "outcome": "done",
    }
    rows = [done | {"order_key": f"k{n % 1000}"} for n in range(100_000)]
    store.commit(lambda tx: tx.connection.execute(insert(task), rows))
    for n in range(300):
        enqueue(store, f"w{n % 3}", key=f"k{n}")
    store.commit(lambda tx: tx.connection.execute(text("ANALYZE")))

    def work(tx: Transaction) -> None:
        for number, leased in enumerate(tx.lease("w", at(0), at(60), 6)):
            if number % 3 == 0:
                tx.complete(leased.id, "w")
            elif number % 3 == 1:
                tx.postpone(leased.id, "w", at(9), "x")
            else:
                tx.bury(leased.id, "w", "x")
        tx.enqueue(TaskKind.SEND, "w1", "cn", "k1", at(0))
        tx.backlog()

    seen = plans(store, work)
    assert len(seen) > 20
    # "SCAN task" (SQLite) and "Seq Scan on task" (PostgreSQL) read the whole table.
    assert [p for p in seen if "Seq Scan on task" in p] == []
    assert [
        p
        for p in seen
        if p.startswith("SCAN task")
        and "USING INDEX task_" not in p
        and "USING COVERING INDEX task_" not in p
    ] == []


@dataclass
class Row:
    """What the model knows of a task."""

    id: int
    key: str
    due: float
    attempts: int = 0
    state: str = "open"


@dataclass
class Held:
    """A lease of the model."""

    id: int
    owner: str
    until: float


KEYS = ("a", "b", "c")
OWNERS = ("w1", "w2")


@dataclass
class Model:
    """The queue as plain lists, in the words of `gateway.flows.ports`."""

    now: float = 0
    tasks: dict[int, Row] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)

    def first(self, key: str) -> Row | None:
        rows = [r for r in self.tasks.values() if r.key == key and r.state == "open"]
        return min(rows, key=lambda r: r.id, default=None)

    def free(self) -> dict[int, Row]:
        """The tasks that a lease may take now."""
        found = {}
        for key in KEYS:
            row, held = self.first(key), self.held.get(key)
            if row and row.due <= self.now and (held is None or held.until <= self.now):
                found[row.id] = row
        return found

    def holds(self, number: int, owner: str) -> bool:
        row = self.tasks.get(number)
        held = self.held.get(row.key) if row else None
        return held is not None and (held.id, held.owner) == (number, owner)


class Queue(RuleBasedStateMachine):
    """Random work on the queue does what the model says."""

    store: Store  # set by the test
    numbers = Bundle("numbers")
    seconds = st.integers(0, 3)

    @initialize()
    def empty(self) -> None:
        self.model = Model()
        for table in (lane, task):
            self.store.commit(lambda tx, t=table: tx.connection.execute(delete(t)))

    @rule(target=numbers, key=st.sampled_from(KEYS), delay=seconds)
    def enqueue(self, key: str, delay: int) -> int:
        number = enqueue(self.store, f"message {key}", key, when=self.model.now + delay)
        assert number > max(self.model.tasks, default=0)
        self.model.tasks[number] = Row(number, key, self.model.now + delay)
        return number

    @rule(by=st.integers(1, 3))
    def time_passes(self, by: int) -> None:
        self.model.now += by

    @rule(owner=st.sampled_from(OWNERS), hold=st.integers(1, 4), limit=st.integers(1, 4))
    def lease(self, owner: str, hold: int, limit: int) -> None:
        free = self.model.free()
        leased = lease(self.store, owner, self.model.now, hold, limit)
        assert len(leased) == min(limit, len(free))
        for one in leased:
            row = free.pop(one.id)
            assert (one.order_key, one.attempts) == (row.key, row.attempts)
            row.attempts += 1
            self.model.held[row.key] = Held(row.id, owner, self.model.now + hold)

    @rule(number=numbers, owner=st.sampled_from(OWNERS))
    def complete(self, number: int, owner: str) -> None:
        holds = self.model.holds(number, owner)
        assert complete(self.store, number, owner) is holds
        if holds:
            self._release(number, "done")

    @rule(number=numbers, owner=st.sampled_from(OWNERS), delay=seconds)
    def postpone(self, number: int, owner: str, delay: int) -> None:
        holds = self.model.holds(number, owner)
        assert postpone(self.store, number, self.model.now + delay, owner) is holds
        if holds:
            self._release(number, "open")
            self.model.tasks[number].due = self.model.now + delay

    @rule(number=numbers, owner=st.sampled_from(OWNERS))
    def bury(self, number: int, owner: str) -> None:
        holds = self.model.holds(number, owner)
        assert bury(self.store, number, owner) is holds
        if holds:
            self._release(number, "buried")

    @rule(key=st.sampled_from(KEYS))
    def revive(self, key: str) -> None:
        rows = [r for r in self.model.tasks.values() if r.key == key and r.state == "buried"]
        count = self.store.commit(lambda tx: tx.revive(f"message {key}", at(self.model.now)))
        assert count == len(rows)
        for row in rows:
            row.state, row.attempts, row.due = "open", 0, self.model.now

    @rule(number=consumes(numbers))
    def forget(self, number: int) -> None:
        """Keep the bundle short, so that leased tasks are met again."""

    @invariant()
    def counts_agree(self) -> None:
        states = [r.state for r in self.model.tasks.values()]
        waiting, _, buried = self.store.read(lambda tx: tx.backlog()).get("cn", (0, None, 0))
        assert (waiting, buried) == (states.count("open"), states.count("buried"))

    def _release(self, number: int, state: str) -> None:
        row = self.model.tasks[number]
        row.state = state
        del self.model.held[row.key]


@pytest.mark.parametrize("kind", KINDS)
def test_random_work_agrees_with_the_model(kind: str, databases: Databases) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(databases(kind))
        store = stack.enter_context(stores.open(url))
        machine = type("QueueOf" + kind, (Queue,), {"store": store})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
