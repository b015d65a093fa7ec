"""The agencies' interface: submit, follow, fetch, search (REST, OpenAPI 3.1).

The routes translate between HTTP and the flows; they decide nothing.
"""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from gateway.api import intake, longpoll, views
from gateway.api.asgi import check_coding, check_length, read_body
from gateway.api.desk import Caller, Desk
from gateway.api.problems import page
from gateway.errors import CODES, DocumentError, Finding, StateError
from gateway.flows import query
from gateway.flows.query import CrossingView
from gateway.flows.services import Agency, Services
from gateway.flows.submit import Submitted, submit
from gateway.flows.waiting import supplement
from gateway.model.states import MessageKind, MessageState
from gateway.model.values import plate_of

BODIES = 4
"""A whole submission may be this many times the limit of one document."""

MOST_PER_PAGE = 200
SEARCH_KEYS = ("plate", "container", "seal", "batch", "declaration", "waybill")

router = APIRouter()


class Asked:
    """One request: the desk, the caller, the caller's agency and language."""

    def __init__(self, request: Request) -> None:
        self.desk: Desk = request.app.state.desk
        self.caller: Caller = request.state.caller
        self.agency = cast(Agency, self.caller.agency)  # the guard let nobody else in
        self.lang = self.caller.lang


async def asked(request: Request) -> Asked:
    """Give a route what it works with."""
    return Asked(request)


Ask = Annotated[Asked, Depends(asked)]
Prefer = Annotated[str | None, Header(description="`wait=N`: long-poll, at most 30 seconds.")]
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="1 to 128 characters.")]
MessageId = Annotated[str, Path(max_length=64)]


def _json(model: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(model.model_dump_json(), status, headers, "application/json")


@router.post(
    "/v1/messages",
    status_code=202,
    response_model=views.Submission,
    responses={200: {"model": views.Submission, "description": "Processing has ended"}},
    openapi_extra={"requestBody": intake.OPENAPI},
    tags=["messages"],
)
async def submit_messages(
    request: Request,
    ask: Ask,
    format: Annotated[str | None, Query(max_length=100)] = None,
    prefer: Prefer = None,
    idempotency_key: Key = None,
) -> Response:
    """Hand in one or more documents. 202: accepted, durable, on its way; 200: with
    `Prefer: wait=N`, and processing has ended. The same Idempotency-Key and body get the
    first answer again."""
    key = _idempotency_key(idempotency_key)
    done = await _once(request, ask, key, format)
    first = done.messages[0]
    wish = longpoll.seconds(prefer)
    ended = await longpoll.settled(ask.desk, ask.agency, first, wish)
    if ended:
        view = await ask.desk.run(ask.agency, query.status, first)
        state, conversation = str(view.message.state), view.message.conversation_id
        done = Submitted(done.messages, conversation, state, done.replayed)
    headers = {"location": f"/v1/messages/{first}"}
    if wish:
        headers["preference-applied"] = f"wait={wish}"
    return _json(views.submission(done, ask.lang), 200 if ended else 202, headers)


async def _once(request: Request, ask: Asked, key: str | None, name: str | None) -> Submitted:
    """Run the submission unless one with the same key runs now."""
    if key is None:
        return await _submit(request, ask, None, name)
    running = (ask.agency.name, key)
    if running in ask.desk.in_flight:
        raise StateError("in-flight")
    ask.desk.in_flight.add(running)
    try:
        return await _submit(request, ask, key, name)
    finally:
        ask.desk.in_flight.discard(running)


async def _submit(request: Request, ask: Asked, key: str | None, name: str | None) -> Submitted:
    limits = ask.desk.services.limits
    stated = request.headers.get("content-type", "")
    limit = limits.document_bytes
    if intake.media_type(stated) == intake.MULTIPART:
        limit = BODIES * limits.document_bytes
    fields = dict(request.scope["headers"])
    check_coding(fields.get(b"content-encoding"))
    check_length(fields.get(b"content-length"), limit)
    with ask.desk.admission.enter(ask.agency.name) as ticket:
        body = await read_body(request.receive, limit, ticket)
        ask.caller.body_read = True

        def work() -> Submitted:
            sent = intake.read(stated, body, name, limits.uploads)
            services = ask.desk.services
            return submit(services, ask.agency, sent.uploads, sent.parameters, key)

        return await ask.desk.threads.run(work)


def _idempotency_key(stated: str | None) -> str | None:
    """Read the key; the quotes of the structured form may be left out."""
    if stated is None:
        return None
    key = stated.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= 128 or not all("!" <= c <= "~" for c in key):
        finding = Finding("malformed", "idempotency-key", "header Idempotency-Key")
        raise DocumentError("malformed", finding)
    return key


@router.get("/v1/messages", response_model=views.MessageList, tags=["messages"])
async def list_messages(
    ask: Ask,
    kind: MessageKind | None = None,
    state: MessageState | None = None,
    after: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, description="At most 200 are given.")] = 50,
) -> Response:
    """List the caller's messages, newest first; an operator sees all."""
    try:
        found = await ask.desk.run(
            ask.agency,
            query.search,
            kind=kind,
            state=state,
            after=after,
            limit=min(limit, MOST_PER_PAGE),
        )
    except DocumentError as error:  # only the cursor can be at fault
        raise DocumentError("malformed", Finding("malformed", "cursor", "query after")) from error
    messages = [views.summary(message, ask.lang) for message in found.messages]
    return _json(views.MessageList(messages=messages, next=found.cursor))


