"""Signers: the only things that sign. A file key here; a token or another algorithm is
another class with the same face."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.errors import Finding, UnavailableError
from gateway.signing import certificates, sm2
from gateway.signing.algorithms import ALGORITHMS, Algorithm, algorithm_for
from gateway.signing.sm2_curve import USER_ID


class Signer(Protocol):
    """Something that holds a private key."""

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the certificate."""
        ...

    @property
    def certificate(self) -> bytes:
        """The certificate, DER."""
        ...

    @property
    def algorithm(self) -> str:
        """A SignatureMethod URI."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the value as it travels (ECDSA, SM2: r || s); UnavailableError when the key
        cannot be reached now."""
        ...


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A Signer whose private key is in memory. user_id: of SM2, what the profile says."""

    key_id: str
    certificate: bytes
    algorithm: str
    _key: Any
    _algorithm: Algorithm
    user_id: bytes = USER_ID

    def sign(self, message: bytes) -> bytes:
        """Return the signature value of a message."""
        return self._algorithm.sign(self._key, message, self.user_id)

    def __repr__(self) -> str:
        return f"KeySigner({self.key_id[:16]})"


def fingerprint(certificate: bytes) -> str:
    """Return the hex SHA-256 of a DER certificate: its name in pins, logs and statements."""
    return hashlib.sha256(certificate).hexdigest()


def key_signer(
    key: Any, certificate: bytes, algorithm: str | None = None, user_id: bytes = USER_ID
) -> KeySigner:
    """Make a Signer of a private key and its DER certificate.

    algorithm: None takes the first that fits the key. user_id: of SM2. UnavailableError when
    the certificate is not of this key, or the key is of a kind or size that is not allowed.
    """
    public = key.public_key()
    if certificates.spki(certificates.public_key(certificate)) != certificates.spki(public):
        _unusable("key-certificate-pair")
    uri = algorithm or algorithm_for(public)
    entry = ALGORITHMS.get(uri or "")
    if entry is None or not entry.fits(public):
        _unusable("key")
    return KeySigner(fingerprint(certificate), certificate, entry.uri, key, entry, user_id)


def load_signer(
    key: Path,
    certificate: Path,
    password: bytes | None,
    algorithm: str | None = None,
    user_id: bytes = USER_ID,
) -> KeySigner:
    """Read a PEM key (PKCS#8, encrypted when a password is given) and its PEM certificate.

    UnavailableError with the rule `key-file`, `key-certificate-pair` or `key`; it never holds
    anything of the file.
    """
    try:
        private = load_key(key.read_bytes(), password)
        der = load_certificate(certificate.read_bytes())
    except (OSError, ValueError, TypeError):
        _unusable("key-file", str(key))
    return key_signer(private, der, algorithm, user_id)


def load_key(pem: bytes, password: bytes | None) -> Any:
    """Return the private key of a PEM: of `cryptography`, or `Sm2PrivateKey`.

    ValueError or TypeError when it cannot be read or the password is not right.
    """
    try:
        return load_pem_private_key(pem, password)
    except UnsupportedAlgorithm:
        return sm2.load_private(pem, password)


def load_certificate(pem: bytes) -> bytes:
    """Return the DER of one PEM certificate; ValueError when it is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def write_key(key: Any, path: Path, password: bytes | None) -> None:
    """Write a private key as PKCS#8 PEM that only its owner can read; it never overwrites."""
    if isinstance(key, sm2.Sm2PrivateKey):
        pem = key.pem(password)
    else:
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(pem)


def _unusable(rule: str, path: str = "") -> NoReturn:
    raise UnavailableError("unavailable", Finding("unavailable", rule, path))
