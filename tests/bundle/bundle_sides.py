"""Bundles to break: a crossing whose head is cosigned and stamped, and the two verifiers."""

import json
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import rfc8785
from flow_sides import Side
from ledger_sides import anchor_files, crossing, log
from timestamp_authority import TimestampServer

from conformance.verifier import bundle as stranger
from conformance.verifier import keys as stranger_keys
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.evidence.bundle_container import read_container, write_container
from gateway.evidence.bundle_manifest import INDEX, MANIFEST, SIGNATURE, manifest_of
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import verify_bundle
from gateway.flows.heads import stamp_heads
from gateway.flows.settle_heads import offer_head
from gateway.model.states import MessageKind
from gateway.signing import timestamp
from gateway.signing.cms_sign import sign_detached


@dataclass(frozen=True)
class Made:
    """A bundle of each side, and what verifies them."""

    bundles: dict[str, bytes]
    sides: dict[str, Side]
    anchors: BundleAnchors
    stranger: stranger_keys.Anchors

    def signed_again(self, name: str, members: dict[str, bytes]) -> bytes:
        """Sign changed members as the exporter would: what is inside must be found out."""
        services = self.sides[name].services
        rest = {n: c for n, c in members.items() if n not in (MANIFEST, SIGNATURE)}
        manifest = manifest_of(rest)
        signature = sign_detached(manifest, services.statement_signer, services.clock())
        return write_container({MANIFEST: manifest, SIGNATURE: signature, **rest})

    def judged(self, content: bytes) -> tuple[bool, str]:
        """Verify by both; they must agree on the verdict and on the first check that fails."""
        ours = verify_bundle(content, self.anchors).first_failure
        theirs = next((c for c in stranger.verify(content, self.stranger) if failed(c)), None)
        mine, other = (ours and ours.name) or "", (theirs and theirs.name) or ""
        assert mine == other, (ours, theirs)
        return ours is None, mine


def failed(check) -> bool:
    return check.outcome == "failed"


@dataclass(frozen=True)
class Authority:
    """Stamps without the HTTP in between."""

    server: TimestampServer

    def stamp(self, message: bytes) -> bytes:
        return timestamp.token_of(self.server.stamp(timestamp.request(message, 7))[1])


def make(sides: dict[str, Side], folder: Path, server: TimestampServer) -> Made:
    done = crossing(sides)
    for name, side in sides.items():
        stamping = replace(side.services, timestamps=Authority(server))
        sides[name] = replace(side, services=stamping)
        log(sides[name])
        assert offer_head(stamping) == "cosigned"
        stamp_heads(stamping, "test")
    files = anchor_files(sides) | {"tsa.pem": server.anchor_file.read_bytes()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    kinds = {"vn": MessageKind.OUTBOUND, "cn": MessageKind.INBOUND}
    bundles = {}
    for name, side in sides.items():
        found = side.services.store.read(lambda tx, kind=kinds[name]: tx.search(kind=kind)).messages
        bundles[name] = export(side.services, found[0].id, everything)
    assert done
    return Made(bundles, sides, BundleAnchors.of(files), stranger_keys.load(folder))


def members_of(content: bytes) -> dict[str, bytes]:
    return read_container(content)


def index_of(members: dict[str, bytes]) -> dict:
    return json.loads(members[INDEX])


def with_index(members: dict[str, bytes], index: dict) -> dict[str, bytes]:
    return {**members, INDEX: rfc8785.dumps(index)}


def zipped(entries: list[tuple[bytes, bytes]], **changes: int) -> bytes:
    """Write a ZIP by hand, so that it can be wrong. changes: fields of the directory entries."""
    local, directory = b"", b""
    for name, body in entries:
        crc = zlib.crc32(body)
        middle = (10, 0, 0, 0, 0x21, crc, len(body), len(body), len(name), 0)
        told = {"flags": 0, "method": 0, "attributes": 0, "offset": len(local), "size": len(body)}
        told |= changes
        directory += struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            10,
            10,
            told["flags"],
            told["method"],
            0,
            0x21,
            crc,
            told["size"],
            told["size"],
            len(name),
            0,
            0,
            0,
            0,
            told["attributes"],
            told["offset"],
        )
        directory += name
        local += struct.pack("<4s5H3I2H", b"PK\x03\x04", *middle) + name + body
    count = min(len(entries), 0xFFFE)
    numbers = (0, 0, count, count, len(directory), len(local), 0)
    return local + directory + struct.pack("<4s4H2IH", b"PK\x05\x06", *numbers)
