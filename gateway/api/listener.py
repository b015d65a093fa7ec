"""Listeners: each with its own socket, certificate, trust anchors and bounds.

Several run in one process and one event loop. A certificate that the anchors of a listener
did not issue ends in the TLS handshake, before any request is read.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from gateway.api.protocol import BoundedConfig, Bounds

HANDSHAKE_SECONDS = 10.0
GOODBYE_SECONDS = 1.0
"""How long a closing connection waits for the peer's TLS close_notify."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2 (RFC 9325 4.2); TLS 1.3 has only good ones."""

App = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Tls:
    """A listener's own certificate, and whose clients it lets in.

    certificate: PEM, leaf first. anchors: PEM of the authorities whose client certificates
    are accepted here; a client certificate is always required.
    """

    certificate: Path
    key: Path
    anchors: Path
    password: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return the TLS settings. No session resumption: every connection shows its
        certificate anew, so that expiry and removal count at once."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
        context.num_tickets = 0
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(self.certificate, self.key, self.password or "")
        context.load_verify_locations(self.anchors)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


class _Server(uvicorn.Server):
    """uvicorn's server without its own sockets, signals and polling."""

    config: BoundedConfig

    def __init__(
        self, config: BoundedConfig, sock: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(config)
        self._socket = sock
        self._tls = tls
        self._stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, not to one of its listeners."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept, with a deadline on the handshake too."""
        await self.lifespan.startup()
        self.servers = [await self._accepting(self._tls)]
        self.started = True

    async def use(self, tls: ssl.SSLContext) -> None:
        """Shake hands anew from now on. Two acceptors share the socket for a moment, so that
        no connection is refused; those that are open stay as they are."""
        if self.should_exit:
            return
        before, self.servers = self.servers, [await self._accepting(tls)]
        for server in before:
            server.close()

    async def _accepting(self, tls: ssl.SSLContext | None) -> asyncio.Server:
        seconds = (HANDSHAKE_SECONDS, GOODBYE_SECONDS) if tls else (None, None)
        return await asyncio.get_running_loop().create_server(
            self._connection,
            sock=self._socket.dup(),
            ssl=tls,
            backlog=self.config.backlog,
            ssl_handshake_timeout=seconds[0],
            ssl_shutdown_timeout=seconds[1],
        )

    def _connection(self) -> asyncio.Protocol:
        protocol: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return protocol(self.config, self.server_state, self.lifespan.state)

    async def main_loop(self) -> None:
        """Renew the date header each second until told to stop."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)

    def stop(self) -> None:
        """Accept nothing more; finish what runs."""
        self.should_exit = True
        self._socket.close()
        self._stopping.set()

    def cut(self) -> None:
        """End the connections that the drain did not."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class Listener:
    """One listening socket and the application behind it.

    The port is bound at once, so port 0 may be asked for and `port` tells which it became.
    Without TLS only a loopback address is allowed: ValueError.
    """

    def __init__(
        self,
        name: str,
        app: App,
        address: tuple[str, int],
        tls: Tls | None,
        bounds: Bounds | None = None,
        drain: int = 30,
    ) -> None:
        """drain: seconds that running requests may take once the listener stops."""
        if tls is None and not ipaddress.ip_address(address[0]).is_loopback:
            raise ValueError(f"listener {name}: without TLS only a loopback address is allowed")
        self.name = name
        self._socket = _bind(address)
        self.port: int = self._socket.getsockname()[1]
        bounds = bounds or Bounds()
        self._tls = tls.context() if tls else None
        self._config = BoundedConfig(
            bounds,
            app=app,
            ssl_context_factory=(lambda _config, _default: self._tls) if tls else None,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=bounds.idle,
            timeout_graceful_shutdown=drain,
        )
        self._config.load()
        self._server: _Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self) -> None:
        """Serve until `stop`, then let running requests end."""
        self._loop = asyncio.get_running_loop()
        server = self._server = _Server(self._config, self._socket, self._tls)
        try:
            await server.serve()
        finally:
            server.cut()
            self._socket.close()

    def use(self, tls: Tls) -> None:
        """Take another certificate, key and anchors for the connections to come; from any
        thread. What `Tls.context` raises; then the old ones stay."""
        self._tls = tls.context()
        if self._loop is not None and self._server is not None:
            serving = self._server.use(self._tls)
            asyncio.run_coroutine_threadsafe(serving, self._loop).result(HANDSHAKE_SECONDS)

    def stop(self) -> None:
        """Accept no more; `serve` returns when what runs has ended, or the drain is over."""
        if self._server is not None:
            self._server.stop()


def _bind(address: tuple[str, int]) -> socket.socket:
    """Listen on an address. The protocol number is given because asyncio sets TCP_NODELAY
    only then: without it each answer waits 40 ms for the peer's delayed acknowledgement."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


async def run(listeners: Sequence[Listener], stop: asyncio.Event) -> None:
    """Serve on all listeners until `stop` is set, then drain them in the order given.

    Put the operations' listener last: it answers while the others drain. A listener that
    fails stops all.
    """
    tasks = [asyncio.create_task(listener.serve(), name=listener.name) for listener in listeners]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        for listener in listeners[:-1]:
            listener.stop()
        await asyncio.gather(*tasks[:-1], return_exceptions=True)
        listeners[-1].stop()
    await asyncio.gather(*tasks)
