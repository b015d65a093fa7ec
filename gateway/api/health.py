"""Alive, ready, and the operations' listener: /healthz, /readyz, /metrics."""

from collections.abc import Callable, Collection

from prometheus_client import generate_latest

from gateway.api.asgi import Receive, Scope, Send, answer, trace_id
from gateway.api.metrics import Metrics
from gateway.api.problems import MEDIA_TYPE, headers, misuse, problem
from gateway.api.threads import Threads
from gateway.errors import Finding, GatewayError, UnavailableError
from gateway.flows.ports import IdMaker

TEXT = b"text/plain; charset=utf-8"
_METRICS = b"text/plain; version=1.0.0; charset=utf-8; escaping=underscores"


class Readiness:
    """Whether the process can take work. One for all listeners of a process."""

    def __init__(
        self,
        check: Callable[[], None],
        threads: Threads,
        silent: Callable[[], Collection[str]] = tuple,
        late: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """check: returns, or raises UnavailableError (the store's `check`). silent: the
        purposes of our keys that cannot sign now. late: lines about what is overdue, which
        keeps nobody from working."""
        self._check = check
        self._threads = threads
        self._silent = silent
        self._late = late
        self.draining = False

    async def ask(self) -> None:
        """Return when ready; UnavailableError when not, or when the process is stopping."""
        if self.draining:
            raise UnavailableError("unavailable")
        await self._threads.run(self._check)

    async def silent(self) -> Collection[str]:
        """Return the purposes of our keys that cannot sign now."""
        return await self._threads.run(self._silent)

    async def late(self) -> Collection[str]:
        """Return lines about what is overdue."""
        return await self._threads.run(self._late)


async def answer_health(
    scope: Scope, send: Send, readiness: Readiness, ids: IdMaker, *, needs: str = ""
) -> bool:
    """Answer /healthz and /readyz; False for any other path.

    needs: the purpose of a key without which this listener is not ready. Other keys that
    cannot sign are named, but documents of agencies are taken without them.
    """
    path = scope["path"]
    if path not in ("/healthz", "/readyz"):
        return False
    if scope["method"] not in ("GET", "HEAD"):
        await answer_misuse(scope, send, 405, ids, allow="GET, HEAD")
        return True
    text = b"ok\n"
    try:
        if path == "/readyz":
            text = await _ready(readiness, needs)
    except GatewayError as error:
        document = problem(error, "en", trace_id(scope, ids))
        extra = headers(error, document.status)
        media = MEDIA_TYPE.encode()
        await answer(send, document.status, document.encoded(), media, extra)
    else:
        await answer(send, 200, text, TEXT)
    return True


async def _ready(readiness: Readiness, needs: str) -> bytes:
    await readiness.ask()
    silent = await readiness.silent()
    if needs in silent:
        finding = Finding("unavailable", "signer", f"keys.{needs}")
        raise UnavailableError("unavailable", finding)
    cannot = [f"keys.{purpose} cannot sign now" for purpose in silent]
    lines = ["ok", *cannot, *await readiness.late()]
    return "".join(f"{line}\n" for line in lines).encode()


async def answer_misuse(
    scope: Scope, send: Send, status: int, ids: IdMaker, allow: str | None = None
) -> None:
    """Answer a wrong path or method. The body was not read, so the connection closes."""
    document = misuse(status, trace_id(scope, ids))
    extra = {"allow": allow} if allow else {}
    await answer(send, status, document.encoded(), MEDIA_TYPE.encode(), extra, close=True)


class OperationsApp:
    """The operations' listener. Put it on loopback, or behind TLS with its own anchors."""

    def __init__(
        self, readiness: Readiness, metrics: Metrics, threads: Threads, ids: IdMaker
    ) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._threads = threads
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if await answer_health(scope, send, self._readiness, self._ids):
            return
        if scope["path"] != "/metrics":
            await answer_misuse(scope, send, 404, self._ids)
        elif scope["method"] not in ("GET", "HEAD"):
            await answer_misuse(scope, send, 405, self._ids, allow="GET, HEAD")
        else:
            figures = await self._threads.run(generate_latest, self._metrics.registry)
            await answer(send, 200, figures, _METRICS)
