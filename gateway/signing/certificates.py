"""Keys and signatures of X.509 certificates, of all the algorithms that we know.

`cryptography` reads SM2 certificates, but neither their keys nor their signatures. Whatever
needs the key of a certificate asks here.
"""

from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.signing import sm2
from gateway.signing.algorithms import raw_of
from gateway.signing.sm2 import Sm2PublicKey
from gateway.signing.sm2_curve import SIZE

SM2_CURVE = "1.2.156.10197.1.301"
SM2_WITH_SM3 = "1.2.156.10197.1.501"

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def public_key(der: bytes) -> Any:
    """Return the public key of a certificate: `Sm2PublicKey`, or a key of `cryptography`.

    ValueError when the certificate cannot be read or its key is of no kind that we know.
    """
    spki = _spki(der)
    if spki.startswith(sm2.SPKI_HEAD):
        return sm2.public_key(spki[len(sm2.SPKI_HEAD) :])
    try:
        return x509.load_der_x509_certificate(der).public_key()
    except UnsupportedAlgorithm as unknown:
        raise ValueError("a kind of key that is not known") from unknown


def spki(key: Any) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a public key: equal for equal keys."""
    if isinstance(key, Sm2PublicKey):
        return key.spki
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def signed_by(der: bytes, issuer_der: bytes) -> bool:
    """Return whether a certificate names the other one as its issuer and carries a valid
    signature of its key: RSA and ECDSA with SHA-2, SM2 with SM3.

    Validity, usage and length of the path are not looked at: `path_sm2`, `trust`. ValueError
    when one of the two cannot be read; UnavailableError without a libcrypto for SM2.
    """
    certificate, issuer = (x509.load_der_x509_certificate(each) for each in (der, issuer_der))
    key = public_key(issuer_der)
    if certificate.issuer != issuer.subject:
        return False
    if isinstance(key, Sm2PublicKey):
        return _signed_with_sm2(certificate, key)
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return _signed_with_sha2(certificate, issuer)
    return False


def _signed_with_sha2(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not isinstance(certificate.signature_hash_algorithm, _HASHES):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _signed_with_sm2(certificate: x509.Certificate, key: Sm2PublicKey) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    read = asn1.Certificate.load(der, strict=True)
    named = {
        read["signature_algorithm"]["algorithm"].dotted,
        read["tbs_certificate"]["signature"]["algorithm"].dotted,
    }
    if named != {SM2_WITH_SM3}:
        return False
    try:
        key.verify(raw_of(certificate.signature, SIZE), certificate.tbs_certificate_bytes)
    except (InvalidSignature, ValueError):
        return False
    return True


def _spki(der: bytes) -> bytes:
    return bytes(
        asn1.Certificate.load(der, strict=True)["tbs_certificate"]["subject_public_key_info"].dump()
    )
