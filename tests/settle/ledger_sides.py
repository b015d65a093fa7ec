"""Two gateways that keep a ledger together: the sides of the flow tests, with head keys that
each pins of the other, and crossings as small as they come."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flow_sides import NAMES, Clock, Side, Wire, peer, policy, side_of

from gateway import store
from gateway.errors import GatewayError, UnavailableError
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.flows.heads import make_head
from gateway.flows.ports import LinkAnswer
from gateway.flows.sequence import sequence
from gateway.flows.settle_answer import answer
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.signing.trust import Usage

SAMPLES = Path(__file__).parent.parent / "samples"
OTHER = {"vn": "cn", "cn": "vn"}
SIGNERS = {
    Usage.MESSAGE: "message_signer",
    Usage.RECEIPT: "receipt_signer",
    Usage.STATEMENT: "statement_signer",
    Usage.HEAD: "head_signer",
}


def make_sides(folder: Path, keys, formats, clock: Clock, wire: Wire) -> dict[str, Side]:
    made = {}
    for name, other in OTHER.items():
        side = side_of(name, other, keys, formats, clock, wire, folder / f"{name}.db")
        made[name] = with_heads(side, other, keys)
    for name, other in OTHER.items():
        connect(made[name], NAMES[other])
    return made


def connect(side: Side, caller: str) -> None:
    """Let the other side's posts reach this one."""
    name, services = side.services.name, side.services
    side.wire.peers[name] = peer(services, caller)

    def settle(body: bytes) -> LinkAnswer:
        try:
            return LinkAnswer(200, answer(services, caller, body))
        except UnavailableError as error:
            return LinkAnswer(503, b"", error.retry_after)
        except GatewayError:
            return LinkAnswer(422, b"")

    side.wire.peers[f"{name}/ledger"] = settle


def with_heads(side: Side, other: str, keys) -> Side:
    """Pin the head key of the other side."""
    services = side.services
    known = replace(services.counterpart(), heads=policy(keys, other, Usage.HEAD))
    return replace(side, services=replace(services, counterparts={known.name: known}))


def hand_in(side: Side, *names: str, folder: str = "dragon-fruit"):
    uploads = [Upload(name, (SAMPLES / folder / name).read_bytes()) for name in names]
    content = (SAMPLES / folder / "parameters.json").read_bytes()
    stated = msgspec.json.decode(content, type=Parameters)
    return submit(side.services, side.services.agencies["customs"], uploads, stated, None)


def log(side: Side) -> None:
    """Let the log take all rows, and sign a head."""
    side.clock.at += timedelta(minutes=2)
    sequence(side.services, "test")
    make_head(side.services, "test")


def backup(folder: Path, name: str) -> Path:
    """Copy a side's database file as a backup tool would."""
    target = folder / f"{name}.backup"
    source, copy = sqlite3.connect(folder / f"{name}.db"), sqlite3.connect(target)
    with closing(source), closing(copy):
        source.backup(copy)
    return target


def restore(sides: dict[str, Side], folder: Path, name: str, copy: Path) -> None:
    """Put the copy in the place of a side's database and start the side again."""
    side = sides[name]
    side.services.store.close()
    for file in folder.glob(f"{name}.db*"):
        file.unlink()
    shutil.copy(copy, folder / f"{name}.db")
    reopened = store.open(f"sqlite:///{folder / name}.db")
    sides[name] = replace(side, services=replace(side.services, store=reopened))
    connect(sides[name], NAMES[OTHER[name]])


def lose(folder: Path, name: str, message_id: str) -> None:
    """Lose one message, as damage to a database would."""
    with closing(sqlite3.connect(folder / f"{name}.db")) as database, database:
        for table in ("event", "message_key", "document", "task"):
            database.execute(f"DELETE FROM {table} WHERE message_id = ?", (message_id,))
        database.execute("DELETE FROM message WHERE id = ?", (message_id,))


def day_of(side: Side) -> str:
    return str(side.clock.at.date())


def kinds(side: Side) -> list[tuple[str, str]]:
    """The alarms that stand."""
    standing = side.services.store.read(lambda tx: tx.alarms())
    return sorted((alarm.kind, alarm.party) for alarm in standing)


def work(sides: dict[str, Side]) -> None:
    while sides["vn"].work() + sides["cn"].work():
        pass


def crossing(sides: dict[str, Side]):
    """A truck with dragon fruit; its answer."""
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    work(sides)
    return done


def anchor_files(sides: dict[str, Side]) -> dict[str, bytes]:
    """The folder of certificates by which an auditor verifies."""
    found = {}
    for name, side in sides.items():
        for usage, field in SIGNERS.items():
            der = getattr(side.services, field).certificate
            pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
            found[f"{NAMES[name]}-{usage}.pem"] = pem
    return found


def anchors_of(sides: dict[str, Side]) -> BundleAnchors:
    return BundleAnchors.of(anchor_files(sides))
