"""What the agencies' interface shows of mutual recognition (OpenAPI 3.1)."""

import base64

from pydantic import BaseModel, Field

from gateway import texts
from gateway.flows.recognise_ask import ClaimView
from gateway.recognition.explain import Said, explained
from gateway.recognition.outcomes import REASONS, Outcome

MISSING = frozenset({Outcome.PENDING_EVIDENCE, Outcome.PENDING_COUNTERPART})


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
