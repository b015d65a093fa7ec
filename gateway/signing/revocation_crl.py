"""Certificate revocation lists (RFC 5280, section 5): verified, and asked about a certificate.

Nothing of a list is believed before the signature of the issuer is. Refusals are TrustErrors
`revocation-unknown`; whoever fetched the octets tries again, or another source.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from gateway.signing.certificates import public_key
from gateway.signing.keys import fingerprint
from gateway.signing.path import extension
from gateway.signing.revocation import Kind, State, Status
from gateway.signing.revocation_proof import UNREADABLE, check_times, is_signed, refuse


@dataclass(frozen=True, slots=True)
class Crl:
    """A verified list. issuer: DER of the authority that signed it."""

    digest: str
    issuer: bytes
    read: x509.CertificateRevocationList

    @property
    def this_update(self) -> datetime:
        """When it was made."""
        return self.read.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When the next one is due."""
        return self.read.next_update_utc


def read_crl(content: bytes, issuer: bytes, now: datetime) -> Crl:
    """Verify a CRL (DER) of an issuer. Its age is not judged here.

    TrustError `revocation-unknown`, rules `crl-form`, `crl-issuer` (another authority's),
    `crl-signature`, `crl-extension` (critical and not known; a delta or an indirect list),
    `status-future` (made later than now, beyond `SKEW`).
    """
    try:
        return _verified(content, issuer, now)
    except UNREADABLE:
        refuse("crl-form")


def _verified(content: bytes, issuer: bytes, now: datetime) -> Crl:
    crl = x509.load_der_x509_crl(content)
    authority = x509.load_der_x509_certificate(issuer)
    if crl.issuer.public_bytes() != authority.subject.public_bytes():
        refuse("crl-issuer")
    usage = extension(authority, x509.KeyUsage)
    signed = is_signed(
        public_key(issuer), crl.signature, crl.tbs_certlist_bytes, _hash(crl),
        crl.signature_algorithm_oid.dotted_string,
    )  # fmt: skip
    if not signed or (usage is not None and not usage.crl_sign):
        refuse("crl-signature")
    _check_crl_extensions(list(crl.extensions))
    check_times(now, crl.last_update_utc, crl.next_update_utc)
    return Crl(hashlib.sha256(content).hexdigest(), issuer, crl)


def crl_status(crl: Crl, certificate: bytes, source: str) -> Status:
    """Return what a verified list says of a certificate of its issuer; `unknown` when the
    list does not cover it. TrustError `crl-form` when its entry cannot be read."""
    try:
        return _status(crl, certificate, source)
    except UNREADABLE:
        refuse("crl-form")


def _status(crl: Crl, certificate: bytes, source: str) -> Status:
    read = x509.load_der_x509_certificate(certificate)
    state, revoked_at, reason, since = State.GOOD, None, "", None
    if not _covers(crl.read, read):
        state = State.UNKNOWN
    entry = crl.read.get_revoked_certificate_by_serial_number(read.serial_number)
    if entry is not None:
        state, revoked_at = State.REVOKED, entry.revocation_date_utc
        reason, since = _why(entry)
    return Status(
        state, fingerprint(certificate), fingerprint(crl.issuer), Kind.CRL, source, crl.digest,
        crl.this_update, crl.next_update, revoked_at, reason, since,
    )  # fmt: skip


def _check_crl_extensions(listed: list[x509.Extension[Any]]) -> None:
    for each in listed:
        if isinstance(each.value, x509.IssuingDistributionPoint):
            point = each.value
            if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
                refuse("crl-extension", "issuingDistributionPoint")
        elif each.critical:
            refuse("crl-extension", each.oid.dotted_string)


def _covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """A list may be for authorities only, for others only, or for one distribution point."""
    try:
        point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    constraints = extension(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if (point.only_contains_ca_certs and not authority) or (
        point.only_contains_user_certs and authority
    ):
        return False
    if point.full_name is None and point.relative_name is None:
        return True
    named = extension(certificate, x509.CRLDistributionPoints)
    of_certificate = [name for each in named or () for name in each.full_name or ()]
    return any(name in of_certificate for name in point.full_name or ())


def _why(entry: x509.RevokedCertificate) -> tuple[str, datetime | None]:
    reason, since = "", None
    for each in entry.extensions:
        if isinstance(each.value, x509.CRLReason):
            reason = each.value.reason.value
        elif isinstance(each.value, x509.InvalidityDate):
            since = each.value.invalidity_date_utc
    return reason, since


def _hash(crl: x509.CertificateRevocationList) -> hashes.HashAlgorithm | None:
    try:
        return crl.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
