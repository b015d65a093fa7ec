"""Was the signer's certificate revoked when it signed: the stapled CRLs and OCSP answers."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from conformance.verifier import keys
from conformance.verifier.keys import Anchors
from conformance.verifier.verdict import ABSENT, OK, Failed

_SKEW = timedelta(minutes=5)
_COMPROMISED = {
    x509.ReasonFlags.key_compromise,
    x509.ReasonFlags.ca_compromise,
    x509.ReasonFlags.aa_compromise,
}


def check(
    octets: Callable[[str], bytes | None],
    prefix: str,
    signers: list[bytes],
    at: datetime,
    anchors: Anchors,
) -> str:
    """octets: documents of the message by role. at: when the signers, one or two, signed."""
    stated, pem = octets(prefix + "revocation-status"), octets(prefix + "chain")
    if stated is None or pem is None:
        return ABSENT
    said = json.loads(stated)
    chains = _chains([c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)])
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    if sorted(chain[0] for chain in chains) != sorted(signers):
        raise Failed("status-chain")
    if len(said["certificates"]) != len(pairs):
        raise Failed("status-chain")
    if any(chain[-1] not in anchors.authorities for chain in chains):
        raise Failed("status-issuer")
    for number, (der, issuer) in enumerate(pairs):
        facts = said["certificates"][number]
        content = octets(f"{prefix}revocation-{number + 1}") or b""
        if hashlib.sha256(content).hexdigest() != facts["digest"]:
            raise Failed("status-digest")
        asked = datetime.fromisoformat(said["at"])
        read = _by_list if facts["kind"] == "crl" else _by_answer
        since = read(content, der, issuer, asked)
        if since is not None and since <= at:
            raise Failed("status-revoked")
    return OK


def _chains(certificates: list[bytes]) -> list[list[bytes]]:
    """Part the chains of two signers: one ends where the next certificate did not issue it."""
    chains: list[list[bytes]] = []
    for der in certificates:
        try:
            if not chains:
                raise Failed("status-chain")
            _issued(chains[-1][-1], der)
            chains[-1].append(der)
        except Failed:
            chains.append([der])
    return chains


def _issued(der: bytes, issuer: bytes) -> None:
    below = asn1.Certificate.load(der)
    if below.issuer.dump() != asn1.Certificate.load(issuer).subject.dump():
        raise Failed("status-chain")
    tbs, value = below["tbs_certificate"].dump(), below["signature_value"].native
    hashed = _hash_of(x509.load_der_x509_certificate(der))
    _signed(keys.public_key(issuer), value, tbs, hashed)


def _hash_of(signed: Any) -> Any:
    try:
        return signed.signature_hash_algorithm
    except UnsupportedAlgorithm:  # SM2 with SM3
        return None


def _signed(key: Any, value: bytes, content: bytes, hashed: Any) -> None:
    try:
        if isinstance(key, bytes):
            good = keys.verify_sm2_der(key, value, content)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, content, ec.ECDSA(hashed))
            good = True
        else:
            key.verify(value, content, padding.PKCS1v15(), hashed)
            good = True
    except (InvalidSignature, ValueError, TypeError):
        good = False
    if not good:
        raise Failed("status-signature")


def _times(asked: datetime, made: datetime, ends: datetime | None) -> None:
    if made > asked + _SKEW or (ends is not None and ends < made):
        raise Failed("status-future")


def _by_list(content: bytes, der: bytes, issuer: bytes, asked: datetime) -> datetime | None:
    """Return since when the signatures do not count, by a CRL."""
    found = x509.load_der_x509_crl(content)
    if found.issuer != x509.load_der_x509_certificate(issuer).subject:
        raise Failed("status-issuer")
    tbs = found.tbs_certlist_bytes
    _signed(keys.public_key(issuer), found.signature, tbs, _hash_of(found))
    _times(asked, found.last_update_utc, found.next_update_utc)
    serial = x509.load_der_x509_certificate(der).serial_number
    entry = found.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    extensions: dict[Any, Any] = {each.oid: each.value for each in entry.extensions}
    reason, early = extensions.get(x509.CRLReason.oid), extensions.get(x509.InvalidityDate.oid)
    if reason is not None and early is not None and reason.reason in _COMPROMISED:
        since: datetime = min(entry.revocation_date_utc, early.invalidity_date_utc)
        return since
    return entry.revocation_date_utc


def _by_answer(content: bytes, der: bytes, issuer: bytes, asked: datetime) -> datetime | None:
    """Return the same by an OCSP answer of the issuer, or of a responder that it made."""
    answer = ocsp.load_der_ocsp_response(content)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Failed("status-refused")
    serial = x509.load_der_x509_certificate(der).serial_number
    single = next((s for s in answer.responses if s.serial_number == serial), None)
    if single is None:
        raise Failed("status-unknown")
    responder = _responder(answer, issuer)
    hashed = _hash_of(answer)
    _signed(responder, answer.signature, answer.tbs_response_bytes, hashed)
    _times(asked, single.this_update_utc, single.next_update_utc)
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise Failed("status-unknown")
    return single.revocation_time_utc


def _responder(answer: ocsp.OCSPResponse, issuer: bytes) -> Any:
    for each in answer.certificates:
        der = each.public_bytes(Encoding.DER)
        if der == issuer:
            break
        _issued(der, issuer)
        usages = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in usages:
            return keys.public_key(der)
    return keys.public_key(issuer)
