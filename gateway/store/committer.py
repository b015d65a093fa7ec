"""Group commit: one thread writes, and callers that wait at the same time share a commit.

A batch is one transaction. While it runs, works that arrive join it, up to a limit. When one
raises, everything is rolled back and what ran before it is committed without it; then it
runs again, first in a transaction, so that what it raised or returned rests on committed
rows only. No work is lost and none is acknowledged before it is durable.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from gateway.errors import UnavailableError
from gateway.store.failures import CollisionError
from gateway.store.transaction import Transaction

T = TypeVar("T")

BATCH = 64  # works in a transaction: beyond this a shared commit saves little more
PAUSE = 0.02  # seconds, times the collisions so far
TRIES = 10  # collisions of one work with other processes before its caller hears of it


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[Transaction], Any]
    future: Future[Any] = field(default_factory=Future)
    collisions: int = 0


class Committer:
    """Runs works in the order in which they came.

    begin: opens a transaction that commits when its block ends and rolls back when it
    raises, with database errors translated.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self.commits = 0
        self._begin = begin
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._door = threading.Lock()  # nothing is queued behind the end mark
        self._closed = False
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many works wait for their turn."""
        return self._queue.qsize()

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Queue a work; the future ends once it is durable, or with what it raised."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a work that waits for another commit would wait for ever")
        job = _Job(work)
        with self._door:
            if self._closed:
                raise UnavailableError("unavailable")
            self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued, refuse what comes later, end the thread."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while not self._ended:
            batches = [self._next_jobs(wait=True)]
            while batches:
                # Only the last batch may take arrivals: they stand behind all others.
                batches[:1] = self._run(batches[0], joinable=len(batches) == 1)

    def _next_jobs(self, *, wait: bool) -> list[_Job]:
        """Return the next job of the queue as a list: empty at the end, or when none waits."""
        try:
            job = self._queue.get(block=wait)
        except Empty:
            return []
        if job is None:
            self._ended = True
            return []
        # False when its caller has gone.
        return [job] if job.future.set_running_or_notify_cancel() else []

    def _run(self, jobs: list[_Job], *, joinable: bool) -> list[list[_Job]]:
        """Run jobs in one transaction; return the batches that must still run."""
        if not jobs:
            return []
        results: list[Any] = []
        begun = working = False
        try:
            with self._begin() as transaction:
                begun = True
                for job in self._joined(jobs) if joinable else jobs:
                    working = True
                    results.append(job.work(transaction))
                    working = False
        except CollisionError as error:
            return _collided(jobs, error)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            if working:
                return _raised(jobs, len(results), error)
            return _fail(jobs if begun else jobs + self._all_waiting(), error)
        self.commits += 1
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result(result)
        return []

    def _all_waiting(self) -> list[_Job]:
        """Take every job of the queue: when no transaction begins, they need not wait too."""
        jobs: list[_Job] = []
        while not self._ended and (arrived := self._next_jobs(wait=False)):
            jobs += arrived
        return jobs

    def _joined(self, jobs: list[_Job]) -> Iterator[_Job]:
        """Yield the jobs, then those that arrived meanwhile, which become part of the list."""
        yield from tuple(jobs)
        while len(jobs) < BATCH and not self._ended and (arrived := self._next_jobs(wait=False)):
            jobs += arrived
            yield from arrived


def _raised(jobs: list[_Job], at: int, error: BaseException) -> list[list[_Job]]:
    """Give an error to its caller if its work stood first, else let it come to stand first."""
    if at == 0:
        jobs[0].future.set_exception(error)
        return [jobs[1:]]
    return [jobs[:at], jobs[at:]]


def _collided(jobs: list[_Job], error: CollisionError) -> list[list[_Job]]:
    """Run the jobs again in halves, which hold fewer locks at a time.

    The pause lets the other process, which has won, take what it waits for.
    """
    for job in jobs:
        job.collisions += 1
    _fail([job for job in jobs if job.collisions > TRIES], error)
    again = [job for job in jobs if job.collisions <= TRIES]
    time.sleep(PAUSE * jobs[0].collisions)
    middle = (len(again) + 1) // 2
    return [again[:middle], again[middle:]]


def _fail(jobs: list[_Job], error: BaseException) -> list[list[_Job]]:
    """Tell every caller of a transaction that did not begin or did not commit."""
    for job in jobs:
        job.future.set_exception(error)
    return []
