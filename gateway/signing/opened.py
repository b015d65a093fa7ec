"""What is left when a signed document has been opened, and the time it counts as signed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Finding, TrustError

AHEAD = timedelta(minutes=5)
"""How far a signer's clock may be ahead of ours (XP-CLK)."""


class Proof(StrEnum):
    """How the time of signing is known: an authority's timestamp, the signer's word, which
    counts only while it is young, or when we received it, where neither is there."""

    TIMESTAMP = "timestamp"
    CLAIMED = "claimed"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a trusted key signed.

    content: the signed octets, and the only ones to go on with: for XML the canonical form
    without the signature. party: whom the key belongs to. chain: certificates (DER), the
    signer's first. algorithm: SignatureMethod URI. digest: hex SHA-256 of the content. signed_at,
    proof: when; certificates were judged at that instant. token: the timestamp, or nothing.
    Certificates and contents hold personal values: they never show in a log.
    """

    content: bytes = field(repr=False)
    party: str
    fingerprint: str
    chain: tuple[bytes, ...] = field(repr=False)
    algorithm: str
    digest: str
    signed_at: datetime
    proof: Proof
    token: bytes = field(default=b"", repr=False)

    @property
    def chains(self) -> tuple[tuple[bytes, ...], ...]:
        """The chain of each signer: here there is one."""
        return (self.chain,)

    @property
    def proven(self) -> datetime | None:
        """When it was certainly signed by; None without a timestamp."""
        return self.signed_at if self.proof is Proof.TIMESTAMP else None

    @property
    def claimed(self) -> datetime | None:
        """When the signer says it was signed; None when nothing says so, or a timestamp does."""
        return self.signed_at if self.proof is Proof.CLAIMED else None


def claimed_time(claimed: datetime, at: datetime, oldest: timedelta) -> datetime:
    """Return the time that a signer states, when it may be believed.

    at: now. TrustError `future-dated`, or `stale`: without a timestamp nobody but the signer
    says that the key was good then.
    """
    if claimed > at + AHEAD:
        _refuse("future-dated", claimed, at)
    if claimed < at - oldest:
        _refuse("stale", claimed, at - oldest)
    return claimed


def _refuse(code: str, found: datetime, expected: datetime) -> None:
    stated, limit = (each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (found, expected))
    raise TrustError(code, Finding(code, "signing-time", "SigningTime", stated, limit))
