"""Several processes on one database, and processes that are killed."""

import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import store_program
from store_program import all_at_once, assert_whole, start
from store_sample import Databases, add, at, enqueue, lease, sample

from gateway import store as stores
from gateway.flows.ports import Half, Transaction
from gateway.model.states import TaskKind
from gateway.store import Store


def killed_after(process: "subprocess.Popen[str]", lines: int) -> list[str]:
    """Kill a process after so many lines; return all that it told, whole lines only."""
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.communicate()
    assert process.wait() == -signal.SIGKILL
    assert all(line.endswith("\n") for line in told)
    return told


def said(told: list[str], what: str) -> list[str]:
    """Return the messages of which the processes told this."""
    return [line.split()[1] for line in told if line.startswith(what)]


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 16), ("postgresql", 4)])
def test_kill_9_loses_nothing_that_was_told(kind: str, kills: int, databases: Databases) -> None:
    chance = random.Random(kind)
    told: list[str] = []
    with databases(kind) as url:
        for number in range(kills):
            told += killed_after(start("write", url, f"p{number}"), chance.randint(1, 90))
            with stores.open(url) as store:
                store.check()
                assert_whole(store, said(told, "accepted"), said(told, "delivered"))
        with stores.open(url) as store:
            store.commit(lambda tx: store_program.accept(tx, "last"))
            assert_whole(store, [*said(told, "accepted"), "last"])
    assert len(told) > kills


def test_processes_share_numbers_names_and_work(url: str, tmp_path: Path) -> None:
    with stores.open(url) as store:
        queued = [enqueue(store, f"m{n % 7}", key=f"key{n % 7}") for n in range(84)]
    processes = [start("contend", url, name, str(tmp_path)) for name in ("one", "two", "three")]
    told = [line.split() for line in all_at_once(processes)]

    winners: dict[str, set[str]] = {}
    for _, number, winner in (t for t in told if t[0] == "allocated"):
        winners.setdefault(number, set()).add(winner)
    assert len(winners) == 60
    assert {len(names) for names in winners.values()} == {1}

    counted = sorted(int(t[1]) for t in told if t[0] == "counted")
    assert counted == list(range(1, 181))

    added = Counter(t[1] for t in told if t[0] == "added" and t[2] == "True")
    assert added == Counter(str(n) for n in range(60))

    worked = sorted(
        (key, int(place), int(task))
        for _, key, place, task in (t for t in told if t[0] == "worked")
    )
    assert sorted(task for *_, task in worked) == queued
    assert worked == sorted(worked, key=lambda w: (w[0], w[2]))  # places in the order of ids


def race(*works: object) -> list[object]:
    """Run works at once, each from a thread; return what came out, in order."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: object) -> None:
        barrier.wait(60)
        results[place] = work()  # type: ignore[operator]

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def two(url: str) -> Iterator[tuple[Store, Store]]:
    """Two stores on one database: two writers, as in two processes."""
    with stores.open(url) as one, stores.open(url) as other:
        yield one, other


def test_halves_that_come_at_once_see_each_other(two: tuple[Store, Store]) -> None:
    """Exactly one of the two finds the other, whoever comes first."""

    def submit(store: Store, name: str, plate: str) -> int:
        half = Half(name, "vn", "goods", name, None, (("plate", plate),), "waiting", at(60))

        def work(tx: Transaction) -> int:
            tx.add_message(sample(name))
            found = tx.halves_with(["vn"], half.keys)
            tx.add_half(half)
            return len(found)

        return store.commit(work)

    for number in range(30):
        found = race(
            lambda n=number: submit(two[0], f"goods {n}", f"P{n}"),
            lambda n=number: submit(two[1], f"vehicle {n}", f"P{n}"),
        )
        assert sorted(found) == [0, 1]  # type: ignore[type-var]


def test_a_half_is_joined_or_expires_never_both(two: tuple[Store, Store]) -> None:
    def claim(store: Store, name: str, state: str) -> bool:
        def work(tx: Transaction) -> bool:
            if state == "joined":
                found = tx.halves_with(["vn"], [("plate", name)])
                free = [h.message_id for h in found if h.state == "waiting"]
            else:
                free = [h.message_id for h in tx.overdue_halves(at(60), 9)]
            for one in free:
                tx.set_half(one, state=state, set_id=state)
            return name in free

        return store.commit(work)

    for number in range(30):
        name = f"m{number}"
        add(two[0], sample(name))
        half = Half(name, "vn", "goods", name, None, (("plate", name),), "waiting", at(60))
        two[0].commit(lambda tx, h=half: tx.add_half(h))
        claimed = race(
            lambda n=name: claim(two[0], n, "joined"), lambda n=name: claim(two[1], n, "expired")
        )
        assert sorted(claimed) == [False, True]  # type: ignore[type-var]


def test_what_a_commit_reads_by_stays_so(two: tuple[Store, Store]) -> None:
    """Reading a message, deciding and writing is one step, also across processes."""
    add(two[0], sample("m1", document_type="0"))

    def increase(store: Store) -> None:
        def work(tx: Transaction) -> None:
            before = tx.message("m1")
            assert before is not None
            tx.move_to("m1", str(int(before.conversation_id) + 1))

        for _ in range(40):
            store.commit(work)

    two[0].commit(lambda tx: tx.move_to("m1", "0"))
    race(lambda: increase(two[0]), lambda: increase(two[1]))
    found = two[0].read(lambda tx: tx.message("m1"))
    assert found is not None
    assert found.conversation_id == "80"


def test_no_task_is_leased_twice(two: tuple[Store, Store]) -> None:
    add(two[0], sample("m1"))
    for number in range(30):
        queued = {enqueue(two[0], "m1", key=f"{number}.{n}") for n in range(4)}
        leased = race(lambda: lease(two[0], "one", limit=3), lambda: lease(two[1], "two", limit=3))
        found = [task.id for tasks in leased for task in tasks]  # type: ignore[attr-defined]
        assert len(found) == len(set(found))
        found += [task.id for task in lease(two[0], "one")]
        assert sorted(found) == sorted(queued)


def test_an_ended_lease_is_finished_or_taken_never_both(two: tuple[Store, Store]) -> None:
    add(two[0], sample("m1"))
    for number in range(30):
        task = enqueue(two[0], "m1", key=str(number))
        assert [t.id for t in lease(two[0], "old", hold=1)] == [task]
        finished, taken = race(
            lambda t=task: two[0].commit(lambda tx: tx.complete(t, "old")),
            lambda: lease(two[1], "new", now=1),
        )
        assert finished is (taken == ())


def test_tasks_of_one_key_follow_the_order_of_commits(two: tuple[Store, Store]) -> None:
    """Two processes queue for one key: a smaller id is never seen after a larger one."""
    add(two[0], sample("m1"))
    seen: list[int] = []

    def queue(store: Store) -> None:
        for _ in range(40):
            store.commit(lambda tx: tx.enqueue(TaskKind.SEND, "m1", "cn", "k", at(0)))

    def work_off() -> None:
        while len(seen) < 80:
            for task in two[1].commit(lambda tx: tx.lease("w", at(0), at(60), 1)):
                seen.append(task.id)
                assert two[1].commit(lambda tx, t=task: tx.complete(t.id, "w"))

    race(lambda: queue(two[0]), lambda: queue(two[1]), work_off)
    assert seen == sorted(set(seen))
    assert len(seen) == 80
