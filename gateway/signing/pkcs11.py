"""A Signer whose private key never leaves a token (PKCS#11)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from pkcs11.mechanisms import MGF, Mechanism

from gateway.errors import Finding, UnavailableError
from gateway.signing.algorithms import (
    ALGORITHMS,
    ECDSA_SHA256,
    RSA_PSS_SHA256,
    RSA_SHA256,
    algorithm_for,
)
from gateway.signing.certificates import public_key
from gateway.signing.keys import fingerprint, load_certificate
from gateway.signing.pkcs11_token import KeyRef, Token

_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2 note 1)."""

_MECHANISMS: Mapping[str, tuple[bytes, dict[str, Any]]] = {
    # URI: (what stands before the digest, the token's mechanism)
    ECDSA_SHA256: (b"", {"mechanism": Mechanism.ECDSA}),
    RSA_SHA256: (_SHA256_PREFIX, {"mechanism": Mechanism.RSA_PKCS}),
    RSA_PSS_SHA256: (
        b"",
        {
            "mechanism": Mechanism.RSA_PKCS_PSS,
            "mechanism_param": (Mechanism.SHA256, MGF.SHA256, hashlib.sha256().digest_size),
        },
    ),
}


def digest_signature(token: Token, key: KeyRef, algorithm: str, message: bytes) -> bytes:
    """Return the value (ECDSA: r || s) of a message, hashed here and signed in the token.

    algorithm: one of the URIs that tokens sign here, else KeyError. UnavailableError.
    """
    before, mechanism = _MECHANISMS[algorithm]
    return token.sign(key, before + hashlib.sha256(message).digest(), **mechanism)


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A Signer with a key in a token. Everything but `sign` works while the token is away."""

    key_id: str
    certificate: bytes
    algorithm: str
    _token: Token
    _key: KeyRef
    _public: Any

    def sign(self, message: bytes) -> bytes:
        """Return the signature value of a message; only its digest reaches the token.

        What leaves was verified with the certificate. UnavailableError `hsm`, `hsm-pin`,
        `hsm-busy`, `hsm-key` (also: the key there is not of this certificate).
        """
        value = digest_signature(self._token, self._key, self.algorithm, message)
        try:
            ALGORITHMS[self.algorithm].verify(self._public, value, message)
        except InvalidSignature as fault:
            finding = Finding("unavailable", "hsm-key", f"key {self._key}")
            raise UnavailableError("unavailable", finding) from fault
        return value

    def __repr__(self) -> str:
        return f"TokenSigner({self.key_id[:16]}, {self._key})"


def token_signer(
    token: Token, key: KeyRef, certificate: Path, algorithm: str | None = None
) -> TokenSigner:
    """Make a Signer of a key in a token and its certificate (PEM file).

    algorithm: None takes the first that fits. UnavailableError `key-file` (certificate) or
    `key` (tokens sign RSA and P-256 here). The token itself is not asked.
    """
    try:
        der = load_certificate(certificate.read_bytes())
        public = public_key(der)
    except (OSError, ValueError) as fault:
        finding = Finding("unavailable", "key-file", str(certificate))
        raise UnavailableError("unavailable", finding) from fault
    uri = algorithm or algorithm_for(public) or ""
    if uri not in _MECHANISMS or not ALGORITHMS[uri].fits(public):
        raise UnavailableError("unavailable", Finding("unavailable", "key", str(certificate)))
    return TokenSigner(fingerprint(der), der, uri, token, key, public)
