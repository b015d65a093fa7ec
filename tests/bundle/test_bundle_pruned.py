"""Documents go by retention; what is left still proves."""

from datetime import timedelta

import pytest
from bundle_sides import index_of, members_of
from flow_sides import NOW, Clock, Wire
from ledger_sides import anchor_files, crossing, log, make_sides

from conformance.verifier import bundle as stranger
from conformance.verifier import keys as stranger_keys
from gateway.codec.formats import Formats
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import verify_bundle
from gateway.flows.prune import Keep, prune
from gateway.flows.settle_heads import offer_head
from gateway.model.states import MessageKind
from gateway.signing import demo_keys


@pytest.fixture
def sides(tmp_path):
    (tmp_path / "keys").mkdir()
    keys = demo_keys.generate(tmp_path / "keys", NOW, None)
    made = make_sides(tmp_path, keys, Formats.load(NOW.date()), Clock(), Wire())
    yield made
    for side in made.values():
        side.services.store.close()


def test_receipts_and_proofs_stay_when_documents_are_gone(sides, tmp_path):
    crossing(sides)
    services = sides["vn"].services
    sides["vn"].clock.at += timedelta(days=60)
    day = timedelta(days=1)
    assert prune(services, Keep({"document": day, "report": day}, {}), "test") > 0
    log(sides["vn"])
    assert offer_head(services) == "cosigned"
    sent = services.store.read(lambda tx: tx.search(kind=MessageKind.OUTBOUND)).messages[0]
    content = export(services, sent.id, everything)
    index = index_of(members_of(content))
    there = {d["role"] for m in index["messages"] for d in m["documents"] if d["path"]}
    assert "receipt" in there
    assert not there & {"original", "wire", "translated"}
    files = anchor_files(sides)
    verdict = verify_bundle(content, BundleAnchors.of(files))
    assert verdict.ok, verdict.first_failure
    outcomes = {(c.name, c.outcome.value) for c in verdict.checks}
    assert {("message", "absent"), ("receipt", "ok"), ("rows", "ok")} <= outcomes
    folder = tmp_path / "anchors"
    folder.mkdir()
    for name, pem in files.items():
        (folder / name).write_bytes(pem)
    theirs = stranger.verify(content, stranger_keys.load(folder))
    assert [(c.name, c.outcome) for c in theirs] == [
        (c.name, c.outcome.value) for c in verdict.checks
    ]
