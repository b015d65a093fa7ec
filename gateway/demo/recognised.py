"""Two trucks whose inspections each side recognises, or not, by rules of both.

1 state   the certificate of dragon fruit and the registries: the Vietnamese side
2 ask     the gate on the other side: its own check is missing
3 check   the Chinese side's arrival and check: both recognise, and agree
4 suspend a durian truck's packing house while it drives: both see it, and agree
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from rich.console import Console

from gateway.api.client import Client
from gateway.api.views_recognition import ClaimShown
from gateway.demo.recognised_papers import Truck
from gateway.demo.story import PATIENCE, PAUSE, StoryError

AGREED = "AGREED"
FRUIT = Truck("12C-123.45", "25DEMO0001", "0810.90.92", "Hylocereus undatus", "VN-PHC-007")
DURIAN = Truck("12C-678.90", "25DEMO0002", "0810.60.00", "Durio zibethinus", "VN-PHC-042", True)


def recognise(console: Console, clients: Mapping[str, Client], now: datetime) -> None:
    """Play the chapter over the public interface of both gateways. StoryError."""
    console.print("Inspection results: each side decides alone, and both must agree", style="bold")
    vn, cn = clients["vn"], clients["cn"]
    for statement in FRUIT.exported(now):
        vn.state(statement)
    _both(console, clients, FRUIT, "PENDING_COUNTERPART", "the certificate of dragon fruit")
    for statement in FRUIT.imported(now, checked=True):
        cn.state(statement)
    _both(console, clients, FRUIT, "RECOGNISED", "and the Chinese side's own check")
    for statement in DURIAN.exported(now):
        vn.state(statement)
    for statement in DURIAN.imported(now, checked=False):
        cn.state(statement)
    _both(console, clients, DURIAN, "RECOGNISED", "the certificate of durian, on arrival")
    vn.state(DURIAN.suspended(now - timedelta(hours=3), now))
    _both(console, clients, DURIAN, "SUSPENDED", "its packing house, suspended as it drove")
    console.print()


def _both(
    console: Console, clients: Mapping[str, Client], truck: Truck, outcome: str, what: str
) -> None:
    """Wait until both sides say the same, each with the receipt of the other."""
    end = time.monotonic() + PATIENCE
    while True:
        found = {name: _claim(client, truck) for name, client in clients.items()}
        if all(c and (c.outcome, c.agreement) == (outcome, AGREED) for c in found.values()):
            break
        if time.monotonic() > end:
            said = {n: (c.outcome, c.agreement, _codes(c)) if c else None for n, c in found.items()}
            raise StoryError(f"recognition: {outcome} was expected of {truck.plate}: {said}")
        time.sleep(PAUSE)
    claims = [claim for claim in found.values() if claim]
    if len({claim.proof.digest for claim in claims}) != 1:
        raise StoryError("recognition: two proofs of one claim")
    shown = claims[0]
    console.print(f"  {truck.plate}: {what}")
    console.print(f"    {shown.outcome_text} [{outcome}], agreed; proof {shown.proof.digest[:16]}")
    for reason in shown.reasons:
        console.print(f"    - {reason.text} {reason.remedy}")


def _claim(client: Client, truck: Truck) -> ClaimShown | None:
    found = client.recognitions("plate", truck.plate).claims
    return next((claim for claim in found if claim.claim.endswith("/PHYTO")), None)


def _codes(claim: ClaimShown) -> str:
    return " ".join(reason.code for reason in claim.reasons)
