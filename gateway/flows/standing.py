"""How the signer of a message stands, and what is kept of it beside the message.

The status that was gone by is stapled: whoever has the message's documents can judge its
signature as of that day, without asking anybody.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import Finding, TrustError
from gateway.flows.record import EVIDENCE, Paper, Step, step
from gateway.flows.revocation import Judged
from gateway.flows.services import Services
from gateway.signing.revocation import Kind, Mode, Standing, instant
from gateway.signing.trust import TrustPolicy

_MEDIA_TYPES = {
    Kind.CRL: "application/pkix-crl",
    Kind.OCSP: "application/ocsp-response",
}


class Signed(Protocol):
    """A verified signature, or several."""

    @property
    def chains(self) -> tuple[tuple[bytes, ...], ...]:
        """Of each signer the certificate (DER) and those above it."""
        ...


def standing_of(
    services: Services,
    policy: TrustPolicy,
    verified: Signed,
    *,
    claimed: datetime | None = None,
    proven: datetime | None = None,
) -> tuple[Judged, ...]:
    """Judge everybody who signed, as far as the party's rule asks for it.

    claimed, proven: when it was signed, as the signer says and as is certain. TrustError
    `certificate-revoked`, `revocation-unknown`.
    """
    if policy.revocation.mode is Mode.OFF:
        return ()
    if services.revocation is None:
        finding = Finding("revocation-unknown", "status-missing", "ds:Signature")
        raise TrustError("revocation-unknown", finding)
    check, rule = services.revocation.check, policy.revocation
    judged = [check(rule, chain, claimed=claimed, proven=proven) for chain in verified.chains]
    return tuple(each for each in judged if each is not None)


def papers_of(judged: Sequence[Judged], prefix: str = "") -> tuple[Paper, ...]:
    """Return what is stapled to a message: `revocation-status` (RFC 8785 JSON: standing, at,
    certificates), `revocation-N` (the octets behind its N-th entry) and `chain` (PEM, each
    signer's certificate first and his anchor last). Nothing when nobody was asked."""
    if not judged:
        return ()
    return tuple(_papers(judged, prefix))


def grace_step(
    services: Services, message_id: str, judged: Sequence[Judged], at: datetime
) -> Step | None:
    """Return the record of a message that was taken on a stale status; None: on a fresh one."""
    stale = [each for each in judged if each.standing is Standing.GRACE]
    if not stale:
        return None
    sources = sorted({status.source for each in stale for status in each.statuses})
    since = min(each.stale_since for each in stale if each.stale_since is not None)
    detail = {"sources": " ".join(sources)[:200], "stale-since": instant(since)}
    event = ("revocation-grace", detail)
    return step(services, "revocation-grace", message_id, at, {}, event=event)


def _papers(judged: Sequence[Judged], prefix: str) -> Iterator[Paper]:
    statuses = [status for each in judged for status in each.statuses]
    said = {
        "standing": _worst(judged).value,
        "at": instant(judged[0].at),
        "certificates": [dict(status.as_facts()) for status in statuses],
    }
    yield Paper(f"{prefix}revocation-status", rfc8785.dumps(said), "application/json", EVIDENCE)
    contents = [content for each in judged for content in each.contents]
    for number, (status, content) in enumerate(zip(statuses, contents, strict=True), 1):
        if content:
            media = _MEDIA_TYPES[status.kind]
            yield Paper(f"{prefix}revocation-{number}", content, media, EVIDENCE)
    pem = b"".join(_pem(der) for each in judged for der in each.chain)
    yield Paper(f"{prefix}chain", pem, "application/x-pem-file", EVIDENCE)


def _worst(judged: Sequence[Judged]) -> Standing:
    order = (Standing.REVOKED_LATER, Standing.GRACE, Standing.GOOD)
    found = {each.standing for each in judged}
    return next(standing for standing in order if standing in found)


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
