"""What is left when the trucks are gone: a file that proves a message without the gateways.

1 anchors  the certificates that whoever verifies must hold, in a folder
2 wait     until the message is under a head that the other side has cosigned
3 verify   the file as it was fetched, by those certificates alone
"""

import shutil
import time
from pathlib import Path

from rich.console import Console

from gateway.api.client import Client
from gateway.demo.sides import OTHER, Side
from gateway.demo.story import PATIENCE, PAUSE, StoryError
from gateway.evidence.bundle_anchors import USAGES, BundleAnchors
from gateway.evidence.bundle_verdict import Outcome, Verdict
from gateway.flows.bundle_check import verify_bundle

_STAMP = "stamp"
"""The demo has no time-stamping authority: that check stays absent."""


def prove(console: Console, side: Side, client: Client, message_id: str, place: Path) -> None:
    """Fetch the evidence of a message into a folder and verify it offline. StoryError."""
    anchors = _anchors(side, place / "anchors")
    end = time.monotonic() + PATIENCE
    while True:
        content = client.evidence(message_id)
        verdict = verify_bundle(content, anchors)
        if not _open(verdict) or time.monotonic() > end:
            break
        time.sleep(PAUSE)
    (place / "message.asice").write_bytes(content)
    if (failed := verdict.first_failure) is not None:
        raise StoryError(f"evidence: {failed.name} {failed.subject} {failed.rule}")
    if still := _open(verdict):
        raise StoryError(f"evidence: still to come after {PATIENCE:g} s: {', '.join(still)}")
    done = sum(check.outcome is Outcome.OK for check in verdict.checks)
    console.print(f"Evidence of the first message sent: {len(content)} octets, verified offline")
    console.print(
        f"  {done} checks ok: signatures, receipt, report, commitment, log, cosigned head"
    )


def _open(verdict: Verdict) -> list[str]:
    """Return the checks that are still to come, but for the timestamp."""
    return [c.name for c in verdict.checks if c.outcome is Outcome.PENDING and c.name != _STAMP]


def _anchors(side: Side, folder: Path) -> BundleAnchors:
    """Lay out the certificates of both sides as docs/evidence.md says."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for party in (side.name, OTHER[side.name]):
        for usage in USAGES:
            made = side.keys.leaves.get(f"{party}/{usage}")
            if made is not None:
                shutil.copy(made.certificate, folder / f"{party}-{usage}.pem")
    return BundleAnchors.of({path.name: path.read_bytes() for path in folder.iterdir()})
