"""What every route of the agencies' interface works with, and the guard before them all."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import texts
from gateway.api.admission import Admission
from gateway.api.asgi import GoneError, answer, header, log_bug, trace_id
from gateway.api.health import Readiness, answer_health
from gateway.api.metrics import Metrics
from gateway.api.peers import fingerprint
from gateway.api.problems import MEDIA_TYPE, Problem, headers, problem
from gateway.api.threads import Threads
from gateway.errors import AccessError, Finding, GatewayError, InternalError
from gateway.flows.services import Agency, Services

P = ParamSpec("P")
T = TypeVar("T")

LISTENER = "agencies"


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of the agencies' interface. in_flight: (agency, Idempotency-Key) of requests
    that run now. waiting: how many may long-poll."""

    services: Services
    threads: Threads
    admission: Admission
    waiting: Admission
    readiness: Readiness
    metrics: Metrics
    agencies: Mapping[str, Agency]
    in_flight: set[tuple[str, str]] = field(default_factory=set)

    async def run(
        self,
        agency: Agency,
        flow: Callable[Concatenate[Services, Agency, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a flow in a thread, within the agency's share."""
        with self.admission.enter(agency.name):
            return await self.threads.run(flow, self.services, agency, *args, **kwargs)


class Guard:
    """Knows the caller before a route is looked for; turns every failure into a problem."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ids = self._desk.services.ids
        if await answer_health(scope, send, self._desk.readiness, ids):
            return
        caller = Caller(scope, send, trace_id(scope, ids), _language(scope))
        scope.setdefault("state", {})["caller"] = caller
        try:
            caller.agency = self._agency(scope)
            await self._app(scope, receive, caller.send)
        except GoneError:
            return
        except GatewayError as error:
            await self._refuse(caller, error)
        except Exception as error:  # noqa: BLE001  the edge: nothing of it may leave
            incident = ids()
            log_bug(error, incident, LISTENER)
            await self._refuse(caller, InternalError("internal"), incident)
        self._desk.metrics.answered(LISTENER, caller.status, time.monotonic() - caller.began)

    def _agency(self, scope: Scope) -> Agency:
        agency = self._desk.agencies.get(fingerprint(scope) or "")
        if agency is None:
            raise AccessError("unauthenticated", Finding("unauthenticated", "client-certificate"))
        return agency

    async def _refuse(
        self, caller: "Caller", error: GatewayError, incident: str | None = None
    ) -> None:
        self._desk.metrics.refused(LISTENER, error.code)
        if not caller.status:
            document = problem(
                error,
                caller.lang,
                caller.trace_id,
                message_id=caller.scope.get("path_params", {}).get("message_id"),
                incident=incident,
            )
            await caller.answer(document, headers(error, document.status))


class Caller:
    """One request: who asks, in which language, and how far the answer is."""

    def __init__(self, scope: Scope, send: Send, trace: str, lang: str) -> None:
        self.scope = scope
        self.trace_id = trace
        self.lang = lang
        self.agency: Agency | None = None
        self.status = 0
        self.body_read = scope["method"] != "POST"
        self.began = time.monotonic()
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass the answer on. Nothing of it may be kept by a cache."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            fields: list[Any] = [*message.get("headers", ()), (b"cache-control", b"no-store")]
            fields.append((b"content-language", self.lang.encode()))
            message = {**message, "headers": fields}
        await self._send(message)

    async def answer(self, document: Problem, extra: Mapping[str, str]) -> None:
        """Send a problem. A body that was not read ends the connection."""
        self.status = document.status
        fields = {**extra, "content-language": self.lang}
        media = MEDIA_TYPE.encode()
        close = not self.body_read
        await answer(self._send, document.status, document.encoded(), media, fields, close=close)


def _language(scope: Scope) -> str:
    return texts.choose((header(scope, b"accept-language") or b"").decode("latin-1"))
