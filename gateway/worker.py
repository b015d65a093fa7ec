"""The worker: leases tasks, runs them, settles them.

    1 chores     now and then: halves that expire, the log, revocation lists ...
    2 breaker    leave out destinations whose circuit is open; one probe for a half-open one
    3 lease      the first due task of each order key, as many as have a free place
    4 run        in the destination's own threads: a dead destination delays nobody else
    5 settle     done, later or given up, and the destination's health, in one commit

Nothing that happens to one task ends the loop. A process that dies leaves leases, which end;
then the tasks run again, here or elsewhere: what they do, they can do twice.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from gateway.errors import Family, Finding, InternalError, UnavailableError
from gateway.flows import retry
from gateway.flows.attempts import note_crash
from gateway.flows.chores import Chore
from gateway.flows.ports import Clock, IdMaker, Randomness, Store, Task, Transaction
from gateway.flows.retry import Breaker, Circuit, Dead, Done, Outcome, Retry, Schedule
from gateway.model.states import TaskKind

T = TypeVar("T")
Run = Callable[[Task], Outcome]

SPEAKING = frozenset({TaskKind.SEND, TaskKind.HAND_OVER})
"""Kinds of tasks that speak to their destination, so that its health can be judged."""

_AFTER_FAILURE = 2.0  # seconds to wait when the store is down

log = structlog.get_logger("gateway.worker")


@dataclass(frozen=True, slots=True)
class Pace:
    """How the worker works.

    places: tasks of one destination at once. lease: longer than any task can take. poll:
    seconds until it looks for work that another process queued.
    """

    places: int = 4
    lease: timedelta = timedelta(seconds=90)
    poll: float = 0.5
    schedule: Schedule = field(default_factory=Schedule)
    breaker: Breaker = field(default_factory=Breaker)


class Waking:
    """The `Store` port with a bell: it rings after each commit, as that may have queued
    work for the worker of this process."""

    def __init__(self, store: Store, bell: threading.Event) -> None:
        self._store = store
        self._bell = bell

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Commit, then ring."""
        result = self._store.commit(work)
        self._bell.set()
        return result

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Read; nothing rings."""
        return self._store.read(work)

    def check(self) -> None:
        """Check the store."""
        self._store.check()


class Worker:
    """One worker of a process: `start` and `close`, or `turn` by hand."""

    def __init__(
        self,
        store: Store,
        runs: Mapping[TaskKind, Run],
        chores: Sequence[Chore],
        *,
        clock: Clock,
        ids: IdMaker,
        randomness: Randomness,
        destinations: Sequence[str] = (),
        pace: Pace | None = None,
        bell: threading.Event | None = None,
    ) -> None:
        """store: without a bell, else leasing would wake itself. destinations: those that
        are configured; others are known once they were seen. bell: see `Waking`."""
        self._store = store
        self._runs = runs
        self._due = {chore: clock() for chore in chores}
        self._clock, self._ids, self._randomness = clock, ids, randomness
        self._pace = pace or Pace()
        self._owner = ids()
        self._known = set(destinations)
        self._bell = bell or threading.Event()
        self._stopping = threading.Event()
        self._running: Counter[str] = Counter()
        self._idle = threading.Condition()
        self._rooms: dict[str, ThreadPoolExecutor] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread of its own until `close`."""
        self._thread = threading.Thread(target=self._loop, name="worker")
        self._thread.start()

    def close(self, drain: float) -> bool:
        """Lease nothing more; let running tasks end for at most `drain` seconds.

        True when all did. What did not is left alone, and runs again once its lease ends.
        """
        self._stopping.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
        drained = self.settled(drain)
        for room in self._rooms.values():
            room.shutdown(wait=drained, cancel_futures=True)
        return drained

    def settled(self, seconds: float) -> bool:
        """Wait until no task runs; False when time is over."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, seconds)

    def _loop(self) -> None:
        """Take turns. Failures of the store are waited out."""
        log.info("worker-started", owner=self._owner)
        while not self._stopping.is_set():
            self._bell.clear()
            pause = self._pace.poll
            try:
                if self.turn():
                    continue
            except UnavailableError as failure:
                log.warning("store-unavailable", error=str(failure))
                pause = _AFTER_FAILURE
            except Exception:  # the loop outlives every fault
                log.exception("worker-turn-failed", incident=self._ids())
                pause = _AFTER_FAILURE
            self._bell.wait(pause)
        log.info("worker-stopped", owner=self._owner)

    def turn(self) -> int:
        """Lease what can run now and start it; return how many tasks that were."""
        self._start_chores()
        tasks = self._store.commit(self._lease)
        for task in tasks:
            self._known.add(task.destination)
            self._start(task.destination, partial(self._work, task))
        return len(tasks)

    def _lease(self, tx: Transaction) -> tuple[Task, ...]:
        now = self._clock()
        until = now + self._pace.lease
        with self._idle:
            running = {n: count for n, count in self._running.items() if not _of_chore(n)}
        shut = {name for name, count in running.items() if count >= self._pace.places}
        circuits = {name: self._circuit(tx, name, now) for name in sorted(self._known)}
        shut |= {name for name, circuit in circuits.items() if circuit is not Circuit.CLOSED}
        taken = max((n for name, n in running.items() if name not in shut), default=0)
        tasks = tx.lease(self._owner, now, until, self._pace.places - taken, sorted(shut))
        for name, circuit in circuits.items():
            if circuit is Circuit.HALF_OPEN and name not in running:
                tasks += self._probe(tx, name, now, until)
        return tasks

    def _circuit(self, tx: Transaction, name: str, now: datetime) -> Circuit:
        return retry.circuit(tx.destination(name), now)

    def _probe(
        self, tx: Transaction, name: str, now: datetime, until: datetime
    ) -> tuple[Task, ...]:
        """Lease one task of a half-open destination, and keep the others out meanwhile."""
        tasks = tx.lease(self._owner, now, until, 1, sorted(self._known - {name}))
        if any(task.destination == name for task in tasks):
            health = tx.destination(name)
            tx.set_destination(name, retry.probing(health, now, self._pace.lease))
        return tasks

    def _start(self, room: str, work: Callable[[], None]) -> None:
        if room not in self._rooms:
            self._rooms[room] = ThreadPoolExecutor(self._pace.places, f"worker-{room}")
        with self._idle:
            self._running[room] += 1
        self._rooms[room].submit(self._guarded, room, work)

    def _guarded(self, room: str, work: Callable[[], None]) -> None:
        """Run work in a destination's thread; give the place back whatever happens."""
        try:
            work()
        except Exception:  # the thread's edge: a lease that nobody settles ends by itself
            log.exception("task-not-settled", destination=room, incident=self._ids())
        finally:
            with self._idle:
                self._running[room] -= 1
                self._running += Counter()  # drops the zeros
                self._idle.notify_all()
            self._bell.set()

    def _work(self, task: Task) -> None:
        began = time.monotonic()
        outcome = self._outcome(task)
        self._store_outcome(task, outcome)
        log.info(
            "task",
            kind=task.kind,
            message_id=task.message_id,
            destination=task.destination,
            attempt=task.attempts + 1,
            outcome=type(outcome).__name__.lower(),
            error="" if isinstance(outcome, Done) else outcome.error.code,
            seconds=round(time.monotonic() - began, 4),
        )

    def _outcome(self, task: Task) -> Outcome:
        """Run a task; a fault of ours becomes an incident and another try."""
        try:
            return self._runs[task.kind](task)
        except Exception:  # whatever it is: the task waits, the worker goes on
            incident = self._ids()
            log.exception("task-crashed", incident=incident, message_id=task.message_id)
            fault = InternalError("internal", Finding("internal", "incident", found=incident))
            return retry.decide(
                fault,
                attempts=task.attempts,
                first_at=task.first_at,
                now=self._clock(),
                chance=retry.fraction(self._randomness),
                schedule=self._pace.schedule,
            )

    def _store_outcome(self, task: Task, outcome: Outcome) -> None:
        def work(tx: Transaction) -> bool:
            now = self._clock()
            if task.kind in SPEAKING:
                self._judge(tx, task.destination, outcome, now)
            if not isinstance(outcome, Done) and outcome.error.family is Family.INTERNAL:
                note_crash(tx, task, outcome, now, self._randomness)
            return self._settle(tx, task, outcome)

        if not self._store.commit(work):
            log.warning("lease-lost", message_id=task.message_id, kind=task.kind)

    def _judge(self, tx: Transaction, name: str, outcome: Outcome, now: datetime) -> None:
        health = tx.destination(name)
        judged = retry.judged(health, outcome, now, self._pace.breaker)
        if judged != health:
            tx.set_destination(name, judged)

    def _settle(self, tx: Transaction, task: Task, outcome: Outcome) -> bool:
        match outcome:
            case Done():
                return tx.complete(task.id, self._owner)
            case Retry(at, error):
                return tx.postpone(task.id, self._owner, at, str(error))
            case Dead(error):
                return tx.bury(task.id, self._owner, str(error))

    def _start_chores(self) -> None:
        now = self._clock()
        for chore, due in self._due.items():
            room = _room(chore)
            if due <= now and not self._running[room]:
                self._due[chore] = now + chore.every
                self._start(room, partial(self._do, chore))

    def _do(self, chore: Chore) -> None:
        count = chore.run()
        if count:
            log.info("chore", chore=chore.name, count=count)


def _room(chore: Chore) -> str:
    """The room in which a chore runs: no destination has such a name."""
    return f"({chore.name})"


def _of_chore(room: str) -> bool:
    return room.startswith("(")
