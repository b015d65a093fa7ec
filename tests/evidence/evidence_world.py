"""Two gateways with some traffic behind them, whose logs have heads and timestamps."""

import contextlib
import os
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from flow_sides import NAMES, Clock, Side, Wire, peer, side_of
from timestamp_authority import TimestampServer

from gateway import store as stores
from gateway.errors import GatewayError
from gateway.flows import heads, holds, sequence
from gateway.flows.audit import audit
from gateway.flows.ports import LinkAnswer
from gateway.flows.receive import receive
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.signing.wrapping import KeyWrapper
from gateway.store.vault import Vault
from gateway.transport.timestamps import HttpTimestamps

SAMPLES = Path(__file__).parent.parent / "samples"
OTHER = {"vn": "cn", "cn": "vn"}
WRAPPING_KEY = bytes(range(32))


class HttpPost:
    """The `Link` to a time-stamping authority on this machine: a real request."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(
        self, destination: str, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> LinkAnswer:
        asked = urllib.request.Request(self.url, body, {"Content-Type": media_type})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return LinkAnswer(answer.status, answer.read())


def stamping(tsa: TimestampServer) -> HttpTimestamps:
    """Tokens have the real time, so it is judged by the real clock."""
    return HttpTimestamps(
        HttpPost(tsa.url), ["tsa"], [tsa.anchor], os.urandom, lambda: datetime.now(UTC)
    )


def two_sides(folder: Path, keys, formats, urls: Mapping[str, str], vault=False):
    """Make both gateways. urls: of a database that is not a file of `folder`."""
    clock, wire = Clock(), Wire()
    made: dict[str, Side] = {}
    for name, other in OTHER.items():
        side = side_of(name, other, keys, formats, clock, wire, folder / f"{name}.db")
        url = urls.get(name, f"sqlite:///{folder}/{name}.db")
        stores.upgrade(url)
        side.services.store.close()
        opened = stores.open(url, vault=vault_of(side) if vault else None)
        opened.check()
        made[name] = replace(side, services=replace(side.services, store=opened))
    for name, other in OTHER.items():
        wire.peers[name] = peer(made[name].services, NAMES[other])
    return made


def vault_of(side: Side, wrappers: Mapping[str, bytes] | None = None) -> Vault:
    services = side.services
    keys = wrappers or {"wrap-1": WRAPPING_KEY}
    made = {name: KeyWrapper(key, services.randomness) for name, key in keys.items()}
    return Vault(made, services.clock, services.ids, services.randomness)


@contextlib.contextmanager
def closing(sides: dict[str, Side]) -> Iterator[dict[str, Side]]:
    try:
        yield sides
    finally:
        for side in sides.values():
            side.services.store.close()


def upload(name: str, folder: str = "dragon-fruit") -> Upload:
    return Upload(name, (SAMPLES / folder / name).read_bytes())


def hand_in(side: Side, *names: str, folder: str = "dragon-fruit"):
    content = (SAMPLES / folder / "parameters.json").read_bytes()
    stated = msgspec.json.decode(content, type=Parameters)
    uploads = [upload(name, folder) for name in names]
    return submit(side.services, side.services.agencies["customs"], uploads, stated)


def settle(sides: dict[str, Side]) -> None:
    while sides["vn"].work() + sides["cn"].work():
        pass


def sent_as(sides: dict[str, Side], document_type: str) -> bytes:
    taken = sides["vn"].wire.taken
    return next(b for _, b, h in taken if h["Gateway-Document-Type"] == document_type)


def exchange(sides: dict[str, Side]):
    """A truck crosses, is answered; a half waits alone; documents are refused on both sides;
    one conversation is held."""
    vn, cn = sides["vn"].services, sides["cn"].services
    customs = vn.agencies["customs"]
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    settle(sides)
    own_id = re.search(rb"<MessageID>([^<]+)</MessageID>", sent_as(sides, "cn.mt1401")).group(1)
    answer = re.sub(rb"(<MessageID>)[^<]+", rb"\1" + own_id, upload("response.xml").content)
    submit(cn, cn.agencies["customs"], [Upload("response.xml", answer)], Parameters())
    settle(sides)
    broken = Upload("eda.edi", upload("eda-1.edi").content.replace(b"VNHUGT", b"VNXXXX"))
    with contextlib.suppress(GatewayError):
        submit(vn, customs, [broken], Parameters())
    receive(vn, "cn", b"<no-envelope/>")
    holds.hold(vn, done.conversation_id, "operator", "file 2026/14")
    return done


def close_log(sides: dict[str, Side], tsa: TimestampServer | None = None) -> dict[str, Side]:
    """Sequence, sign a head, stamp it; return the sides as they are then."""
    closed = {}
    for name, side in sides.items():
        services = side.services
        if tsa is not None:
            services = replace(services, timestamps=stamping(tsa), timestamp_anchors=(tsa.anchor,))
        sequence.sequence(services, "node")
        assert heads.make_head(services, "node") == 1
        if tsa is not None:
            assert heads.stamp_heads(services, "node") == 1
        closed[name] = replace(side, services=services)
    return closed


def flaws(side: Side) -> list[tuple[str, str]]:
    """What the audit finds: (rule, place)."""
    return [(flaw.rule, flaw.place) for flaw in audit(side.services).flaws]
