"""The agencies' interface to evidence: one more route of `gateway.api.rest`."""

from fastapi import Response

from gateway.api.rest import Ask, MessageId, router
from gateway.evidence.bundle_container import MIMETYPE
from gateway.flows import query

__all__ = ["router"]

BUNDLE = MIMETYPE.decode()


@router.get(
    "/v1/messages/{message_id}/evidence",
    response_class=Response,
    responses={200: {"content": {BUNDLE: {}}}},
    tags=["messages"],
)
async def fetch_evidence(ask: Ask, message_id: MessageId) -> Response:
    """Fetch everything that proves a message and its conversation as one ASiC-E file, which
    verifies offline. Documents that the caller may not read are named in it and left out."""
    content = await ask.desk.run(ask.agency, query.bundle, message_id)
    name = f'attachment; filename="{message_id}.asice"'
    headers = {"content-disposition": name, "x-content-type-options": "nosniff"}
    return Response(content, 200, headers, BUNDLE)
