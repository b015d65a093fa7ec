"""The link endpoint, where the other side posts: a bare ASGI application.

    1 peer      the TLS client certificate names the counterpart
    2 shape     media type, no compression, stated length
    3 admit     bounded requests and bytes, or come again later
    4 read      refused as soon as it is over the limit
    5 receive   the flow, in a thread; its signed answer leaves as it is

What fails before the flow is answered unsigned (problem+json): nothing was accepted, and
the sender goes by the status.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway import errors
from gateway.api.admission import Admission
from gateway.api.asgi import (
    GoneError,
    Receive,
    Scope,
    Send,
    answer,
    check_coding,
    check_length,
    log_bug,
    read_body,
    trace_id,
)
from gateway.api.health import Readiness, answer_health, answer_misuse
from gateway.api.metrics import Metrics
from gateway.api.peers import fingerprint
from gateway.api.problems import FACES, MEDIA_TYPE, headers, problem
from gateway.api.threads import Threads
from gateway.errors import AccessError, DocumentError, Finding, GatewayError, InternalError
from gateway.flows.outgoing import LINK_MEDIA_TYPE
from gateway.flows.ports import IdMaker
from gateway.flows.receive import Answer
from gateway.flows.settle_talk import MEDIA_TYPE as STATEMENT_TYPE

PATH = "/exchange/v1"
LEDGER_PATH = "/exchange/v1/ledger"
XML = LINK_MEDIA_TYPE.encode()
STATEMENT = STATEMENT_TYPE.encode()
_UTF8 = frozenset({b"", b"utf-8", b'"utf-8"'})
_LISTENER = "counterpart"


@dataclass(frozen=True, slots=True)
class Door:
    """What is behind a path. media: of what is posted and answered. limit: bytes of it."""

    run: Callable[[str, bytes], Answer]
    media: bytes
    limit: int


class CounterpartApp:
    """POST /exchange/v1 and /exchange/v1/ledger, /healthz and /readyz."""

    def __init__(
        self,
        receive: Callable[[str, bytes], Answer],
        peers: Mapping[str, str],
        limit: int,
        *,
        threads: Threads,
        admission: Admission,
        readiness: Readiness,
        metrics: Metrics,
        ids: IdMaker,
        settle: Callable[[str, bytes], bytes] | None = None,
    ) -> None:
        """receive: the flow, given the counterpart's name and the bytes. peers: hex SHA-256
        of a client certificate -> counterpart. limit: bytes of a message. settle: the flow of
        the ledger; a message that it gives back travels in base64, twice."""
        self._doors = {PATH: Door(receive, XML, limit)}
        if settle is not None:
            self._doors[LEDGER_PATH] = Door(_answering(settle), STATEMENT, 2 * limit)
        self._peers = peers
        self._threads = threads
        self._admission = admission
        self._readiness = readiness
        self._metrics = metrics
        self._ids = ids
        metrics.watch_held(_LISTENER, lambda: admission.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        door = self._doors.get(scope["path"])
        if door is None:
            if not await answer_health(scope, send, self._readiness, self._ids, needs="receipt"):
                await answer_misuse(scope, send, 404, self._ids)
        elif scope["method"] != "POST":
            await answer_misuse(scope, send, 405, self._ids, allow="POST")
        else:
            await self._exchange(door, scope, receive, send)

    async def _exchange(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        try:
            answered = await self._take(door, scope, receive)
        except GoneError:
            return
        except GatewayError as error:
            status = await self._refuse(scope, send, error)
        except Exception as error:  # noqa: BLE001  the edge: nothing of it may leave
            incident = self._ids()
            log_bug(error, incident, _LISTENER)
            status = await self._refuse(scope, send, InternalError("internal"), incident)
        else:
            status = await self._reply(door, send, answered)
        self._metrics.answered(_LISTENER, status, time.monotonic() - began)

    async def _take(self, door: Door, scope: Scope, receive: Receive) -> Answer:
        """Let the request in and run the flow on it."""
        peer = self._peers.get(fingerprint(scope) or "")
        if peer is None:
            raise AccessError("unauthenticated", Finding("unauthenticated", "client-certificate"))
        fields = dict(scope["headers"])
        _check_media_type(fields.get(b"content-type", b""), door.media)
        check_coding(fields.get(b"content-encoding"))
        check_length(fields.get(b"content-length"), door.limit)
        with self._admission.enter(peer) as ticket:
            body = await read_body(receive, door.limit, ticket)
            return await self._threads.run(door.run, peer, body)

    async def _reply(self, door: Door, send: Send, answered: Answer) -> int:
        status, extra = 200, None
        if not answered.ok:
            status = FACES[answered.code].link
            extra = _retry_after(answered.code, answered.retry_after)
            self._metrics.refused(_LISTENER, answered.code)
        elif answered.grace:
            self._metrics.graced(_LISTENER)
        await answer(send, status, answered.content, door.media, extra)
        return status

    async def _refuse(
        self, scope: Scope, send: Send, error: GatewayError, incident: str | None = None
    ) -> int:
        document = problem(error, "en", trace_id(scope, self._ids), incident=incident)
        document.status = FACES[error.code].link
        self._metrics.refused(_LISTENER, error.code)
        extra = headers(error, document.status)
        media = MEDIA_TYPE.encode()
        await answer(send, document.status, document.encoded(), media, extra, close=True)
        return document.status


def _retry_after(code: str, seconds: float | None) -> dict[str, str]:
    """Return the Retry-After of a signed refusal, when its code is worth a retry."""
    return headers(errors.error(code, retry_after=seconds), FACES[code].link)


def _answering(settle: Callable[[str, bytes], bytes]) -> Callable[[str, bytes], Answer]:
    """Return a flow whose every answer is one: what it refuses it raises."""

    def run(peer: str, body: bytes) -> Answer:
        return Answer(ok=True, content=settle(peer, body))

    return run


def _check_media_type(stated: bytes, wanted: bytes) -> None:
    if stated == wanted:
        return
    media, _, parameter = stated.lower().partition(b";")
    name, _, charset = parameter.strip().partition(b"=")
    if media.strip() != wanted or name not in (b"", b"charset") or charset not in _UTF8:
        raise DocumentError(
            "type-unknown",
            Finding(
                "type-unknown",
                "media-type",
                "header Content-Type",
                found=stated[:80].decode("latin-1"),
                expected=f"{wanted.decode()}; charset=utf-8",
            ),
        )
