"""What the octets of a revocation source say, once they verify."""

from datetime import datetime

from gateway.flows.ports_revocation import KeptStatus
from gateway.signing.revocation import Kind, Status
from gateway.signing.revocation_crl import crl_status, read_crl
from gateway.signing.revocation_ocsp import read_ocsp
from gateway.signing.revocation_sources import Wanted


def verified_answer(wanted: Wanted, octets: bytes, now: datetime) -> KeptStatus:
    """Verify an answer and return it as it is kept; TrustError `revocation-unknown`.

    One that has ended is kept too: what it says is revoked stays so, and how stale the rest
    may be is for the rule to say."""
    if wanted.kind is Kind.OCSP:
        status = read_ocsp(octets, wanted.certificate, wanted.issuer, now, wanted.url)
        return KeptStatus(wanted, status.digest, status.this_update, status.next_update, now)
    crl = read_crl(octets, wanted.issuer, now)
    return KeptStatus(wanted, crl.digest, crl.this_update, crl.next_update, now)


def said(place: Wanted, octets: bytes, certificate: bytes, issuer: bytes, now: datetime) -> Status:
    """Return what the octets of a source's answer say of a certificate; TrustError
    `revocation-unknown` when they do not verify."""
    if place.kind is Kind.OCSP:
        return read_ocsp(octets, certificate, issuer, now, place.url)
    return crl_status(read_crl(octets, issuer, now), certificate, place.url)
