"""[trust], [counterpart.NAME.trust]: whom we believe, and how we learn of what was revoked."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.settings.values import Duration, File, Positive, Section
from gateway.signing.path import check_name

MOST_GRACE = timedelta(days=7)
"""A status that is staler than this is worth nothing, whoever agreed to it."""

PartyName = Annotated[str, AfterValidator(check_name)]
SourceUrl = Annotated[str, Field(pattern=r"^https?://[^/]+")]


class TrustSection(Section):
    """[trust] How revocation sources are asked. refresh: how often, off the request path.
    deadline: of one question as a whole. max_bytes: of an answer; CRLs can be long."""

    refresh: Duration = timedelta(minutes=15)
    deadline: Duration = timedelta(seconds=3)
    max_bytes: Positive = 20_000_000


class PartyTrust(Section):
    """[counterpart.NAME.trust] Beside the pins, or instead of some of them.

    anchors, intermediates: authorities (PEM files, one or more certificates each) that issue
    the party's signing certificates. names: with them a certificate need not be pinned: one of
    an anchor that carries the usage of the link and one of these names is the party's.
    revocation: require, grace or off; off for pins alone. grace: how long a stale status still
    counts. max_age: an older status is stale. crls, ocsps: URLs for the signing certificates;
    authority_crls: for the intermediates. from_certificates: URLs in certificates are followed
    too. fetch: a missing status is fetched while the message waits. overlap: how long two pins
    of one usage may be good side by side.
    """

    anchors: tuple[File, ...] = ()
    intermediates: tuple[File, ...] = ()
    names: tuple[PartyName, ...] = ()
    revocation: Literal["require", "grace", "off"] = "require"
    grace: Annotated[Duration, Field(gt=timedelta(0), le=MOST_GRACE)] | None = None
    max_age: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(days=8)
    crls: tuple[SourceUrl, ...] = ()
    ocsps: tuple[SourceUrl, ...] = ()
    authority_crls: tuple[SourceUrl, ...] = ()
    from_certificates: bool = False
    fetch: bool = True
    overlap: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(days=90)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.revocation == "grace") != (self.grace is not None):
            raise ValueError('grace and revocation = "grace" go together')
        if (self.names or self.intermediates) and not self.anchors:
            raise ValueError("names and intermediates need anchors")
        if self.revocation == "off":
            self._check_off()
        elif not self.anchors:
            raise ValueError(
                "nobody could be asked whether a certificate was revoked: name the authorities "
                'in anchors, or write revocation = "off" and take a pin away instead'
            )
        elif not (self.crls or self.ocsps or self.from_certificates):
            raise ValueError("revocation needs crls, ocsps or from_certificates = true")
        return self

    def _check_off(self) -> None:
        if self.names:
            raise ValueError(
                'revocation = "off" is for pins alone: what an authority issues by name could '
                "never be taken back"
            )
        if self.crls or self.ocsps or self.authority_crls or self.from_certificates:
            raise ValueError('revocation = "off" asks no sources')
