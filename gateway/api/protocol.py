"""uvicorn's HTTP protocol with what it lacks: the client certificate, deadlines, bounds.

uvicorn 0.54 does not hand the TLS client certificate to the application and has no timer on
a request's head or body. Both are added here, in one file, so that it can go when upstream
has them. A request that arrives whole costs no timer.
"""

import asyncio
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import msgspec
import uvicorn
from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.api.joined import JoinedWrites

_TLS_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may take. Seconds and bytes.

    head: from the connection, or the first byte of a request, to the end of its head.
    body: from there to the end of the body. write: a reader that takes nothing this long is
    cut. idle: between requests. linger: for a peer that still sends to read our last word.
    head_bytes: request line and headers. request_bytes: everything of one request on
    the wire, so that chunk framing and trailers are bounded too. connections: open at once.
    """

    head: float = 10.0
    body: float = 30.0
    write: float = 30.0
    idle: float = 75.0
    linger: float = 2.0
    head_bytes: int = 65_536
    request_bytes: int = 250_000_000
    connections: int = 1_000


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration with our bounds."""

    def __init__(self, bounds: Bounds, **settings: Any) -> None:
        """settings: those of `uvicorn.Config`."""
        super().__init__(http=BoundedProtocol, **settings)
        self.bounds = bounds


# Where the reading of requests stands. Plain numbers, since naming a member of an Enum is a
# slow look-up in Python 3.11 and this runs for every request.
_BETWEEN = 0  # a whole request is here; uvicorn's keep-alive timer takes over
_WAITING = 1  # nothing of a request yet, and no other timer runs
_HEAD = 2
_BODY = 3


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = config.bounds
        self._extensions: dict[str, Any] = {}
        self._phase = _WAITING
        self._serial = 0
        self._read = 0
        self._watched: tuple[int, int] | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the peer's certificate; start the timer for the first head."""
        linger = self._bounds.linger
        super().connection_made(JoinedWrites(transport, self.loop, self._unread, linger))
        if len(self.connections) > self._bounds.connections:
            transport.abort()
            return
        if (tls := transport.get_extra_info("ssl_object")) is not None:
            self._extensions = {"tls": tls_extension(tls)}
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        for timer in (self._read_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see that the request is within its bounds. After our last word to
        this peer nothing is parsed any more."""
        if self.transport.is_closing():
            return
        self._read += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._phase == _BETWEEN:
            if self.timeout_keep_alive_task is None and self._at_rest():
                self._phase = _WAITING  # blank lines ended the keep-alive timer
        elif self._phase == _HEAD and self._read > self._bounds.head_bytes:
            self._cut(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._read > self._bounds.request_bytes:
            self._cut(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._watch()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._phase = _HEAD
        self._serial += 1
        self._read = 0

    def on_headers_complete(self) -> None:
        """Note that the body comes now."""
        self._phase = _BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._phase = _BETWEEN
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._cut(HTTPStatus.BAD_REQUEST)

    def pause_writing(self) -> None:
        """The peer does not read: give it a limited time."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._bounds.write, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _unread(self) -> bool:
        return self._phase in (_HEAD, _BODY)

    def _current(self) -> RequestResponseCycle | None:
        """The newest request of this connection: uvicorn declares it as always there."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _at_rest(self) -> bool:
        cycle = self._current()
        return cycle is None or cycle.response_complete

    def _watch(self) -> None:
        """Let exactly one timer run, for the part of the request that is not here yet."""
        watched = (self._serial, self._phase)
        if watched == self._watched:
            return
        self._watched = watched
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        if self._phase != _BETWEEN:
            seconds = self._bounds.body if self._phase == _BODY else self._bounds.head
            self._read_timer = self.loop.call_later(seconds, self._cut, HTTPStatus.REQUEST_TIMEOUT)

    def _cut(self, status: HTTPStatus) -> None:
        """Answer if no other answer is under way, and close. The application, if it waits
        for the body, sees a disconnect."""
        cycle = self._current() if self._phase == _BODY else None
        if cycle is None:
            free = self._at_rest() and self._phase != _WAITING
        else:
            free = not cycle.response_started and not self.pipeline
            cycle.disconnected = True
            cycle.message_event.set()
        if free and not self.transport.is_closing():
            self.transport.write(_refusal(status))
        self.transport.close()
        self.loop.call_later(self._bounds.write, self.transport.abort)


def _refusal(status: HTTPStatus) -> bytes:
    body = msgspec.json.encode(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": status.description or status.phrase,
        }
    )
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def tls_extension(tls: ssl.SSLObject) -> dict[str, Any]:
    """Return the ASGI TLS extension of a connection.

    client_cert_chain holds the leaf only, which Python 3.11 hands out; the chain behind it
    was verified against the listener's anchors in the handshake.
    """
    der = tls.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": (ssl.DER_cert_to_PEM_cert(der),) if der else (),
        "client_cert_name": _subject(der) if der else None,
        "client_cert_error": None,
        "tls_version": _TLS_VERSIONS.get(tls.version() or ""),
        "cipher_suite": None,
    }


def _subject(der: bytes) -> str | None:
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except ValueError:
        return None
