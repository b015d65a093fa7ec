"""A room of threads for the flows, which block on the store.

A hop costs a third of anyio's and half of an executor's (16 us with 32 at once), which is
most of what an empty request costs us.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]


class Threads:
    """A fixed number of threads. Who may come in is bounded by `Admission`, not here."""

    def __init__(self, count: int = 32) -> None:
        """count: how many flows run at once; waiting submitters share a commit."""
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"flow-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Run a call in a thread. Once begun it runs to its end, whoever waits or not."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((loop, future, lambda: call(*args, **kwargs)))
        return future

    def close(self, seconds: float) -> bool:
        """Let the calls that were handed in end, for at most so long; True when they did.

        Cutting one off is as safe as a kill: a commit is there or it is not.
        """
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, call = job
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001  handed to who waits
                _hand_over(loop, future.set_exception, future, error)
            else:
                _hand_over(loop, future.set_result, future, result)


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    deliver: Callable[[Any], None],
    future: asyncio.Future[Any],
    outcome: object,
) -> None:
    def settle() -> None:
        if not future.done():
            deliver(outcome)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
