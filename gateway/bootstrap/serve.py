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
    """Serve, with a worker inside or not, until SIGINT or SIGTERM; then drain. SIGHUP takes
    TLS files anew.

    Raises what `Gateway` raises.
    """
    gateway = Gateway(settings, listening=True, working=working)
    try:
        _in_loop(lambda: _until_signalled(gateway))
    finally:
        gateway.close()
        log.info("stopped")


def run_worker(settings: Settings) -> None:
    """Run a worker alone until SIGINT or SIGTERM; then drain. SIGHUP takes TLS files anew."""
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    gateway = Gateway(settings, listening=False, working=True)
    signal.signal(signal.SIGHUP, lambda *_: _in_thread(gateway.tls_files.reload))
    try:
        if gateway.worker is not None:
            gateway.worker.start()
        stop.wait()
    finally:
        gateway.close()
        log.info("stopped")


async def _until_signalled(gateway: Gateway) -> None:
    stop = asyncio.Event()

    def told() -> None:
        gateway.start_draining()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, told)
    loop.add_signal_handler(signal.SIGHUP, _in_thread, gateway.tls_files.reload)
    await _serving(gateway, stop)


async def _serving(gateway: Gateway, stop: asyncio.Event) -> None:
    if gateway.worker is not None:
        gateway.worker.start()
    ports = {listener.name: listener.port for listener in gateway.listeners}
    log.info("serving", ports=ports, worker=gateway.worker is not None)
    watching = asyncio.create_task(_watch_tls_files(gateway))
    try:
        await run(gateway.listeners, stop)
    finally:
        watching.cancel()


async def _watch_tls_files(gateway: Gateway) -> None:
    """Look at the TLS files now and then, where no worker's chore does."""
    while gateway.worker is None:
        await asyncio.sleep(gateway.settings.worker.look_at_tls.total_seconds())
        await asyncio.to_thread(gateway.tls_files.poll)


def _in_thread(work: Callable[[], int]) -> None:
    threading.Thread(target=work, name="tls-files", daemon=True).start()


def _in_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