@router.get("/v1/messages/{message_id}", response_model=views.MessageDetail, tags=["messages"])
async def show_message(ask: Ask, message_id: MessageId, prefer: Prefer = None) -> Response:
    """Show a message and its timeline. `Prefer: wait=N` waits until nothing is under way."""
    wish = longpoll.seconds(prefer)
    await longpoll.settled(ask.desk, ask.agency, message_id, wish)
    view = await ask.desk.run(ask.agency, query.status, message_id)
    headers = {"preference-applied": f"wait={wish}"} if wish else None
    return _json(views.detail(view, ask.lang), headers=headers)


@router.get(
    "/v1/messages/{message_id}/documents/{role}",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}}, 304: {"description": "Same as the ETag given"}},
    tags=["messages"],
)
async def fetch_document(
    ask: Ask,
    message_id: MessageId,
    role: Annotated[str, Path(max_length=40, description="original, canonical, report ...")],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Fetch a document of a message: exact stored octets, with a strong ETag."""
    found, content = await ask.desk.run(ask.agency, query.document, message_id, role)
    tag = f'"{found.digest}"'
    if if_none_match is not None and tag in (t.strip() for t in if_none_match.split(",")):
        return Response(status_code=304, headers={"etag": tag})
    headers = {
        "etag": tag,
        "x-content-type-options": "nosniff",
        "content-disposition": "attachment",
    }
    return Response(content, 200, headers, found.media_type)


@router.post(
    "/v1/messages/{message_id}/resend",
    status_code=202,
    response_model=views.MessageDetail,
    tags=["messages"],
)
async def resend_message(ask: Ask, message_id: MessageId) -> Response:
    """Queue a message again that was given up. The stored bytes are sent."""
    await ask.desk.run(ask.agency, query.resend, message_id)
    view = await ask.desk.run(ask.agency, query.status, message_id)
    return _json(views.detail(view, ask.lang), 202, {"location": f"/v1/messages/{message_id}"})


Value = Annotated[str | None, Query(min_length=1, max_length=64)]


@router.get("/v1/crossings", response_model=views.CrossingList, tags=["crossings"])
async def find_crossings(
    ask: Ask,
    plate: Value = None,
    container: Value = None,
    seal: Value = None,
    batch: Value = None,
    declaration: Value = None,
    waybill: Value = None,
) -> Response:
    """Find crossings by exactly one of the keys. A plate may be written in any usual way."""
    values = (plate, container, seal, batch, declaration, waybill)
    given = [(kind, v) for kind, v in zip(SEARCH_KEYS, values, strict=True) if v is not None]
    if len(given) != 1:
        finding = Finding("malformed", "key-needed", "query", str(len(given)), "1")
        raise DocumentError("malformed", finding)
    kind, value = given[0]
    if kind == "plate":
        value = plate_of(value).normalised
    elif kind == "container":
        value = "".join(value.upper().split())
    found = await ask.desk.run(ask.agency, query.crossings, (kind, value))
    shown = [views.crossing(view, ask.lang) for view in found]
    return _json(views.CrossingList(crossings=shown))


@router.get("/v1/crossings/{conversation_id}", response_model=views.Crossing, tags=["crossings"])
async def show_crossing(ask: Ask, conversation_id: Annotated[str, Path(max_length=64)]) -> Response:
    """Show a crossing: all its messages, and where each waybill, piece of equipment,
    declaration and the truck stand."""
    view = await ask.desk.run(ask.agency, query.crossing, conversation_id)
    return _json(views.crossing(view, ask.lang))


@router.post(
    "/v1/crossings/{conversation_id}/parameters",
    status_code=202,
    response_model=views.Crossing,
    openapi_extra={"requestBody": intake.OPENAPI_PARAMETERS},
    tags=["crossings"],
)
async def add_parameters(
    request: Request, ask: Ask, conversation_id: Annotated[str, Path(max_length=64)]
) -> Response:
    """State what no document holds after the documents: a crossing that waits, or was made
    as a draft, is tried again."""
    await ask.desk.run(ask.agency, query.crossing, conversation_id)
    content = await _whole_body(request, ask, intake.PARAMETERS_BYTES)

    def work(services: Services, agency: Agency) -> CrossingView:
        stated = intake.read_parameters(content)
        supplement(services, agency.name, conversation_id, stated)
        return query.crossing(services, agency, conversation_id)

    view = await ask.desk.run(ask.agency, work)
    return _json(views.crossing(view, ask.lang), 202)


async def _whole_body(request: Request, ask: Asked, limit: int) -> bytes:
    """Read a body within the agency's share."""
    fields = dict(request.scope["headers"])
    check_coding(fields.get(b"content-encoding"))
    check_length(fields.get(b"content-length"), limit)
    with ask.desk.admission.enter(ask.agency.name) as ticket:
        body = await read_body(request.receive, limit, ticket)
    ask.caller.body_read = True
    return body


@router.get("/problems/{code}", response_class=Response, tags=["problems"])
async def explain_problem(code: Annotated[str, Path(max_length=64)]) -> Response:
    """Explain an error code in Vietnamese, Chinese and English: the page behind `type`."""
    if code not in CODES:
        raise StateError("not-found", Finding("not-found", "document", "code"))
    return Response(page(code), media_type="text/plain; charset=utf-8")
