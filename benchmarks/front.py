"""CPU of the link endpoint per empty request, against uvicorn's bare ASGI application.

Each server runs in a process of its own; the load comes from this one over plain sockets.
"""

import asyncio
import hashlib
import multiprocessing
import socket
import ssl
import statistics
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry

from benchmarks.measure import Ratio
from gateway.api.admission import Admission, Capacity
from gateway.api.counterpart import CounterpartApp
from gateway.api.health import Readiness
from gateway.api.listener import Listener, run
from gateway.api.metrics import Metrics
from gateway.api.protocol import BoundedProtocol
from gateway.api.threads import Threads
from gateway.flows.receive import Answer

REQUEST = (
    b"POST /exchange/v1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/xml\r\n"
    b"content-length: 0\r\n\r\n"
)
CERTIFICATE = b"x" * 800
CONNECTIONS = 8
REQUESTS = 1600


async def _bare(scope, receive, send) -> None:
    await receive()
    headers = [(b"content-type", b"application/xml"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def _serve_bare(port: int) -> None:
    settings = uvicorn.Config(
        _bare, host="127.0.0.1", port=port, http="httptools", interface="asgi3", lifespan="off",
        ws="none", log_config=None, access_log=False, server_header=False, loop="asyncio",
    )  # fmt: skip
    uvicorn.Server(settings).run()


class _Inline:
    """Runs the flow where it stands: an empty request has none worth a thread."""

    def run(self, call: Callable[..., object], *args: object) -> "asyncio.Future[object]":
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_result(call(*args))
        return future


def _serve_ours(port: int) -> None:
    """The link endpoint as it is, behind a peer whose certificate is given."""
    pem = ssl.DER_cert_to_PEM_cert(CERTIFICATE)
    known = {hashlib.sha256(CERTIFICATE).hexdigest(): "cn"}
    made = BoundedProtocol.connection_made

    def with_peer(self, transport) -> None:
        made(self, transport)
        self._extensions = {"tls": {"client_cert_chain": (pem,)}}

    BoundedProtocol.connection_made = with_peer
    threads = Threads(4)
    app = CounterpartApp(
        lambda peer, body: Answer(True, b"ok"),
        known,
        10_000_000,
        threads=_Inline(),
        admission=Admission(Capacity()),
        readiness=Readiness(lambda: None, threads),
        metrics=Metrics(CollectorRegistry()),
        ids=lambda: "0",
    )

    async def main() -> None:
        await run([Listener("counterpart", app, ("127.0.0.1", port), None)], asyncio.Event())

    asyncio.run(main())


def _load(port: int) -> None:
    def one() -> None:
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(REQUESTS // CONNECTIONS):
                wire.sendall(REQUEST)
                got = b""
                while not got.endswith(b"ok"):
                    got += wire.recv(65536)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _cpu(pid: int) -> float:
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def front(rounds: int = 9) -> Ratio:
    """Return our CPU / the bare application's, per round."""
    context = multiprocessing.get_context("spawn")
    servers = {}
    for name, serve in (("bare", _serve_bare), ("ours", _serve_ours)):
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        process = context.Process(target=serve, args=(port,), daemon=True)
        process.start()
        _until_open(port)
        _load(port)
        servers[name] = (port, process)
    ratios = []
    for number in range(rounds):
        spent = {}
        for name in ("ours", "bare") if number % 2 else ("bare", "ours"):
            port, process = servers[name]
            before = _cpu(process.pid)
            _load(port)
            spent[name] = _cpu(process.pid) - before
        ratios.append(spent["ours"] / spent["bare"])
    for _, process in servers.values():
        process.terminate()
        process.join()
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def _until_open(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.05)
        else:
            return
    raise TimeoutError(f"port {port} did not open")
