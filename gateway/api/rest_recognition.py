"""The agencies' interface to mutual recognition: a gate asks, an agency states."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.api.asgi import check_coding, check_length, read_body
from gateway.api.rest import Ask, Asked
from gateway.api.views_recognition import Recognitions, StatementTaken, shown
from gateway.errors import DocumentError, Finding
from gateway.flows.recognise import submit_statement
from gateway.flows.recognise_ask import claims_by
from gateway.flows.recognition_keys import SEARCHED
from gateway.model.evidence import MOST_BYTES

router = APIRouter(tags=["recognition"])
Value = Annotated[str | None, Query(min_length=1, max_length=64)]


@router.get("/v1/recognitions", response_model=Recognitions)
async def find_recognitions(
    ask: Ask,
    plate: Value = None,
    container: Value = None,
    seal: Value = None,
    certificate: Value = None,
) -> Response:
    """Ask by exactly one key what goods are worth: the outcome of each claim, why, what is
    missing and from whom, until when, and the proof. It is advice: the release stays with the
    officer."""
    values = (plate, container, seal, certificate)
    given = [(kind, v) for kind, v in zip(SEARCHED, values, strict=True) if v is not None]
    if len(given) != 1:
        finding = Finding("malformed", "recognition-key", "query", str(len(given)), "1")
        raise DocumentError("malformed", finding)
    found = await ask.desk.run(ask.agency, claims_by, *given[0])
    model = Recognitions(claims=[shown(each, ask.lang) for each in found])
    return Response(model.model_dump_json(), media_type="application/json")


@router.post(
    "/v1/recognitions/statements",
    status_code=201,
    response_model=StatementTaken,
    responses={200: {"model": StatementTaken, "description": "It was there"}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def state_evidence(request: Request, ask: Ask) -> Response:
    """State evidence about inspected goods (docs/recognition.md): one statement. The same one
    again changes nothing."""
    content = await _body(request, ask)
    name, new = await ask.desk.run(ask.agency, submit_statement, content)
    model = StatementTaken(digest=name, new=new)
    return Response(model.model_dump_json(), 201 if new else 200, None, "application/json")


async def _body(request: Request, ask: Asked) -> bytes:
    fields = dict(request.scope["headers"])
    check_coding(fields.get(b"content-encoding"))
    check_length(fields.get(b"content-length"), MOST_BYTES)
    with ask.desk.admission.enter(ask.agency.name) as ticket:
        body = await read_body(request.receive, MOST_BYTES, ticket)
    ask.caller.body_read = True
    return body
