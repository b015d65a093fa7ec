"""OCSP (RFC 6960): the question, and the answer verified.

An answer is believed when the issuer signed it, or a responder that the issuer made one.
Refusals are TrustErrors `revocation-unknown`.
"""

import hashlib
from datetime import datetime
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.signing import certificates
from gateway.signing.certificates import public_key, signed_by
from gateway.signing.keys import fingerprint
from gateway.signing.path import extension
from gateway.signing.revocation import Kind, State, Status
from gateway.signing.revocation_proof import UNREADABLE, check_times, is_signed, refuse

_ID_HASHES = {"sha1", "sha256", "sha384", "sha512"}


def ocsp_request(certificate: bytes, issuer: bytes) -> bytes:
    """Return an OCSP request (DER) for a certificate, without a nonce: its freshness is that
    of the answer's times, so that responders may answer from a store."""
    name, key = (hashlib.sha1(part, usedforsecurity=False).digest() for part in _issuer_id(issuer))
    serial = certificates.load(certificate).serial_number
    # SHA-1 only names the issuer here; RFC 5019 responders know nothing else.
    known_to_all = hashes.SHA1()  # noqa: S303
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, known_to_all)
    return builder.build().public_bytes(Encoding.DER)


def read_ocsp(
    content: bytes, certificate: bytes, issuer: bytes, now: datetime, source: str
) -> Status:
    """Verify an OCSP answer (DER) and return what it says of a certificate.

    TrustError `revocation-unknown`, rules `ocsp-form`, `ocsp-refused` (the responder answers
    with an error), `ocsp-serial` (about another certificate), `ocsp-responder` (signed by
    nobody whom the issuer authorised), `ocsp-signature`, `status-future`.
    """
    try:
        return _verified(content, certificate, issuer, now, source)
    except UNREADABLE:
        refuse("ocsp-form")


def _verified(
    content: bytes, certificate: bytes, issuer: bytes, now: datetime, source: str
) -> Status:
    answer = _read_answer(content)
    issuer_name, issuer_key = _issuer_id(issuer)
    serial = certificates.load(certificate).serial_number
    single = next(
        (s for s in answer.responses if _is_about(s, serial, issuer_name, issuer_key)), None
    )
    if single is None:
        refuse("ocsp-serial")
    key = _responder(answer, issuer, issuer_name, issuer_key, now)
    algorithm = answer.signature_algorithm_oid.dotted_string
    if not is_signed(key, answer.signature, answer.tbs_response_bytes, _hash(answer), algorithm):
        refuse("ocsp-signature")
    check_times(now, single.this_update_utc, single.next_update_utc)
    return _ocsp_status(single, fingerprint(certificate), fingerprint(issuer), content, source)


def _read_answer(content: bytes) -> ocsp.OCSPResponse:
    answer = ocsp.load_der_ocsp_response(content)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        refuse("ocsp-refused", answer.response_status.name.lower())
    if any(each.critical for each in answer.extensions):
        refuse("ocsp-form", "a critical extension")
    return answer


def _issuer_id(issuer: bytes) -> tuple[bytes, bytes]:
    """Return the name (DER) and the key's bits of an issuer, which answers name by digest."""
    try:
        read = asn1.Certificate.load(issuer)["tbs_certificate"]
        bits = bytes(read["subject_public_key_info"]["public_key"].contents[1:])
        return bytes(read["subject"].dump()), bits
    except (KeyError, TypeError) as odd:  # an algorithm that asn1crypto has no class for
        raise ValueError("a kind of key that is not known") from odd


def _is_about(single: ocsp.OCSPSingleResponse, serial: int, name: bytes, key: bytes) -> bool:
    try:
        algorithm = single.hash_algorithm.name
    except UnsupportedAlgorithm:
        return False
    if algorithm not in _ID_HASHES or single.serial_number != serial:
        return False
    found = (single.issuer_name_hash, single.issuer_key_hash)
    return found == tuple(hashlib.new(algorithm, each).digest() for each in (name, key))


def _responder(
    answer: ocsp.OCSPResponse, issuer: bytes, name: bytes, key: bytes, now: datetime
) -> Any:
    """Return the key that the answer is to be verified with: the issuer's, or a delegate's."""
    if _is_responder(answer, name, key):
        return public_key(issuer)
    for certificate in answer.certificates:
        der = certificate.public_bytes(Encoding.DER)
        if _is_responder(answer, *_issuer_id(der)) and _is_delegate(certificate, issuer, now):
            return public_key(der)
    return refuse("ocsp-responder")


def _is_responder(answer: ocsp.OCSPResponse, name: bytes, key: bytes) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name.public_bytes() == name
    return answer.responder_key_hash == hashlib.sha1(key, usedforsecurity=False).digest()


def _is_delegate(certificate: x509.Certificate, issuer: bytes, now: datetime) -> bool:
    """Made by the issuer for this (RFC 6960, 4.2.2.2), valid now, and free of the question
    whether it is revoked itself: nobody else could be asked."""
    usage = extension(certificate, x509.ExtendedKeyUsage)
    return (
        usage is not None
        and ExtendedKeyUsageOID.OCSP_SIGNING in usage
        and extension(certificate, x509.OCSPNoCheck) is not None
        and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        and signed_by(certificate.public_bytes(Encoding.DER), issuer)
    )


def _ocsp_status(
    single: ocsp.OCSPSingleResponse, certificate: str, issuer: str, content: bytes, source: str
) -> Status:
    state = {
        ocsp.OCSPCertStatus.GOOD: State.GOOD,
        ocsp.OCSPCertStatus.REVOKED: State.REVOKED,
        ocsp.OCSPCertStatus.UNKNOWN: State.UNKNOWN,
    }[single.certificate_status]
    reason = single.revocation_reason.value if single.revocation_reason else ""
    return Status(
        state, certificate, issuer, Kind.OCSP, source, hashlib.sha256(content).hexdigest(),
        single.this_update_utc, single.next_update_utc, single.revocation_time_utc, reason,
    )  # fmt: skip


def _hash(answer: ocsp.OCSPResponse) -> hashes.HashAlgorithm | None:
    try:
        return answer.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
