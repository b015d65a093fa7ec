"""Two gateways that keep a ledger together: the sides of the flow tests, with head keys that
each pins of the other, and crossings as small as they come."""

from dataclasses import replace
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flow_sides import NAMES, Side, policy

from gateway.evidence.bundle_anchors import BundleAnchors
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
