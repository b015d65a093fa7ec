"""A bundle of a crossing whose documents the agency signed: the signed originals are in it, as
they came, and both verifiers find it whole."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from bundle_sides import failed, members_of
from flow_sides import NOW, SAMPLES, Clock, Side, Wire
from ledger_sides import anchor_files, log, make_sides, work

from conformance.verifier import bundle as stranger
from conformance.verifier import keys as stranger_keys
from gateway.codec.formats import Formats
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import verify_bundle
from gateway.flows.intake import Upload
from gateway.flows.services import SignedForm
from gateway.flows.settle_heads import offer_head
from gateway.flows.submit import submit
from gateway.model.parameters import Parameters
from gateway.model.states import MessageKind
from gateway.signing import demo_keys
from gateway.signing.keys import Signer
from gateway.signing.profiles import profile
from gateway.signing.smime import sign_smime
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

FOLDER = SAMPLES / "dragon-fruit"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Side]]:
    folder = tmp_path_factory.mktemp("signed")
    keys = demo_keys.generate(tmp_path_factory.mktemp("keys"), NOW, None)
    made = make_sides(folder, keys, Formats.load(NOW.date()), Clock(), Wire())
    yield made
    for side in made.values():
        side.services.store.close()


def signing(side: Side, signer: Signer) -> Side:
    """Tell a side that its customs system signs everything with a key."""
    shape = replace(profile("vnaccs-smime"), demo=True)
    pins = [PinnedKey(signer.certificate, "customs", Usage.MESSAGE)]
    form = SignedForm(TrustPolicy.of(shape, Usage.MESSAGE, pins))
    told = replace(side.services.agencies["customs"], signed=(form,))
    side.services = replace(side.services, agencies={"customs": told})
    return side


def test_signed_originals_are_in_the_bundle(sides: dict[str, Side], tmp_path: Path) -> None:
    signer = sides["vn"].services.message_signer  # any key will do
    vn = signing(sides["vn"], signer)
    stated = msgspec.json.decode((FOLDER / "parameters.json").read_bytes(), type=Parameters)
    originals = {
        name: sign_smime((FOLDER / name).read_bytes(), signer, NOW, f"=_{name}")
        for name in ("tor.edi", "eda-1.edi", "eda-2.edi")
    }
    uploads = [Upload(name, content) for name, content in originals.items()]
    assert submit(vn.services, vn.services.agencies["customs"], uploads, stated).messages
    work(sides)
    for side in sides.values():
        log(side)
    assert offer_head(vn.services) == "cosigned"
    (sent, *_) = vn.services.store.read(lambda tx: tx.search(kind=MessageKind.OUTBOUND)).messages
    content = export(vn.services, sent.id, everything)
    files = anchor_files(sides)
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
    assert verify_bundle(content, BundleAnchors.of(files)).first_failure is None
    checks = stranger.verify(content, stranger_keys.load(tmp_path))
    assert [check.name for check in checks if failed(check)] == []
    assert set(originals.values()) <= set(members_of(content).values())
