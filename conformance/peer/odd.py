"""Peers that are no peers: none of them may ever be called conformant."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from conformance.crypto.keys import Key
from conformance.crypto.sign import sign
from conformance.crypto.trees import parse, text, unsigned
from conformance.peer.receiver import Said
from conformance.wire.answers import Receipt, Refusal, write_receipt, write_refusal
from conformance.wire.instants import written

Handler = Callable[[bytes, str], Said]


def yes_man(key: Key) -> Handler:
    """Gives a true receipt to everything that it can read an id from."""

    def receive(content: bytes, party: str) -> Said:
        digest, message_id = _facts(content)
        receipt = Receipt(message_id, digest, "cn", "vn", written(datetime.now(UTC)))
        return Said(200, sign(write_receipt(receipt), key))

    return receive


def no_man(key: Key) -> Handler:
    """Refuses everything, and says so properly."""

    def receive(content: bytes, party: str) -> Said:
        digest, message_id = _facts(content)
        refusal = Refusal(
            "rule-broken", "document", "cn", "vn", written(datetime.now(UTC)), message_id, digest
        )
        return Said(422, sign(write_refusal(refusal), key))

    return receive


def parrot(content: bytes, party: str) -> Said:
    """Sends back what it got."""
    return Said(200, content)


def _facts(content: bytes) -> tuple[str, str]:
    try:
        root = parse(content)
    except ValueError:
        return "0" * 64, "unknown"
    return hashlib.sha256(unsigned(root)).hexdigest(), text(root, "MessageID") or "unknown"


async def dead(context: ssl.SSLContext, port: int = 0) -> asyncio.Server:
    """Accepts connections and never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
