"""The simulated partner: raw asyncio, so that it can answer as no HTTP library would.

Every request takes the next behaviour of the list; the last one goes on. What came is kept,
octet for octet, with the instant of its coming.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import h11

from conformance.partner.answering import Answers
from conformance.partner.behaviours import BEHAVIOURS, Context, ok, parsed, status
from conformance.wire.documents import value

MOST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. at: seconds of the loop's clock. complete: its body came to the end."""

    at: float
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    target: str = ""
    complete: bool = True
    behaviour: str = ""


def said(arrival: Arrival, name: str) -> str:
    """Return a value of the envelope that came, "" when it cannot be read."""
    try:
        return value(arrival.body, f"Envelope/{name}")
    except ValueError:
        return ""


class Partner:
    """Listens until `close`. batches: the batch numbers that the case is about."""

    def __init__(self, answers: Answers, tls: "Tls | None" = None) -> None:
        self._answers, self._tls = answers, tls
        self.arrivals: list[Arrival] = []
        self.batches: set[str] = set()
        self._plan: list[str] = ["ok"]
        self._server: asyncio.Server | None = None
        self._came = asyncio.Condition()
        self._given: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port."""
        context = self._tls.context(self._next_word) if self._tls else None
        self._server = await asyncio.start_server(self._serve, host, port, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening; break off what is open."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def serve(self, behaviours: Sequence[str]) -> None:
        """Behave so from the next request on. ValueError for an unknown word."""
        for word in behaviours:
            parsed(word)
        self._plan = list(behaviours)

    def _next_word(self) -> str:
        return self._plan[0]

    def _take(self) -> str:
        return self._plan.pop(0) if len(self._plan) > 1 else self._plan[0]

    async def wait(self, count: int, seconds: float) -> bool:
        """Wait until so many requests have come; False when they did not."""
        try:
            async with asyncio.timeout(seconds), self._came:
                await self._came.wait_for(lambda: len(self.arrivals) >= count)
        except TimeoutError:
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._handle(reader, writer)
        except (OSError, ssl.SSLError, EOFError, h11.RemoteProtocolError):
            pass  # the other side broke off
        except asyncio.CancelledError:
            pass  # the case is over: whoever waits here waits no more
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if parsed(self._next_word())[0] == "drop-before-read":
            word = self._take()
            await self._note(Arrival(self._now(), b"", complete=False, behaviour=word))
            return
        arrival = await _read(reader, self._now())
        if not said(arrival, "MessageID"):
            await status(Context(arrival.body, reader, writer, "404", self._answers))
            return  # no message: statements of other kinds are not for this partner
        if self._stray(arrival):
            await ok(Context(arrival.body, reader, writer, "", self._answers))
            return
        word = self._take()
        await self._note(replace(arrival, behaviour=word))
        behaviour, argument = parsed(word)
        context = Context(arrival.body, reader, writer, argument, self._answers, self._given)
        await BEHAVIOURS.get(behaviour, ok)(context)

    def _stray(self, arrival: Arrival) -> bool:
        """Tell whether a message is left over from an earlier case: it takes no behaviour."""
        return bool(self.batches) and said(arrival, "OrderKey") not in self.batches

    async def _note(self, arrival: Arrival) -> None:
        async with self._came:
            self.arrivals.append(arrival)
            self._came.notify_all()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def _read(reader: asyncio.StreamReader, at: float) -> Arrival:
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
    body, headers, target = bytearray(), {}, ""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            headers = {name.decode().lower(): value.decode() for name, value in event.headers}
            target = event.target.decode()
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST:
                raise EOFError
        elif isinstance(event, h11.EndOfMessage):
            return Arrival(at, bytes(body), headers, target)
        else:
            raise EOFError


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates of the partner: the right one, and wrong ones by behaviour (`tls-expired`,
    `tls-wrong-name`, `tls-unknown-ca`). Values are (certificate file, key file)."""

    right: tuple[str, str]
    anchors: str
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)

    def context(self, word: Callable[[], str]) -> ssl.SSLContext:
        """Return a context that picks the certificate at each handshake."""
        contexts = {"": self._one(self.right)}
        contexts |= {name: self._one(pair) for name, pair in self.wrong.items()}
        first = contexts[""]

        def choose(secured: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            secured.context = contexts.get(word(), first)

        first.sni_callback = choose
        return first

    def _one(self, pair: tuple[str, str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.load_verify_locations(self.anchors)
        context.verify_mode = ssl.CERT_REQUIRED
        return context
