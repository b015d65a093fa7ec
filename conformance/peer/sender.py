"""The reference sender: stored before sent, the same octets again, until a valid receipt.

One task an order key keeps the order; other keys do not wait. The schedule is that of the
profile with the limits of the target file, so that a test does not last for days.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from conformance.engine.target import Limits
from conformance.peer import believing
from conformance.peer.believing import Road
from conformance.peer.mutants import Mutants
from conformance.peer.outbox import Outbox, Outgoing
from conformance.wire.http import Place, Reply, exchange, request


class Sender:
    """Sends what is in the outbox until `close`."""

    def __init__(
        self,
        road: Road,
        outbox: Outbox,
        limits: Limits,
        mutants: Mutants,
        renew: Callable[[Outgoing], Outgoing],
    ) -> None:
        """renew: the same message under a new id, which only a wrong sender asks for."""
        self._renew = renew
        self._road, self._outbox, self._limits, self._mutants = road, outbox, limits, mutants
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draw = random.Random(0)  # noqa: S311  jitter

    def wake(self) -> None:
        """Look for work: one task an order key."""
        for message in self._outbox.open():
            key = message.message_id if self._mutants.on("MS13") else message.order_key
            task = self._tasks.get(key)
            if task is None or task.done():
                self._tasks[key] = asyncio.get_running_loop().create_task(self._drain(key))

    async def close(self) -> None:
        """Stop; what is not settled stays in the outbox."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _drain(self, key: str) -> None:
        while True:
            waiting = [m for m in self._outbox.open() if key in (m.order_key, m.message_id)]
            if not waiting:
                return
            await self._deliver(waiting[0])

    async def _deliver(self, message: Outgoing) -> None:
        began = asyncio.get_running_loop().time()
        while True:
            reply = await self._post(message)
            message = self._outbox.change(message.message_id, attempts=message.attempts + 1)
            try:
                state, reason = believing.judge(self._road, message, reply, self._mutants)
            except believing.AgainError as again:
                reason = str(again)
            else:
                self._outbox.change(message.message_id, state=state, reason=reason)
                return
            elapsed = asyncio.get_running_loop().time() - began
            if elapsed > self._limits.give_up or self._mutants.on("MS02"):
                state = "queued" if self._mutants.on("MS09") else "dead"
                self._outbox.change(message.message_id, state=state, reason=reason)
                return
            await asyncio.sleep(self._pause(message.attempts, reply))
            if self._mutants.on("MS03"):
                message = self._renew(message)
                self._outbox.put(message)

    async def _post(self, message: Outgoing) -> Reply:
        secret = f"?batch={message.order_key}" if self._mutants.on("MS14") else ""
        place = Place.of(self._road.url + secret, self._road.context)
        deadline = 3600.0 if self._mutants.on("MS12") else self._limits.deadline
        reply = await exchange(place, request(place, message.content), deadline)
        if self._mutants.on("MS10") and 300 <= reply.status < 400:
            place = Place.of(reply.headers["location"], self._road.context)
            reply = await exchange(place, request(place, message.content), deadline)
        return reply

    def _pause(self, attempts: int, reply: Reply) -> float:
        if self._mutants.on("MS04"):
            return 0.01
        pause = min(self._limits.first * 2 ** (attempts - 1), self._limits.longest)
        pause *= 1 - 0.5 * self._draw.random()
        after = 0.0 if self._mutants.on("MS18") else retry_after(reply)
        return float(max(pause, after))


def retry_after(reply: Reply) -> float:
    """Return the seconds of a Retry-After header, in either form (RFC 9110)."""
    stated = reply.headers.get("retry-after", "")
    if stated.isdigit():
        return float(stated)
    try:
        return max(0.0, (parsedate_to_datetime(stated) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
