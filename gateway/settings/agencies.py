"""[agency.NAME]: domestic systems, what they hand in, how it is signed, what they take."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from gateway.settings.trust import PartyTrust
from gateway.settings.values import Duration, File, Section
from gateway.signing.profiles import PROFILES, Shape


class AgencyPin(Section):
    """[[agency.NAME.signed.pinned]] A certificate that signs the agency's documents, in a
    window that may be narrower than its own."""

    certificate: File
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None


class SignedDocuments(Section):
    """[[agency.NAME.signed]] Documents that the agency signs: one that is not signed so is
    refused.

    signature: a profile of gateway.signing.profiles. formats: which documents; none: all.
    legacy: its switch; SHA-1 needs it. pinned: by whom. trust: beside the pins. oldest: how old
    a signing time without a timestamp may be. stamped: XAdES without a timestamp is refused.
    """

    signature: str
    formats: frozenset[str] = frozenset()
    legacy: bool = False
    pinned: tuple[AgencyPin, ...] = ()
    trust: PartyTrust = Field(default={}, validate_default=True)
    stamped: bool = False
    oldest: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(days=1)

    @model_validator(mode="after")
    def _can_be_verified(self) -> Self:
        found = PROFILES.get(self.signature)
        if found is None:
            raise ValueError(f"signature must be one of: {', '.join(sorted(PROFILES))}")
        if not (found.methods or self.legacy):
            raise ValueError(f"{self.signature} needs legacy = true")
        if self.stamped and found.shape is not Shape.XADES:
            raise ValueError("stamped is for XAdES: no other form holds a timestamp")
        if not (self.pinned or self.trust.names):
            raise ValueError("nobody could sign: pin a certificate, or name authorities in trust")
        return self
