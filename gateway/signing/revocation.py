"""Was a certificate revoked, and when: what is known, how old it is, what follows.

A `Status` is what one CRL or one OCSP answer says of one certificate. `judge` is pure: status,
rule and times in; the standing, or a TrustError, out. Nothing is fetched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from gateway.errors import Finding, TrustError

SKEW = timedelta(minutes=5)
"""How far the clock of a source may be ahead of ours."""

_COUNTS_FROM_INVALIDITY = frozenset({"keyCompromise", "cACompromise", "aACompromise"})


class State(StrEnum):
    """What a source says. unknown: it says nothing, or that it does not know."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a status comes from."""

    CRL = "crl"
    OCSP = "ocsp"
    NONE = "none"


class Mode(StrEnum):
    """require: without a fresh status nothing is accepted. grace: a status that is stale by no
    more than agreed still counts, and that is recorded. off: the pin alone decides."""

    REQUIRE = "require"
    GRACE = "grace"
    OFF = "off"


class Standing(StrEnum):
    """What a judgement found. revoked-later: revoked, but after the proven signing time."""

    GOOD = "good"
    GRACE = "grace"
    REVOKED_LATER = "revoked-later"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Rule:
    """How the status of a party's certificates is judged, and where it comes from.

    grace: how long a status counts after it went stale (mode grace). max_age: a status older
    than this is stale, whatever it says of its next update. crls, ocsps: URLs that were agreed
    for the issuer of the signing certificates; authority_crls: for its own issuer, and so on.
    from_certificates: the URLs in valid certificates are used too. fetch: a status that is
    missing or stale is fetched at once, within the deadline; else only off the request path.
    """

    mode: Mode = Mode.REQUIRE
    grace: timedelta = timedelta(0)
    max_age: timedelta = timedelta(days=8)
    crls: tuple[str, ...] = ()
    ocsps: tuple[str, ...] = ()
    authority_crls: tuple[str, ...] = ()
    from_certificates: bool = False
    fetch: bool = True


PIN_ONLY = Rule(Mode.OFF)
"""Revocation is not asked: taking the pin away takes its place."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of one certificate.

    certificate, issuer: hex SHA-256 of their DER. source: a URL. digest: hex SHA-256 of the
    octets of the CRL or OCSP answer. reason: as RFC 5280 spells it. invalid_since: the date
    that the authority gives for when the key was no longer to be trusted.
    """

    state: State
    certificate: str
    issuer: str = ""
    kind: Kind = Kind.NONE
    source: str = ""
    digest: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""
    invalid_since: datetime | None = None

    @property
    def counts_from(self) -> datetime | None:
        """From when on signatures do not count: the revocation, or, of a key that somebody
        else had, the earlier date since when he had it. None: not revoked."""
        early = self.invalid_since if self.reason in _COUNTS_FROM_INVALIDITY else None
        known = [at for at in (self.revoked_at, early) if at is not None]
        return min(known, default=None)

    def stale_from(self, rule: Rule) -> datetime | None:
        """Return when this status goes stale. None: it never was one."""
        if self.this_update is None:
            return None
        aged = self.this_update + rule.max_age
        return aged if self.next_update is None else min(self.next_update, aged)

    def as_facts(self) -> dict[str, str]:
        """Return it as texts, for evidence; what is not known is left out."""
        times = {
            "thisUpdate": self.this_update,
            "nextUpdate": self.next_update,
            "revokedAt": self.revoked_at,
            "invalidSince": self.invalid_since,
        }
        texts = {
            "certificate": self.certificate,
            "issuer": self.issuer,
            "state": self.state.value,
            "kind": self.kind.value,
            "source": self.source,
            "digest": self.digest,
            "reason": self.reason,
        }
        known = {name: instant(at) for name, at in times.items() if at is not None}
        return {name: text for name, text in texts.items() if text} | known


def best(statuses: Sequence[Status], certificate: str) -> Status:
    """Return the one status to go by: revoked before all, else good and the youngest; what a
    younger list says of a hold that an older one had does count.

    A source that says nothing cannot hide what another one says.
    """
    oldest = datetime.min.replace(tzinfo=UTC)
    by_age = sorted(statuses, key=lambda s: s.this_update or oldest, reverse=True)
    good = next((s for s in by_age if s.state is State.GOOD), None)
    for status in by_age:
        if status.state is State.REVOKED and not _released(status, good):
            return status
    if good is not None:
        return good
    return by_age[0] if by_age else Status(State.UNKNOWN, certificate)


def judge(
    status: Status,
    rule: Rule,
    now: datetime,
    *,
    proven: datetime | None = None,
    claimed: datetime | None = None,
) -> Standing:
    """Say whether a signature counts, as far as revocation goes.

    now: the instant to judge at. proven: when it was certainly signed already (a timestamp
    token; when we had it before). claimed: what the signer says; it proves nothing, because
    whoever has the key can write any date. TrustError `certificate-revoked` (rules
    `revoked-before-signing`, `revoked-signing-unproven`), `revocation-unknown` (rules
    `status-missing`, `status-unknown`, `status-stale`).
    """
    if rule.mode is Mode.OFF:
        return Standing.NOT_ASKED
    if status.state is State.REVOKED:
        return _revoked(status, proven, claimed or now)
    stale_from = status.stale_from(rule)
    if stale_from is None:
        _unknown("status-missing", status)
    if status.state is State.UNKNOWN:
        _unknown("status-unknown", status)
    grace = rule.grace if rule.mode is Mode.GRACE else timedelta(0)
    if now > stale_from + grace:
        _unknown("status-stale", status, stale_from)
    return Standing.GOOD if now <= stale_from else Standing.GRACE


def instant(at: datetime) -> str:
    """Return a time as findings and facts spell it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _released(status: Status, good: Status | None) -> bool:
    """A hold ends when a younger list no longer has it; any other revocation is for good."""
    if status.reason != "certificateHold" or good is None:
        return False
    return good.this_update is not None and (
        status.this_update is None or good.this_update > status.this_update
    )


def _revoked(status: Status, proven: datetime | None, said: datetime) -> Standing:
    since = status.counts_from
    if proven is not None and since is not None and proven < since:
        return Standing.REVOKED_LATER
    late = since is None or (proven or said) >= since
    rule = "revoked-before-signing" if late else "revoked-signing-unproven"
    when = instant(since) if since else ""
    found = f"{when} {status.reason}".strip()
    finding = Finding("certificate-revoked", rule, "ds:Signature", found, instant(proven or said))
    raise TrustError("certificate-revoked", finding)


def _unknown(rule: str, status: Status, since: datetime | None = None) -> NoReturn:
    found = f"{status.kind} {instant(since)}" if since else str(status.kind)
    raise TrustError(
        "revocation-unknown", Finding("revocation-unknown", rule, "ds:Signature", found)
    )
