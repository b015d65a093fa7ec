"""The sending half of a peer: what its agencies hand in becomes messages on the link."""

import base64
import hashlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from conformance.crypto.keys import Key
from conformance.crypto.sign import sign
from conformance.crypto.trees import parse, unsigned
from conformance.engine.target import Limits
from conformance.peer.believing import Road
from conformance.peer.domestic import Domestic
from conformance.peer.mutants import Mutants
from conformance.peer.outbox import Outbox, Outgoing
from conformance.peer.sender import Sender
from conformance.resources import folder
from conformance.wire import documents
from conformance.wire.instants import written
from conformance.wire.message import PROFILE_VERSION, Draft

FAST = Limits(receipt=2.0, deadline=1.5, first=0.1, longest=0.5, give_up=3.0, slack=3.0)
"""Limits that the peer declares: a schedule that a test can watch."""


BATCH = re.compile(rb"99[0-9]{11}")
"""A batch number of the range kept for tests."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a sender needs to make messages. road: where they go."""

    road: Road
    key: Key
    clock: Callable[[], datetime]
    mutants: Mutants


class Sending:
    """The peer's agency interface, its outbox and its sender."""

    def __init__(self, home: Path, desk: Desk, limits: Limits = FAST) -> None:
        self._desk = desk
        self.outbox = Outbox(home / "outbox.jsonl")
        self.sender = Sender(desk.road, self.outbox, limits, desk.mutants, self._renewed)
        self.domestic = Domestic(self._submit, self.outbox)
        self._numbers: dict[str, int] = {}

    async def start(self, port: int = 0) -> int:
        """Open the agency interface; go on with what was left. Return the port."""
        opened = await self.domestic.start(port)
        if self._desk.mutants.on("MS03"):
            for message in self.outbox.open():
                self.outbox.put(self._renewed(message))
        if not self._desk.mutants.on("MS02"):
            self.sender.wake()
        return opened

    async def close(self) -> None:
        """Stop."""
        await self.domestic.close()
        await self.sender.close()

    def _submit(self, content: bytes) -> list[str]:
        """Queue a message about the batch number that the agency's document names."""
        found = BATCH.search(content)
        batch = found[0].decode() if found else "9900000000000"
        number = self._numbers[batch] = self._numbers.get(batch, 0) + 1
        message = self._signed(f"peer-{uuid4()}", batch, number)
        self.outbox.put(message)
        self.sender.wake()
        return [message.message_id]

    def _renewed(self, message: Outgoing) -> Outgoing:
        number = self._numbers.get(message.order_key, 1)
        name = f"peer-{uuid4()}"
        again = self._signed(name, message.order_key, number)
        return replace(message, octets=again.octets, digest=again.digest, wire_id=name)

    def _signed(self, message_id: str, batch: str, number: int) -> Outgoing:
        octets = sign(self._draft(message_id, batch, number).render().encode(), self._desk.key)
        if self._desk.mutants.on("MS01"):
            octets = octets.replace(b"<xp:Sequence>", b"<xp:Sequence>1", 1)
        digest = hashlib.sha256(unsigned(parse(octets))).hexdigest()
        return Outgoing(message_id, batch, base64.b64encode(octets).decode(), digest)

    def _draft(self, message_id: str, batch: str, number: int) -> Draft:
        desk = self._desk
        now = desk.clock() + (timedelta(hours=1) if desk.mutants.on("MS17") else timedelta(0))
        body = documents.patched(
            documents.read(folder("fixtures"), "mt4401"), {"Declaration/ID": batch}
        )
        if desk.mutants.on("MS15"):
            body = documents.patched(body, {"-Declaration/DeclarationOfficeID": ""})
        fields = {
            "ProfileVersion": PROFILE_VERSION,
            "MessageID": message_id,
            "ConversationID": str(uuid4()),
            "From": desk.road.party,
            "To": desk.road.other,
            "DocumentType": "cn.mt4401",
            "DocumentTypeVersion": "1.0",
            "Function": "original" if number == 1 else "replace",
            "DocumentVersion": str(number),
            "OrderKey": batch,
            "Sequence": str(number),
            "Created": written(now),
            "Expires": written(now + timedelta(days=8)),
            "TestIndicator": "true",
            "Commitment": hashlib.sha256(message_id.encode()).hexdigest(),
        }
        return Draft(fields, documents.without_declaration(body))


def road_context(home: Path, check: bool) -> ssl.SSLContext:
    """Return how the peer's sender speaks TLS. check: whether it looks at who answers."""
    context = ssl.create_default_context(cafile=str(home / "authority.cert.pem"))
    context.load_cert_chain(str(home / "server.cert.pem"), str(home / "server.key.pem"))
    if not check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
