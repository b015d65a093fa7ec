"""Make the agencies' application: routes, guard, problems, OpenAPI document."""

from typing import Any, cast

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from gateway import __doc__ as about
from gateway.api import rest, rest_evidence, rest_recognition
from gateway.api.admission import Admission, Capacity
from gateway.api.desk import LISTENER, Caller, Desk, Guard
from gateway.api.health import Readiness
from gateway.api.metrics import Metrics
from gateway.api.problems import MEDIA_TYPE, Problem, misuse, problem
from gateway.api.threads import Threads
from gateway.errors import DocumentError, Finding, StateError
from gateway.flows.services import Services
from gateway.model.parameters import Parameters

WAITERS = Capacity(requests=512, octets=0, per_peer=64)
_SCHEMAS = "#/components/schemas/{name}"


def create(
    services: Services,
    *,
    threads: Threads,
    admission: Admission,
    readiness: Readiness,
    metrics: Metrics,
) -> FastAPI:
    """Return the application for the agencies' listener."""
    desk = Desk(
        services=services,
        threads=threads,
        admission=admission,
        waiting=Admission(WAITERS),
        readiness=readiness,
        metrics=metrics,
        agencies={f: agency for agency in services.agencies.values() for f in agency.fingerprints},
    )
    app = FastAPI(
        title="Bilateral gateway: agencies",
        version="1",
        description=about or "",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": {"model": Problem, "content": {MEDIA_TYPE: {}}}},
    )
    app.state.desk = desk
    app.include_router(rest_evidence.router)
    app.include_router(rest_recognition.router)
    app.add_middleware(Guard, desk=desk)
    app.add_exception_handler(HTTPException, _http_misuse)
    app.add_exception_handler(RequestValidationError, _invalid_query)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    metrics.watch_held(LISTENER, lambda: admission.requests)
    return app


async def _http_misuse(request: Request, error: Exception) -> Response:
    """No such path, or a method that the path does not have."""
    misused = cast(HTTPException, error)
    caller: Caller = request.state.caller
    if misused.status_code == 404:
        missing = StateError("not-found", Finding("not-found", "path", request.url.path[:200]))
        return _shown(problem(missing, caller.lang, caller.trace_id), None)
    allow = {"allow": _allowed(request)} if misused.status_code == 405 else misused.headers
    return _shown(misuse(misused.status_code, caller.trace_id), allow)


def _allowed(request: Request) -> str:
    """Return the methods that a path has: the router knows one route at a time."""
    methods: set[str] = set()
    for route in (*rest.router.routes, *rest_recognition.router.routes):
        if isinstance(route, APIRoute) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


async def _invalid_query(request: Request, error: Exception) -> Response:
    """A parameter that is not of the published type."""
    errors = cast(RequestValidationError, error).errors()
    caller: Caller = request.state.caller
    found = [
        Finding("malformed", "query", " ".join(map(str, each["loc"])), expected=each["msg"])
        for each in errors
    ]
    return _shown(problem(DocumentError("malformed", *found), caller.lang, caller.trace_id), None)


def _shown(document: Problem, headers: Any) -> Response:
    return Response(document.encoded(), document.status, headers, MEDIA_TYPE)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, once made: the routes', our parameters', mutual TLS."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=app.description,
            routes=app.routes,
        )
        _, ours = msgspec.json.schema_components([Parameters], ref_template=_SCHEMAS)
        made["components"]["schemas"] |= ours
        made["components"]["securitySchemes"] = {"clientCertificate": {"type": "mutualTLS"}}
        made["security"] = [{"clientCertificate": []}]
        app.openapi_schema = made
    return app.openapi_schema
