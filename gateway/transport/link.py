"""The `Link` port over httpx: posts bytes to named destinations, each within its deadline.

httpx's own timeouts are per read, so an answer that drips passes them; and no timeout of a
blocking client covers the name look-up. So the clients are asynchronous, live on one loop
in one thread, and a send is cancelled as a whole when its time is up.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from gateway.errors import CounterpartError
from gateway.flows.ports import Clock, LinkAnswer
from gateway.transport.faults import failure, nothing_was_sent, translated
from gateway.transport.retry_after import seconds
from gateway.transport.tls import Identity, client_context

_CONNECT = 5.0  # seconds at most to reach a port, and again to shake hands
_TRIES = 3  # to connect, within the deadline


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a destination is, who we are to it, and what it may cost.

    deadline: for the whole send, from the name look-up to the last byte of the answer.
    max_answer: bytes; a longer answer is refused while reading.
    """

    name: str
    url: str
    anchors: Path | None = None
    identity: Identity | None = None
    deadline: timedelta = timedelta(seconds=30)
    max_answer: int = 1_048_576
    connections: int = 8


@dataclass(slots=True)
class _Caller:
    """A client and how many sends use it. retired: another took its place."""

    client: httpx.AsyncClient
    busy: int = 0
    retired: bool = False


class HttpLink:
    """One long-lived client per destination. Safe for many threads; close it at the end."""

    def __init__(self, endpoints: Sequence[Endpoint], clock: Clock) -> None:
        """UnavailableError when an endpoint's TLS files do not load."""
        self._clock = clock
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._callers = {endpoint.name: _Caller(_client(endpoint)) for endpoint in endpoints}
        self._closing = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()

    def post(
        self, destination: str, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> LinkAnswer:
        """Send within the destination's total deadline and return the answer.

        CounterpartError `unreachable`, `timed-out` or `bad-answer`; any HTTP status,
        redirects too, is returned, not raised. Tries again only to connect.
        """
        endpoint = self._endpoints.get(destination)
        if endpoint is None:
            raise failure("unreachable", "not-configured", destination, "")
        sending = self._start(endpoint, body, {**headers, "content-type": media_type})
        try:
            return sending.result()
        except CancelledError as end:
            raise failure("unreachable", "closing", destination, "") from end
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as fault:
            raise translated(fault, destination) from fault

    def use(self, endpoint: Endpoint) -> None:
        """Call a destination with other TLS files, or elsewhere, from now on; what is being
        sent ends with the old ones. UnavailableError when the files do not load; then the old
        ones stay."""
        caller = _Caller(_client(endpoint))
        with self._closing:
            if not self._closed:
                swap = self._swap(endpoint, caller)
                asyncio.run_coroutine_threadsafe(swap, self._loop).result()

    async def _swap(self, endpoint: Endpoint, caller: _Caller) -> None:
        before = self._callers.get(endpoint.name)
        self._endpoints[endpoint.name], self._callers[endpoint.name] = endpoint, caller
        if before is not None:
            before.retired = True
            await _end_idle(before)

    def _start(
        self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
    ) -> Future[LinkAnswer]:
        with self._closing:
            if self._closed:
                raise failure("unreachable", "closing", endpoint.name, "")
            return asyncio.run_coroutine_threadsafe(
                self._bounded(endpoint, body, headers), self._loop
            )

    async def _bounded(
        self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
    ) -> LinkAnswer:
        retrying = AsyncRetrying(
            retry=retry_if_exception(nothing_was_sent),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        )
        async with asyncio.timeout(endpoint.deadline.total_seconds()):
            return await retrying(self._exchange, endpoint, body, headers)

    async def _exchange(
        self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
    ) -> LinkAnswer:
        caller = self._callers[endpoint.name]
        caller.busy += 1
        try:
            async with caller.client.stream(
                "POST", endpoint.url, content=body, headers=headers
            ) as answer:
                content = await _read(answer, endpoint)
        finally:
            caller.busy -= 1
            await _end_idle(caller)
        wish = seconds(answer.headers.get("retry-after"), self._clock())
        return LinkAnswer(answer.status_code, content, wish)

    def close(self) -> None:
        """Cancel what is being sent and close the connections."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        sends = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for send in sends:
            send.cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        for caller in self._callers.values():
            await caller.client.aclose()
        await asyncio.sleep(0)  # an aborted connection is gone one turn of the loop later

    def __enter__(self) -> "HttpLink":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


async def _end_idle(caller: _Caller) -> None:
    if caller.retired and not caller.busy:
        await caller.client.aclose()


def _client(endpoint: Endpoint) -> httpx.AsyncClient:
    """trust_env off: no proxy or certificate file from the environment changes the link.

    Connecting ends well before the deadline: a TLS handshake that is cancelled, instead of
    timed out, would leave its socket to the garbage collector.
    """
    connect = min(_CONNECT, endpoint.deadline.total_seconds() / 3)
    return httpx.AsyncClient(
        verify=client_context(endpoint.anchors, endpoint.identity),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(None, connect=connect),
        limits=httpx.Limits(max_connections=endpoint.connections, keepalive_expiry=30.0),
        headers={"user-agent": "bilateral-gateway", "accept-encoding": "identity"},
    )


async def _read(answer: httpx.Response, endpoint: Endpoint) -> bytes:
    """Read at most the agreed size. A compressed answer was not asked for, and could be a
    bomb: bad-answer."""
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise failure("bad-answer", "content-encoding", endpoint.name, "compressed")
    content = bytearray()
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) > endpoint.max_answer:
            raise _too_large(endpoint)
    return bytes(content)


def _too_large(endpoint: Endpoint) -> CounterpartError:
    found = f"more than {endpoint.max_answer} bytes"
    return failure("bad-answer", "size", endpoint.name, found)
