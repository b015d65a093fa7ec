"""What a peer remembers: one file, a line a message, written through before the receipt."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """An accepted message. key: (sender, id). receipt: base64 of its octets."""

    sender: str
    message_id: str
    digest: str
    document_type: str
    order_key: str
    sequence: int
    version: int
    function: str
    conversation_id: str
    at: str
    receipt: str
    body: str = ""

    @property
    def receipt_octets(self) -> bytes:
        """The receipt that was given."""
        return base64.b64decode(self.receipt)


class Memory:
    """Accepted messages, durable in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._messages: list[Stored] = []
        self._late: list[Stored] = []
        if path.exists():
            self._messages = [Stored(**json.loads(line)) for line in _lines(path)]

    def known(self, sender: str, message_id: str) -> Stored | None:
        """Return the message that a sender named so."""
        for stored in reversed(self._messages):
            if (stored.sender, stored.message_id) == (sender, message_id):
                return stored
        return None

    def of_order(self, sender: str, order_key: str) -> list[Stored]:
        """Return what a sender sent under one order key, in order of arrival."""
        return [m for m in self._messages if (m.sender, m.order_key) == (sender, order_key)]

    def all(self) -> list[Stored]:
        """Return everything, in order of arrival."""
        return list(self._messages)

    def add(self, stored: Stored, *, durable: bool = True) -> None:
        """Keep a message; durable means that it is on the disk when this returns."""
        self._messages.append(stored)
        if not durable:
            self._late.append(stored)
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(stored)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def forget(self) -> None:
        """Lose everything: what a peer without a durable memory does at a restart."""
        self._messages.clear()
        self.path.unlink(missing_ok=True)


def _lines(path: Path) -> Iterator[str]:
    """Whole lines only: the last one may have been cut by a crash."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield line
