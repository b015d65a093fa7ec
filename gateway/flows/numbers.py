"""Numbers that the gateway allocates: durable and repeatable.

    messageId    CN_{type}_1p0_{sender}_{17-digit Beijing time}, never two in a millisecond
    sendTime     the same instant, 17 digits at +08:00
    waybill      VN, date, six digits of a counter: 14 of 35 characters, never 13 bare digits
    batchNumber  the next of the range that the counterpart lent (profile `batchRange`)

A number is bound to its key for good: a repeat of the same submission gets the same one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from gateway.errors import Finding, StateError
from gateway.flows.ports import Clock

BEIJING = timedelta(hours=8)
FILING_IDENTITY = 13
"""Characters of a sender id that are the filing identity: 4 office + 9 organisation."""


class Ledger(Protocol):
    """Where numbers are bound for good: a transaction, or memory in an offline translation."""

    def allocate(self, scope: str, key: str, value: str) -> str:
        """Bind a value to a key for good; return the value that was bound first."""
        ...

    def allocated(self, scope: str, key: str) -> str | None:
        """Return what is bound to a key."""
        ...

    def count(self, name: str, floor: int = 1) -> int:
        """Return the next number of a counter."""
        ...


def allocate(
    clock: Clock, tx: Ledger, profile: Mapping[str, str], wanted: tuple[str, str, str]
) -> str | None:
    """Return the number of (target format, what, key), None where no range was lent.

    StateError `conflict` when the lent range is used up.
    """
    target, what, key = wanted
    shared = what in ("waybill", "batchNumber")
    scope = what if shared else f"{what}|{target}"
    if known := tx.allocated(scope, key):
        return known
    if what == "waybill":
        day = (clock() + BEIJING).strftime("%y%m%d")
        return tx.allocate(scope, key, f"VN{day}{tx.count(f'waybill|{day}'):06d}")
    if what == "batchNumber":
        batch = _next_batch(tx, profile)
        return tx.allocate(scope, key, batch) if batch else None
    return _times(clock, tx, profile, (target, what, key))


def _times(
    clock: Clock, tx: Ledger, profile: Mapping[str, str], wanted: tuple[str, str, str]
) -> str:
    """Allocate message id and send time together: they name the same millisecond."""
    target, what, key = wanted
    sender = profile.get("senderId", "")[:FILING_IDENTITY]
    now = clock()
    floor = int(now.timestamp() * 1000)
    at = tx.count(f"message-time|{sender}|{target}", floor)
    local = datetime.fromtimestamp(at / 1000, UTC) + BEIJING
    sent = local.strftime("%Y%m%d%H%M%S") + f"{at % 1000:03d}"
    name = target.rpartition(".")[2].upper()
    made = {"sendTime": sent, "messageId": f"CN_{name}_1p0_{sender}_{sent}"}
    for kind, value in made.items():
        tx.allocate(f"{kind}|{target}", key, value)
    return made[what]


def _next_batch(tx: Ledger, profile: Mapping[str, str]) -> str | None:
    first, _, last = profile.get("batchRange", "").partition("-")
    if not first or not last:
        return None
    number = tx.count(f"batch|{first}-{last}", int(first))
    if number > int(last):
        found = Finding("conflict", "batch-range-used-up", "batchRange", f"{first}-{last}")
        raise StateError("conflict", found)
    return f"{number:013d}"
