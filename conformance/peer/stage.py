"""Set a peer up in a folder: its keys and ours, its server, and the target file for it."""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conformance.crypto.keys import TLS, USAGES, Key, Wanted, make
from conformance.crypto.verify import Pin
from conformance.engine.target import Endpoint, Pair, Partner, Query, Target, Trigger
from conformance.peer.believing import Road
from conformance.peer.memory import Memory
from conformance.peer.mutants import Mutants
from conformance.peer.receiver import Identity, Receiver, Said
from conformance.peer.sending import FAST, Desk, Sending, road_context
from conformance.peer.server import Handler, Server

WE, PEER = "vn", "cn"
_LONG_AGO = (timedelta(days=-60), timedelta(days=-1))
_LATER = (timedelta(days=2), timedelta(days=60))

OURS: Mapping[str, Wanted] = {
    "message": Wanted("tester message", usages=(USAGES["message"],)),
    "message-rsa": Wanted("tester message RSA", usages=(USAGES["message"],), rsa_bits=2048),
    "receipt": Wanted("tester receipt", usages=(USAGES["receipt"],)),
    "expired": Wanted("tester expired", usages=(USAGES["message"],), lasts=_LONG_AGO),
    "not-yet-valid": Wanted("tester not yet", usages=(USAGES["message"],), lasts=_LATER),
    "wrong-usage": Wanted("tester encryption", usages=(USAGES["message"],), signs=False),
    "other-party": Wanted("another party", usages=(USAGES["message"],)),
}
"""Keys that the peer has pinned for us, so that every case about keys applies to it."""


@dataclass(slots=True)
class Keys:
    """Keys of a stage: made once, used by every peer of a self-test."""

    authority: Key
    server: Key
    tls: Key
    receipt: Key
    message: Key
    partner: Key
    ours: dict[str, Key] = field(default_factory=dict)

    @classmethod
    def make(cls) -> "Keys":
        """Make all of them."""
        authority = make(Wanted("conformance authority", authority=True))
        leaf = Wanted("peer", usages=TLS, hosts=("127.0.0.1", "localhost"))
        return cls(
            authority,
            make(leaf, authority),
            make(Wanted("tester", usages=TLS), authority),
            make(Wanted("peer receipt", usages=(USAGES["receipt"],))),
            make(Wanted("peer message", usages=(USAGES["message"],))),
            make(Wanted("partner", usages=TLS, hosts=("127.0.0.1", "localhost")), authority),
            {name: make(wanted) for name, wanted in OURS.items()},
        )

    def pins(self) -> Mapping[str, Pin]:
        """What the peer trusts of us."""
        found = {}
        for name, key in self.ours.items():
            usage = "receipt" if name == "receipt" else "message"
            party = "third" if name == "other-party" else WE
            found[key.fingerprint] = Pin(key.certificate, party, usage)
        return found


class Stage:
    """A running peer. Made by `open`, ended by `close`; `restart` keeps its folder."""

    def __init__(
        self, home: Path, keys: Keys, mutants: Mutants, handler: Handler | None = None
    ) -> None:
        """handler: answers in the place of the reference receiver."""
        self.home, self.keys, self.mutants, self.handler = home, keys, mutants, handler
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.server: Server | None = None
        self.sending: Sending | None = None
        self.receiver: Receiver | None = None
        self.port = self.desk_port = 0
        self.partner_port = _free_port()

    async def open(self, port: int = 0) -> "Stage":
        """Start the peer."""
        self.home.mkdir(parents=True, exist_ok=True)
        memory = Memory(self.home / "peer.jsonl")
        if self.mutants.on("MR17"):
            memory.forget()
        identity = Identity(PEER, WE, self.keys.receipt, self.keys.pins())
        self.receiver = Receiver(identity, memory, self.clock, self.mutants)
        parties = {self.keys.tls.fingerprint: WE}
        self.server = Server(self.handler or self._receive, parties, self.mutants)
        self.port = await self.server.start(self._context(), port)
        self.target()  # writes the keys that the sender and the partner use
        check = not self.mutants.on("MS11")
        road = Road(
            f"https://127.0.0.1:{self.partner_port}/exchange/v1",
            road_context(self.home, check),
            self.keys.pins(),
            PEER,
            WE,
        )
        desk = Desk(road, self.keys.message, self.clock, self.mutants)
        self.sending = Sending(self.home, desk)
        self.desk_port = await self.sending.start(self.desk_port)
        return self

    def _receive(self, content: bytes, party: str) -> Said:
        assert self.receiver is not None
        return self.receiver.receive(content, party)

    def _context(self) -> ssl.SSLContext:
        key, certificate = self._written("server", self.keys.server)
        anchors = self._written("authority", self.keys.authority)[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(anchors)
        context.verify_mode = ssl.CERT_OPTIONAL if self.mutants.on("MR51") else ssl.CERT_REQUIRED
        return context

    def _paper(self) -> str:
        """A document that the peer's agencies hand in: it names a batch, no more."""
        path = self.home / "paper.txt"
        path.write_text("batch @batch@\n", encoding="ascii")
        return str(path)

    def _written(self, name: str, key: Key) -> tuple[Path, Path]:
        stem = self.home / name
        made = stem.with_suffix(".key.pem"), stem.with_suffix(".cert.pem")
        return made if made[0].exists() else key.write(stem)

    async def close(self) -> None:
        """Stop the peer."""
        if self.server is not None:
            await self.server.close()
        if self.sending is not None:
            await self.sending.close()

    async def restart(self, hard: bool) -> None:
        """Stop and start again, at the same port, with what was durable."""
        await self.close()
        await self.open(self.port)

    def target(self) -> Target:
        """Return the target file's content for this peer; the key files are written."""
        keys = {"tls": self.keys.tls, **self.keys.ours}
        pairs = {}
        for name, key in keys.items():
            written = self._written(name, key)
            pairs[name] = Pair(str(written[0]), str(written[1]))
        pairs["authority"] = Pair(*map(str, self._written("authority", self.keys.authority)))
        receipts = str(self._written("peer-receipt", self.keys.receipt)[1])
        messages = str(self._written("peer-message", self.keys.message)[1])
        partner = self._written("partner", self.keys.partner)
        desk = f"http://127.0.0.1:{self.desk_port}/v1/messages"
        return Target(
            name="reference peer",
            party=PEER,
            we=WE,
            endpoint=Endpoint(
                f"https://127.0.0.1:{self.port}/exchange/v1",
                str(self.home / "authority.cert.pem"),
                (receipts,),
                (messages,),
            ),
            keys=pairs,
            documents=("cn.mt4401", "cn.mt1401", "cn.mt4402"),
            features=("extension", "no-bare", "versions", "short-horizon"),
            limits=FAST,
            partner=Partner(
                port=self.partner_port,
                server=Pair(*map(str, partner)),
                anchors=str(self.home / "authority.cert.pem"),
            ),
            trigger=Trigger(kind="rest", url=desk, documents={"any": (self._paper(),)}),
            query=Query(kind="rest", url=desk),
        )


def _free_port() -> int:
    """Return a port that is free now: the partner listens there when a case needs it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
