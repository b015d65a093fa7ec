"""What it costs to verify the bundle of a crossing: five messages, signed, receipted, below a
head that both sides signed. The two gateways that make it are those of the tests."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.documents import NOW
from benchmarks.measure import ROUNDS, Ratio
from gateway.codec.formats import Formats
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import verify_bundle
from gateway.flows.settle_heads import offer_head
from gateway.model.states import MessageKind
from gateway.signing import demo_keys

TESTS = Path(__file__).parent.parent / "tests"


def made(folder: Path, formats: Formats) -> tuple[bytes, BundleAnchors]:
    """Let a truck cross, and export it."""
    sys.path[:0] = [str(TESTS / name) for name in ("flows", "settle")]
    import ledger_sides
    from flow_sides import Clock, Wire

    (folder / "keys").mkdir()
    keys = demo_keys.generate(folder / "keys", NOW, None)
    sides = ledger_sides.make_sides(folder, keys, formats, Clock(NOW), Wire())
    ledger_sides.crossing(sides)
    services = sides["vn"].services
    ledger_sides.log(sides["vn"])
    assert offer_head(services) == "cosigned"
    sent = services.store.read(lambda tx: tx.search(kind=MessageKind.OUTBOUND)).messages
    content = export(services, sent[0].id, everything)
    anchors = ledger_sides.anchors_of(sides)
    for side in sides.values():
        side.services.store.close()
    return content, anchors


def seconds(formats: Formats) -> Ratio:
    """Return CPU seconds of verifying the bundle once, its anchors read already."""
    with tempfile.TemporaryDirectory() as name:
        content, anchors = made(Path(name), formats)
    assert verify_bundle(content, anchors).ok
    spent = [_timed(content, anchors) for _ in range(ROUNDS)]
    return Ratio(statistics.median(spent), min(spent), max(spent))


def _timed(content: bytes, anchors: BundleAnchors) -> float:
    began = time.process_time()
    verify_bundle(content, anchors)
    return time.process_time() - began
