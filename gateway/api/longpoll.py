"""Long-polling: `Prefer: wait=N` (RFC 7240 4.3) until nothing of a message is under way."""

import asyncio
import re

from gateway.api.desk import Desk
from gateway.errors import GatewayError
from gateway.flows import query
from gateway.flows.services import Agency
from gateway.model.states import MessageState

MOST_SECONDS = 30
UNDER_WAY = frozenset({MessageState.QUEUED, MessageState.ACCEPTED})
"""States that end by themselves. A half that waits for the other is not under way."""

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def seconds(prefer: str | None) -> int:
    """Return how long the caller would wait; 0 without a wish, at most `MOST_SECONDS`."""
    match = _WAIT.search(prefer or "")
    return min(int(match[1]), MOST_SECONDS) if match else 0


async def settled(desk: Desk, agency: Agency, message_id: str, wish: int) -> bool:
    """Wait until nothing of the message's conversation is under way; True when it is so.

    False when the time is over, the process stops, or too many wait already: a wish may be
    ignored, so none of these is an error.
    """
    if not wish:
        return False
    try:
        ticket = desk.waiting.enter(agency.name)
    except GatewayError:
        return False
    with ticket:
        return await _watch(desk, agency, message_id, wish)


async def _watch(desk: Desk, agency: Agency, message_id: str, wish: int) -> bool:
    clock = asyncio.get_running_loop().time
    end, pause = clock() + wish, _FIRST_PAUSE
    while True:
        view = await desk.run(agency, query.status, message_id)
        crossing = await desk.run(agency, query.crossing, view.message.conversation_id)
        if not any(message.state in UNDER_WAY for message in crossing.messages):
            return True
        if desk.readiness.draining or clock() + pause > end:
            return False
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
