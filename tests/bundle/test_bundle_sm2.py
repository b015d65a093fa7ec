"""The Chinese side signs with SM2: both sides' bundles, read by both verifiers. The stranger
computes SM2 with another library."""

from dataclasses import replace

import pytest
from bundle_sides import members_of
from flow_sides import NAMES, NOW, Clock, Wire, side_of
from ledger_sides import OTHER, anchor_files, connect, crossing, log

from conformance.verifier import bundle as stranger
from conformance.verifier import keys as stranger_keys
from gateway.codec.formats import Formats
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.evidence.bundle_container import write_container
from gateway.evidence.bundle_manifest import SIGNATURE, STATEMENT
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import verify_bundle
from gateway.flows.settle_heads import offer_head
from gateway.model.states import MessageKind
from gateway.signing import demo_keys
from gateway.signing.keys import load_certificate
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

SHAPES = {"vn": profile("demo"), "cn": profile("demo-sm2")}


def policy(keys, side: str, usage: Usage) -> TrustPolicy:
    file = keys.leaves[f"{side}/{usage.value}"].certificate
    pinned = PinnedKey(load_certificate(file.read_bytes()), NAMES[side], usage)
    return TrustPolicy.of(SHAPES[side], usage, [pinned])


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sm2")
    kinds = demo_keys.SM2_KEYS
    keys = demo_keys.generate(tmp_path_factory.mktemp("keys"), NOW, None, kinds=kinds)
    made, clock, wire = {}, Clock(), Wire()
    for name, other in OTHER.items():
        tables = Formats.load(NOW.date())
        side = side_of(name, other, keys, tables, clock, wire, folder / f"{name}.db")
        known = replace(
            side.services.counterpart(),
            messages=policy(keys, other, Usage.MESSAGE),
            receipts=policy(keys, other, Usage.RECEIPT),
            heads=policy(keys, other, Usage.HEAD),
            sign_as=SHAPES[name],
        )
        services = replace(side.services, counterparts={known.name: known})
        made[name] = replace(side, services=services)
    for name, other in OTHER.items():
        connect(made[name], NAMES[other])
    crossing(made)
    for side in made.values():
        log(side)
        assert offer_head(side.services) == "cosigned"
    yield made
    for side in made.values():
        side.services.store.close()


def judged(sides, folder, content: bytes) -> bool:
    files = anchor_files(sides)
    for name, pem in files.items():
        (folder / name).write_bytes(pem)
    ours = verify_bundle(content, BundleAnchors.of(files)).first_failure
    checks = stranger.verify(content, stranger_keys.load(folder))
    theirs = next((c for c in checks if c.outcome == "failed"), None)
    assert (ours and ours.name) == (theirs and theirs.name), (ours, theirs)
    return ours is None


@pytest.mark.parametrize(("name", "form"), [("vn", SIGNATURE), ("cn", STATEMENT)])
def test_bundles_of_a_crossing_signed_with_sm2(sides, tmp_path, name, form):
    kind = {"vn": MessageKind.OUTBOUND, "cn": MessageKind.INBOUND}[name]
    services = sides[name].services
    message = services.store.read(lambda tx: tx.search(kind=kind)).messages[0]
    content = export(services, message.id, everything)
    members = members_of(content)
    assert list(members)[1] == form
    assert judged(sides, tmp_path, content)
    for place in range(0, len(members[form]) * 8, 1009):
        changed = bytearray(members[form])
        changed[place // 8] ^= 1 << place % 8
        broken = write_container({**members, form: bytes(changed)})
        assert not judged(sides, tmp_path, broken), place
