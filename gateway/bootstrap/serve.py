"""Run a gateway until it is told to stop, then let it drain."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvloop

from gateway.api.listener import run
from gateway.bootstrap.gateway import Gateway
from gateway.settings.sections import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = structlog.get_logger("gateway.serve")


def serve(settings: Settings, *, working: bool) -> None:
    """Serve, with a worker inside or not, until SIGINT or SIGTERM; then drain.

    Raises what `Gateway` raises.
    """
    gateway = Gateway(settings, listening=True, working=working)
    try:
        _in_loop(lambda: _until_signalled(gateway))
    finally:
        gateway.close()
        log.info("stopped")


def run_worker(settings: Settings) -> None:
    """Run a worker alone until SIGINT or SIGTERM; then drain."""
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    gateway = Gateway(settings, listening=False, working=True)
    try:
        if gateway.worker is not None:
            gateway.worker.start()
        stop.wait()
    finally:
        gateway.close()
        log.info("stopped")


class Running:
    """A gateway that serves in a thread of its own. For the demo and for tests."""

    def __init__(self, settings: Settings) -> None:
        """Return when it listens. Raises what `Gateway` raises."""
        self.gateway = Gateway(settings, listening=True, working=True)
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="gateway")
        self._thread.start()
        ready.wait()

    @property
    def ports(self) -> dict[str, int]:
        """The port of each listener, by its name."""
        return {listener.name: listener.port for listener in self.gateway.listeners}

    def stop(self) -> None:
        """Drain and close."""
        if self._loop is not None:
            self.gateway.start_draining()
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.gateway.close()

    def _run(self, ready: threading.Event) -> None:
        async def serving() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await _serving(self.gateway, self._stop)

        _in_loop(serving)


async def _until_signalled(gateway: Gateway) -> None:
    stop = asyncio.Event()

    def told() -> None:
        gateway.start_draining()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, told)
    await _serving(gateway, stop)


async def _serving(gateway: Gateway, stop: asyncio.Event) -> None:
    if gateway.worker is not None:
        gateway.worker.start()
    ports = {listener.name: listener.port for listener in gateway.listeners}
    log.info("serving", ports=ports, worker=gateway.worker is not None)
    await run(gateway.listeners, stop)


def _in_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
