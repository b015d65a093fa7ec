"""HTTP by hand over real sockets: whole requests, or the pieces of a wrong one."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

MOST = 16 * 1024 * 1024
"""Octets of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. status 0: nothing that is HTTP, and `fault` says what happened.

    sent: octets of the request that went out. headers: names in lower case.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """An address to speak to. context: None speaks in clear."""

    host: str
    port: int
    path: str
    context: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str, context: ssl.SSLContext | None) -> "Place":
        """Read a URL; ValueError when it is neither http nor https."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        path = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        secure = context if parts.scheme == "https" else None
        return cls(parts.hostname, port, path + query, secure)


def client_context(anchors: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """Return how we speak TLS: anchors and files are paths. OSError, ssl.SSLError."""
    context = ssl.create_default_context(cafile=anchors)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def request(
    place: Place, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> bytes:
    """Return the octets of a whole request."""
    lines = {
        "Host": f"{place.host}:{place.port}",
        "Content-Type": "application/xml",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"{method} {place.path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def exchange(place: Place, octets: bytes, deadline: float) -> Reply:
    """Send octets and read one answer, all of it within the deadline (seconds)."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(deadline):
            reply = await _exchange(place, octets)
    except TimeoutError:
        reply = Reply(0, fault="timed-out")
    except (OSError, ssl.SSLError, h11.RemoteProtocolError, EOFError) as fault:
        reply = Reply(0, fault=f"{type(fault).__name__}: {fault}"[:200])
    elapsed = loop.time() - began
    return Reply(reply.status, reply.body, reply.headers, reply.fault, elapsed)


async def _exchange(place: Place, octets: bytes) -> Reply:
    reader, writer = await asyncio.open_connection(place.host, place.port, ssl=place.context)
    try:
        sending = asyncio.ensure_future(_send(writer, octets))
        try:
            return await _read(reader)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, octets: bytes) -> None:
    """Write in pieces: an early answer is read while the rest is still going out."""
    for start in range(0, len(octets), 65536):
        writer.write(octets[start : start + 65536])
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Reply:
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=65536)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "any")]))
    client.send(h11.EndOfMessage())
    status, headers, body = 0, {}, bytearray()
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST:
                raise EOFError("the answer is too large")
        elif isinstance(event, h11.EndOfMessage):
            return Reply(status, bytes(body), headers)
        elif isinstance(event, h11.ConnectionClosed):
            raise EOFError("closed without an answer")
