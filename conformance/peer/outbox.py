"""What the reference sender still has to send: one file, written before the first attempt."""

import base64
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed message on its way. wire_id: the id in its octets, where a wrong sender made
    it another one. state: queued, receipted, refused, dead."""

    message_id: str
    order_key: str
    octets: str
    digest: str
    state: str = "queued"
    attempts: int = 0
    wire_id: str = ""
    reason: str = ""

    @property
    def content(self) -> bytes:
        """The octets that every attempt sends."""
        return base64.b64decode(self.octets)


class Outbox:
    """Messages by id, in the order of their coming; every change is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._messages: dict[str, Outgoing] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                message = Outgoing(**json.loads(line))
                self._messages[message.message_id] = message

    def put(self, message: Outgoing) -> None:
        """Keep a message or its new state."""
        self._messages[message.message_id] = message
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(message)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def get(self, message_id: str) -> Outgoing | None:
        """Return a message."""
        return self._messages.get(message_id)

    def change(self, message_id: str, **values: Any) -> Outgoing:
        """Store and return a message with other values."""
        changed = replace(self._messages[message_id], **values)
        self.put(changed)
        return changed

    def open(self) -> list[Outgoing]:
        """Return what is not settled, in order."""
        return [m for m in self._messages.values() if m.state == "queued"]
