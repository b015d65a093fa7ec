"""Every named failure: its code, its family (who must act), whether a retry can help.

Codes are stable and known to other systems. Inner code never names HTTP or gRPC:
`gateway.api.problems` maps codes to what leaves the house, `gateway.texts` to words.

    GatewayError
      DocumentError      the sender
      MappingError       the owner of the mapping table
      TrustError         security officers
      AccessError        the caller
      StateError         the caller
      CounterpartError   the counterpart
      UnavailableError   the operator
      InternalError      a bug: an incident id and no detail
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Family(StrEnum):
    """Who must act."""

    DOCUMENT = "document"
    MAPPING = "mapping"
    TRUST = "trust"
    ACCESS = "access"
    STATE = "state"
    COUNTERPART = "counterpart"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Severity(StrEnum):
    """A refusal stops the document; a warning is reported and it goes on."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a document.

    code: a code of `CODES`. rule: the stable name of the rule that was not met
    (`width`, `check-digit`, `schema`, `VNACCS S0009` ...). path: the place on the sender's
    side, in the sender's own terms. found / expected: short, never a whole document, never
    personal data.
    """

    code: str
    rule: str
    path: str = ""
    found: str = ""
    expected: str = ""
    severity: Severity = Severity.REFUSE


MOST_FINDINGS = 100
"""What one document may be told; a document with more is told so."""


def at_most(findings: list[Finding]) -> list[Finding]:
    """Keep `MOST_FINDINGS`, and say when there are more. A refusal is never hidden by warnings."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    first = sorted(findings, key=lambda f: f.severity is Severity.WARN)[:MOST_FINDINGS]
    more = f"more than {MOST_FINDINGS} findings"
    return [*first, Finding(first[0].code, "more", "", more, severity=first[0].severity)]


CODES: dict[str, tuple[Family, bool]] = {
    # code: (family, a retry of the same bytes can succeed)
    "malformed": (Family.DOCUMENT, False),
    "too-large": (Family.DOCUMENT, False),
    "schema-invalid": (Family.DOCUMENT, False),
    "type-unknown": (Family.DOCUMENT, False),
    "version-unsupported": (Family.DOCUMENT, False),
    "encoding-unsupported": (Family.DOCUMENT, False),
    "code-unknown": (Family.DOCUMENT, False),
    "code-outdated": (Family.DOCUMENT, False),
    "rule-broken": (Family.DOCUMENT, False),
    "reference-unknown": (Family.DOCUMENT, False),
    "wrong-recipient": (Family.DOCUMENT, False),
    "not-mapped": (Family.MAPPING, False),
    "too-long-for-target": (Family.MAPPING, False),
    "signature-missing": (Family.TRUST, False),
    "signature-invalid": (Family.TRUST, False),
    "signature-scope": (Family.TRUST, False),
    "algorithm-not-allowed": (Family.TRUST, False),
    "signer-untrusted": (Family.TRUST, False),
    "party-mismatch": (Family.TRUST, False),
    "certificate-expired": (Family.TRUST, False),
    "certificate-revoked": (Family.TRUST, False),
    "revocation-unknown": (Family.TRUST, True),
    "timestamp-invalid": (Family.TRUST, False),
    "stale": (Family.TRUST, False),
    "future-dated": (Family.TRUST, False),
    "id-conflict": (Family.TRUST, False),
    "unauthenticated": (Family.ACCESS, False),
    "forbidden": (Family.ACCESS, False),
    "rate-limited": (Family.ACCESS, True),
    "not-found": (Family.STATE, False),
    "conflict": (Family.STATE, False),
    "out-of-order": (Family.STATE, True),
    "precondition-failed": (Family.STATE, False),
    "key-reused": (Family.STATE, False),
    "in-flight": (Family.STATE, True),
    "unreachable": (Family.COUNTERPART, True),
    "timed-out": (Family.COUNTERPART, True),
    "bad-answer": (Family.COUNTERPART, True),
    "receipt-missing": (Family.COUNTERPART, True),
    "receipt-invalid": (Family.COUNTERPART, True),
    "refused": (Family.COUNTERPART, False),
    "unavailable": (Family.UNAVAILABLE, True),
    "internal": (Family.INTERNAL, True),
}


class GatewayError(Exception):
    """A named failure. `findings` holds all that was found, not only the first."""

    family: ClassVar[Family | None] = None

    def __init__(
        self,
        code: str,
        *findings: Finding,
        retry_after: float | None = None,
    ) -> None:
        """code: a code of this class's family. retry_after: seconds, when one is known."""
        family = CODES[code][0]
        if self.family is not None and family is not self.family:
            raise ValueError(f"{code} is of the family {family}, not {self.family}")
        super().__init__(code)
        self.code = code
        self.findings = findings
        self.retry_after = retry_after

    @property
    def retriable(self) -> bool:
        """True when the same bytes can succeed later."""
        return CODES[self.code][1]

    def __str__(self) -> str:
        places = "; ".join(f"{f.path or '-'}: {f.rule}" for f in self.findings[:3])
        return f"{self.code} ({places})" if places else self.code


class DocumentError(GatewayError):
    """The document is at fault; its sender must act."""

    family = Family.DOCUMENT


class MappingError(GatewayError):
    """The mapping table is at fault; its owner must act."""

    family = Family.MAPPING


class TrustError(GatewayError):
    """Signature, certificate or replay; security officers must act."""

    family = Family.TRUST


class AccessError(GatewayError):
    """The caller may not do this."""

    family = Family.ACCESS


class StateError(GatewayError):
    """The caller's request does not fit the state of the thing."""

    family = Family.STATE


class CounterpartError(GatewayError):
    """The counterpart did not answer as agreed."""

    family = Family.COUNTERPART


class UnavailableError(GatewayError):
    """Something here is down; the operator must act, the caller may retry."""

    family = Family.UNAVAILABLE


class InternalError(GatewayError):
    """A bug. Carries no detail to the outside."""

    family = Family.INTERNAL


FAMILIES: dict[Family, type[GatewayError]] = {
    cls.family: cls
    for cls in (
        DocumentError,
        MappingError,
        TrustError,
        AccessError,
        StateError,
        CounterpartError,
        UnavailableError,
        InternalError,
    )
}


def error(code: str, *findings: Finding, retry_after: float | None = None) -> GatewayError:
    """Make the error of the class that the code's family asks for."""
    return FAMILIES[CODES[code][0]](code, *findings, retry_after=retry_after)


def refusal(findings: list[Finding]) -> GatewayError | None:
    """Return one error that carries all findings, or None if none of them refuses.

    The code is that of the first refusing finding; warnings travel along.
    """
    first = next((f for f in findings if f.severity is Severity.REFUSE), None)
    return error(first.code, *findings) if first else None
