"""Make certificates and requests for SM2 keys.

The builders of `cryptography` know neither the keys nor the signature. They make everything
else, over a key that stands in; then key and signature are put in their place.
"""

from functools import cache
from typing import Any

from asn1crypto import algos, csr, keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.signing.algorithms import der_of
from gateway.signing.certificates import SM2_WITH_SM3, spki
from gateway.signing.sm2 import Sm2PrivateKey


def sign_certificate(
    builder: x509.CertificateBuilder, public: object, issuer: Sm2PrivateKey
) -> x509.Certificate:
    """Return the certificate of a public key of any kind, signed with SM2.

    builder: all but the public key.
    """
    draft = builder.public_key(_stand_in().public_key()).sign(_stand_in(), hashes.SHA256())
    read = asn1.Certificate.load(draft.public_bytes(Encoding.DER))
    body = read["tbs_certificate"]
    body["subject_public_key_info"] = keys.PublicKeyInfo.load(spki(public))
    body["signature"] = _algorithm()
    return x509.load_der_x509_certificate(_signed(read, body, issuer, "signature_value"))


def sign_request(
    builder: x509.CertificateSigningRequestBuilder, key: Sm2PrivateKey
) -> x509.CertificateSigningRequest:
    """Return a certification request (PKCS#10) for an SM2 key, signed with it."""
    draft = builder.sign(_stand_in(), hashes.SHA256())
    read = csr.CertificationRequest.load(draft.public_bytes(Encoding.DER))
    body = read["certification_request_info"]
    body["subject_pk_info"] = keys.PublicKeyInfo.load(key.public.spki)
    return x509.load_der_x509_csr(_signed(read, body, key, "signature"))


def _signed(whole: Any, body: Any, key: Sm2PrivateKey, value: str) -> bytes:
    whole["signature_algorithm"] = _algorithm()
    whole[value] = der_of(key.sign(body.dump(force=True)))
    return bytes(whole.dump(force=True))


def _algorithm() -> Any:
    """sm2-with-SM3, without parameters."""
    return algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})


@cache
def _stand_in() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
