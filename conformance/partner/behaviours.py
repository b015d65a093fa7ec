"""How a partner can behave: what a real one does, and every fault of the catalogue.

A word is a name and, in brackets, what it needs: `status(503, 2)`, `hang(5)`, `drip(0.6)`.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from conformance.partner.answering import Answers

_WORD = re.compile(r"([a-z0-9-]+)(?:\(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Context:
    """What a behaviour works with. argument: what stood in the brackets. given: the right
    receipts that were given before, oldest first; `ok` adds to it."""

    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    argument: str
    answers: Answers
    given: list[bytes] = field(default_factory=list)


Behaviour = Callable[[Context], Awaitable[None]]


def parsed(word: str) -> tuple[str, str]:
    """Split a word into name and argument. ValueError for a name that is not known."""
    match = _WORD.fullmatch(word.strip())
    if match is None or (match[1] not in BEHAVIOURS and not match[1].startswith("tls-")):
        raise ValueError(word)
    return match[1], match[2] or ""


async def respond(
    context: Context, status: int, body: bytes, more: Mapping[str, str] | None = None
) -> None:
    """Write a whole HTTP answer."""
    headers = {
        "Content-Type": "application/xml",
        "Content-Length": str(len(body)),
        "Connection": "close",
    } | dict(more or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    context.writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
    await context.writer.drain()


async def ok(context: Context) -> None:
    """Give the right receipt."""
    receipt = context.answers.receipt(context.body)
    context.given.append(receipt)
    await respond(context, 200, receipt)


async def replay(context: Context) -> None:
    """Give a true receipt again, that of another message."""
    await respond(context, 200, context.given[0])


async def wrong_receipt(context: Context) -> None:
    """Give a receipt that is wrong in the argument: `digest`, `id`, `party`, `unsigned`,
    `stranger`."""
    await respond(context, 200, context.answers.receipt(context.body, context.argument))


async def empty(context: Context) -> None:
    """HTTP 200 with nothing in it."""
    await respond(context, 200, b"")


async def silent(context: Context) -> None:
    """Take what came, then close without a word."""


async def reset(context: Context) -> None:
    """Take everything, then reset the connection."""
    raw = context.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    context.writer.transport.abort()


async def hang(context: Context) -> None:
    """Say nothing for so many seconds, then close."""
    await asyncio.sleep(float(context.argument or "60"))


async def drip(context: Context) -> None:
    """Give the right receipt, one octet every so many seconds."""
    body = context.answers.receipt(context.body)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for octet in head.encode() + body:
        context.writer.write(bytes((octet,)))
        await context.writer.drain()
        await asyncio.sleep(float(context.argument or "0.6"))


async def late(context: Context) -> None:
    """Give the right receipt after so many seconds."""
    await asyncio.sleep(float(context.argument or "1"))
    await ok(context)


async def truncate(context: Context) -> None:
    """Promise a whole receipt and send half of it."""
    body = context.answers.receipt(context.body)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    context.writer.write(head.encode() + body[: len(body) // 2])
    await context.writer.drain()


def _head(body: bytes) -> bytes:
    lines = ("HTTP/1.1 200 OK", "Content-Type: application/xml", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode()


async def garbage(context: Context) -> None:
    """Send what is no HTTP."""
    context.writer.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
    await context.writer.drain()


async def status(context: Context) -> None:
    """Answer with a status; the second argument is Retry-After."""
    code, _, after = context.argument.partition(",")
    more = {"Retry-After": after.strip()} if after.strip() else {}
    await respond(context, int(code), b"", {"Content-Type": "text/plain", **more})


async def redirect(context: Context) -> None:
    """Send the caller somewhere else; the argument is `status, url`."""
    code, _, url = context.argument.partition(",")
    await respond(context, int(code), b"", {"Location": url.strip()})


async def html(context: Context) -> None:
    """A proxy's page with HTTP 200."""
    page = b"<!DOCTYPE html><html><body>It works!</body></html>"
    await respond(context, 200, page, {"Content-Type": "text/html"})


async def refuse(context: Context) -> None:
    """A signed refusal; the argument is `code` or `code, wrong`."""
    code, _, wrong = (context.argument or "schema-invalid").partition(",")
    body = context.answers.refusal(context.body, code.strip(), wrong.strip())
    await respond(context, 422, body)


BEHAVIOURS: dict[str, Behaviour] = {
    "ok": ok,
    "drop-before-read": silent,
    "close-after-body": silent,
    "reset": reset,
    "hang": hang,
    "drip": drip,
    "late": late,
    "truncate": truncate,
    "garbage": garbage,
    "html200": html,
    "empty200": empty,
    "status": status,
    "redirect": redirect,
    "refuse": refuse,
    "replay": replay,
    "wrong-receipt": wrong_receipt,
}
"""By name."""
