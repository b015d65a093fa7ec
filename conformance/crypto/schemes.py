"""Signature mathematics of the suite, also of what no profile allows."""

import hashlib
import hmac
import warnings
from typing import Any

import gmalg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from conformance.crypto import shapes
from conformance.crypto.shapes import Layout

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_DIGESTS = {
    shapes.SHA256: hashlib.sha256,
    shapes.SHA1: hashlib.sha1,
    shapes.MD5: hashlib.md5,
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    shapes.ECDSA_SHA256: hashes.SHA256(),
    shapes.ECDSA_SHA1: hashes.SHA1(),  # noqa: S303  a wrong message needs it
    shapes.RSA_SHA256: hashes.SHA256(),
    shapes.RSA_SHA1: hashes.SHA1(),  # noqa: S303
    shapes.RSA_MD5: hashes.MD5(),  # noqa: S303
    shapes.RSA_PSS_SHA256: hashes.SHA256(),
}


def digest(uri: str, octets: bytes) -> bytes:
    """Return a digest by its URI; KeyError for one that is not known."""
    if uri == shapes.SM3_2022:
        state = gmalg.SM3()
        state.update(octets)
        return bytes(state.value())
    return _DIGESTS[uri](octets).digest()


def method_of(private: Any) -> str:
    """Return the SignatureMethod that fits a key."""
    if isinstance(private, rsa.RSAPrivateKey):
        return shapes.RSA_PSS_SHA256
    return shapes.ECDSA_SHA256


def sign(private: Any, message: bytes, layout: Layout) -> bytes:
    """Return a signature value as the layout asks for it."""
    method = layout.method or method_of(private)
    if method == shapes.HMAC_SHA256:
        public = private.public_key().public_numbers()
        return hmac.digest(str(public).encode(), message, "sha256")
    chosen = _HASHES[method]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SHA-1 and MD5 are wrong on purpose
        if isinstance(private, ec.EllipticCurvePrivateKey):
            der = private.sign(message, ec.ECDSA(chosen))
            return der if layout.der else raw(der, (private.key_size + 7) // 8)
        scheme = _PSS if method == shapes.RSA_PSS_SHA256 else padding.PKCS1v15()
        return bytes(private.sign(message, scheme, chosen))


def raw(der: bytes, size: int) -> bytes:
    """Return r || s of a DER value, each of `size` octets."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verifies(public: Any, method: str, value: bytes, message: bytes) -> bool:
    """Tell whether a value is a signature by a method of the exchange profile."""
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            if method != shapes.ECDSA_SHA256 or len(value) != 64:
                return False
            der = encode_dss_signature(
                int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
            )
            public.verify(der, message, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048:
            pss = method == shapes.RSA_PSS_SHA256
            if not pss and method != shapes.RSA_SHA256:
                return False
            scheme = _PSS if pss else padding.PKCS1v15()
            public.verify(value, message, scheme, hashes.SHA256())
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True
