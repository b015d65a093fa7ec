"""The agencies' interface to mutual recognition: a gate asks, an agency states."""

import base64
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from gateway import texts
from gateway.api.asgi import check_coding, check_length, read_body
from gateway.api.rest import Ask, Asked
from gateway.errors import DocumentError, Finding
from gateway.flows.recognise import submit_statement
from gateway.flows.recognise_ask import ClaimView, claims_by
from gateway.flows.recognition_keys import SEARCHED
from gateway.model.evidence import MOST_BYTES
from gateway.recognition.explain import Said, explained
from gateway.recognition.outcomes import REASONS, Outcome

MISSING = frozenset({Outcome.PENDING_EVIDENCE, Outcome.PENDING_COUNTERPART})

router = APIRouter(tags=["recognition"])
Value = Annotated[str | None, Query(min_length=1, max_length=64)]


class ReasonShown(BaseModel):
    """Why an outcome is not better."""

    code: str
    outcome: str = Field(description="What this reason alone would lead to.")
    text: str
    remedy: str
    who: str = Field(description="Who can mend it, in words.")
    actor: str = Field(description="Who can mend it: ISSUER, COUNTERPART, BOTH ...")
    clause: str = Field(description="Rule and requirement.")
    evidence: list[str] = Field(description="Places of the values: digest#path.")


class ReceiptShown(BaseModel):
    """A receipt of one side."""

    side: str
    dsse: str = Field(description="The signed receipt, base64.")


class ProofShown(BaseModel):
    """What both sides must reproduce, and what they signed."""

    digest: str
    root: str = Field(description="RFC 9162 root over the digests of the statements.")
    ruleset: str
    evidence: list[str] = Field(description="Digests of the statements that count.")
    receipts: list[ReceiptShown]


class ClaimShown(BaseModel):
    """What one claim is worth: a goods line and a kind of inspection."""

    claim: str
    outcome: str = Field(description="As decided at the last instant that both sides share.")
    outcome_text: str
    at: str = Field(description="That instant, RFC 3339.")
    holds: str = Field(description="What to go by now.")
    holds_text: str
    agreement: str = Field(
        description="AGREED, MISSING_EVIDENCE, RULESET_SKEW, DIVERGENT, NOT_COMPARABLE; empty:"
        " the other side's receipt on this is not there yet."
    )
    detail: str
    reasons: list[ReasonShown]
    missing: list[ReasonShown] = Field(description="What has to come, and from whom.")
    conditions: list[str]
    overlays: list[str]
    deadline: str | None = Field(description="Until when the other side must speak.")
    rule: str
    proof: ProofShown


class Recognitions(BaseModel):
    """Claims of everything that has the key."""

    claims: list[ClaimShown]


class StatementTaken(BaseModel):
    """A statement by its digest. new: false when it was there."""

    digest: str
    new: bool


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


def shown(view: ClaimView, lang: str) -> ClaimShown:
    """Return a claim as it is shown, in a language."""
    decision, words = view.decision, explained(view.decision, lang)
    reasons = [_reason(each) for each in words.reasons]
    return ClaimShown(
        claim=str(decision.claim),
        outcome=decision.outcome,
        outcome_text=words.outcome,
        at=decision.at,
        holds=view.holds,
        holds_text=texts.outcome(view.holds, lang),
        agreement=view.agreement,
        detail=view.detail,
        reasons=reasons,
        missing=[each for each in reasons if each.outcome in MISSING],
        conditions=list(decision.conditions),
        overlays=list(decision.overlays),
        deadline=decision.deadline or None,
        rule=decision.rule,
        proof=ProofShown(
            digest=view.proof,
            root=decision.root,
            ruleset=decision.ruleset,
            evidence=list(decision.evidence),
            receipts=[
                ReceiptShown(side=side, dsse=base64.b64encode(envelope).decode())
                for side, envelope in view.receipts
            ],
        ),
    )


def _reason(said: Said) -> ReasonShown:
    return ReasonShown(
        code=said.code,
        outcome=said.outcome,
        text=said.text,
        remedy=said.act,
        who=said.who,
        actor=REASONS[said.code][1],
        clause=said.clause,
        evidence=list(said.where),
    )
