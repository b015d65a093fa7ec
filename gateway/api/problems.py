"""The one table from our error codes to what leaves the house, and RFC 9457 documents.

`FACES` is total over `errors.CODES` (a test holds it). Nothing else in the gateway turns a
code into an HTTP status.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel, Field

from gateway import texts
from gateway.errors import CODES, Finding, GatewayError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5.0
"""Seconds a caller is asked to wait when the error itself does not say."""


@dataclass(frozen=True, slots=True)
class Face:
    """How a code looks from outside.

    http: status at the agencies' interface (RFC 9110). link: status that carries the signed
    refusal to the counterpart; 5xx and 429 say `the same bytes may succeed later`, any other
    says they will not.
    """

    http: int
    link: int


FACES: dict[str, Face] = {
    "malformed": Face(400, 400),
    "too-large": Face(413, 413),
    "schema-invalid": Face(422, 422),
    "type-unknown": Face(415, 422),
    "version-unsupported": Face(422, 422),
    "encoding-unsupported": Face(415, 422),
    "code-unknown": Face(422, 422),
    "code-outdated": Face(422, 422),
    "rule-broken": Face(422, 422),
    "reference-unknown": Face(422, 422),
    "wrong-recipient": Face(422, 422),
    "not-mapped": Face(422, 422),
    "too-long-for-target": Face(422, 422),
    "signature-missing": Face(422, 422),
    "signature-invalid": Face(422, 422),
    "signature-scope": Face(422, 422),
    "algorithm-not-allowed": Face(422, 422),
    "signer-untrusted": Face(403, 403),
    "party-mismatch": Face(403, 403),
    "certificate-expired": Face(403, 403),
    "certificate-revoked": Face(403, 403),
    "revocation-unknown": Face(503, 503),
    "timestamp-invalid": Face(422, 422),
    "stale": Face(422, 422),
    "future-dated": Face(422, 422),
    "id-conflict": Face(409, 409),
    "unauthenticated": Face(401, 403),
    "forbidden": Face(403, 403),
    "rate-limited": Face(429, 429),
    "not-found": Face(404, 404),
    "conflict": Face(409, 409),
    "out-of-order": Face(409, 503),
    "precondition-failed": Face(412, 412),
    "key-reused": Face(422, 422),
    "in-flight": Face(409, 503),
    "unreachable": Face(502, 503),
    "timed-out": Face(504, 503),
    "bad-answer": Face(502, 503),
    "receipt-missing": Face(502, 503),
    "receipt-invalid": Face(502, 503),
    "refused": Face(502, 422),
    "unavailable": Face(503, 503),
    "internal": Face(500, 500),
}


class ProblemFinding(BaseModel):
    """One thing found, in the sender's own terms."""

    path: str = Field(description="Place in the document as it was sent.")
    rule: str = Field(description="Stable name of the rule that was not met.")
    code: str = Field(description="Stable error code.")
    found: str
    expected: str
    severity: str = Field(description="`refuse`, or `warn` for what does not stop the document.")
    message: str = Field(description="What to do, in the language of the answer.")
    messages: dict[str, str] = Field(description="The same in vi, zh and en.")


class Problem(BaseModel):
    """A problem document (RFC 9457). `code` is stable; words follow Accept-Language."""

    type: str = Field(description="A page that explains the code, relative to this server.")
    title: str
    status: int
    detail: str
    code: str | None = Field(
        default=None, description="Stable error code; absent when HTTP itself was misused."
    )
    family: str | None = Field(default=None, description="Who must act.")
    retriable: bool = Field(description="The same bytes can succeed later.")
    findings: list[ProblemFinding] = []
    message_id: str | None = None
    trace_id: str
    incident: str | None = Field(
        default=None, description="For `internal`: what to tell the operator."
    )

    def encoded(self) -> bytes:
        """Return the document as JSON; what is not known is left out."""
        return self.model_dump_json(exclude_none=True).encode()


def problem(
    error: GatewayError,
    lang: str,
    trace_id: str,
    *,
    message_id: str | None = None,
    incident: str | None = None,
) -> Problem:
    """Return the document for a named failure, with all its findings."""
    return Problem(
        type=f"/problems/{error.code}",
        title=texts.title(error.code, lang),
        status=FACES[error.code].http,
        detail=texts.sentence(error.code, lang),
        code=error.code,
        family=str(CODES[error.code][0]),
        retriable=error.retriable,
        findings=findings(error.findings, lang),
        message_id=message_id,
        trace_id=trace_id,
        incident=incident,
    )


def findings(found: Sequence[Finding], lang: str) -> list[ProblemFinding]:
    """Return findings with their words."""
    return [
        ProblemFinding(
            path=finding.path,
            rule=finding.rule,
            code=finding.code,
            found=finding.found,
            expected=finding.expected,
            severity=str(finding.severity),
            message=texts.explain(finding, lang),
            messages={each: texts.explain(finding, each) for each in texts.LANGUAGES},
        )
        for finding in found
    ]


def misuse(status: int, trace_id: str) -> Problem:
    """Return the document for a misuse of HTTP itself (405, 408, 431 ...): `about:blank`,
    whose title is the status phrase (RFC 9457 4.2.1)."""
    phrase = HTTPStatus(status).phrase
    return Problem(
        type="about:blank",
        title=phrase,
        status=status,
        detail=HTTPStatus(status).description or phrase,
        retriable=status >= 500,
        trace_id=trace_id,
    )


def headers(error: GatewayError, status: int) -> dict[str, str]:
    """Return the headers that go with an error: when to come back, how to authenticate."""
    if status in (429, 503) or error.retry_after is not None:
        return {"retry-after": str(math.ceil(error.retry_after or RETRY_AFTER))}
    if error.code == "in-flight":
        return {"retry-after": "1"}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"www-authenticate": 'Certificate realm="client certificate"'}
    return {}


def page(code: str) -> str:
    """Return the page that `type` of a problem resolves to: the words in three languages.

    KeyError when there is no such code.
    """
    family, retriable = CODES[code]
    lines = [f"{code} (HTTP {FACES[code].http}, family {family}, retriable: {retriable})"]
    for lang in texts.LANGUAGES:
        lines += ["", f"[{lang}] {texts.title(code, lang)}", texts.sentence(code, lang)]
    return "\n".join(lines) + "\n"
