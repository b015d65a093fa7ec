"""What doctor says of the ledger that is kept with the counterpart."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.settings import Settings

LATE = timedelta(days=2)
"""A newest cosigned head older than this wants a look."""


def told(settings: "Settings") -> Iterator[tuple[str, str, str, str]]:
    """Yield check, level, text, advice: head keys, alarms that stand, the newest head that
    both sides signed. Nothing while the store is down: that is said elsewhere."""
    from gateway import store
    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.parts import store_url
    from gateway.errors import GatewayError

    if not settings.counterpart:
        return
    pinned = {pin.usage for each in settings.counterpart.values() for pin in each.pinned}
    if settings.keys.head is None or "head" not in pinned:
        missing = "[keys.head]" if settings.keys.head is None else "usage head of the counterpart"
        yield "ledger", "WARN", "no ledger is kept with the counterpart", f"set up {missing}"
        return
    try:
        with store.open(store_url(settings.store), wait=3.0) as opened:
            opened.check()
            alarms, heads = opened.read(
                lambda tx: (tx.alarms(), tx.ledger_heads(settings.gateway.name, 1))
            )
    except GatewayError:
        return
    kinds = ", ".join(sorted({alarm.kind for alarm in alarms}))
    if alarms:
        yield "ledger", "WARN", f"{len(alarms)} alarms stand: {kinds}", "gateway settle alarms"
    if not heads:
        advice = "gateway settle; does the counterpart pin our head key?"
        yield "ledger", "WARN", "no head was cosigned yet", advice
    elif clock() - heads[0].at > LATE:
        text = f"the newest cosigned head is of {heads[0].at:%Y-%m-%d %H:%M}"
        yield "ledger", "WARN", text, "gateway settle"
    elif not alarms:
        yield "ledger", "OK", f"head over {heads[0].size} rows is cosigned", ""
