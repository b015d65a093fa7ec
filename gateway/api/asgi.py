"""The few things that our applications share below any framework (ASGI 3)."""

import re
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog

from gateway.api.admission import Ticket
from gateway.errors import DocumentError, Finding
from gateway.flows.ports import IdMaker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NO_STORE = (b"cache-control", b"no-store")
_log = structlog.get_logger("gateway.api")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class GoneError(Exception):
    """The peer went away, or was cut off, before the request was whole."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first value of a header; name in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def trace_id(scope: Scope, ids: IdMaker) -> str:
    """Return the trace that the caller continues (W3C Trace Context), else a new one. For
    finding log lines only: it decides nothing."""
    match = _TRACEPARENT.fullmatch(header(scope, b"traceparent") or b"")
    return match[1].decode() if match else ids().replace("-", "")


def log_bug(error: Exception, incident: str, where: str) -> None:
    """Log an exception that nobody foresaw: its class and the lines it went through.

    Neither its text nor the values of variables: they may be somebody's passport number.
    """
    lines = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    _log.error("internal", incident=incident, where=where, error=type(error).__name__, trace=lines)


def too_large(limit: int) -> DocumentError:
    """Return the refusal of a body over the limit."""
    return DocumentError(
        "too-large", Finding("too-large", "size", "body", expected=f"at most {limit} bytes")
    )


def check_coding(stated: bytes | None) -> None:
    """Refuse a compressed body: a small one could become a large document."""
    if stated is not None and stated.strip().lower() not in (b"", b"identity"):
        raise DocumentError(
            "encoding-unsupported",
            Finding(
                "encoding-unsupported",
                "content-encoding",
                "header Content-Encoding",
                found=stated[:40].decode("latin-1"),
                expected="identity",
            ),
        )


def check_length(stated: bytes | None, limit: int) -> None:
    """Refuse a body that says it is over the limit before a byte of it is read."""
    if stated is not None and stated.isdigit() and int(stated[:20]) > limit:
        raise too_large(limit)


async def read_body(receive: Receive, limit: int, ticket: Ticket) -> bytes:
    """Return the whole body. DocumentError `too-large` as soon as it is over the limit,
    GoneError when the peer went away before its end."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        ticket.hold(len(chunk))
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        pieces.append(chunk)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def answer(
    send: Send,
    status: int,
    body: bytes,
    media_type: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    close: bool = False,
) -> None:
    """Send a whole answer. close: the request was not read to its end."""
    fields = [
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        NO_STORE,
    ]
    if headers:
        fields += [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    if close:
        fields.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
