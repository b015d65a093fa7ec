"""Keys and certificates of the suite: read from files, or made for a run."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ARC = "2.25.316274093105849172263440582017394861527"
USAGES = {
    "message": f"{ARC}.1",
    "receipt": f"{ARC}.2",
    "statement": f"{ARC}.3",
    "head": f"{ARC}.4",
    "pack": f"{ARC}.5",
}
"""Extended key usages of the link (XP-TRU-003)."""

TLS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and its certificate (DER). private: of `cryptography`."""

    private: Any
    certificate: bytes

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the certificate."""
        return hashlib.sha256(self.certificate).hexdigest()

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write `stem.key.pem` (for its owner only) and `stem.cert.pem`; return both."""
        key, certificate = stem.with_suffix(".key.pem"), stem.with_suffix(".cert.pem")
        key.touch(mode=0o600)
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(self.private.private_bytes(*form))
        certificate.write_bytes(
            x509.load_der_x509_certificate(self.certificate).public_bytes(Encoding.PEM)
        )
        return key, certificate


def read(key: Path, certificate: Path, password: bytes | None = None) -> Key:
    """Read a PEM key and its PEM certificate. OSError, ValueError."""
    private = load_pem_private_key(key.read_bytes(), password)
    return Key(private, read_certificate(certificate))


def read_certificate(path: Path) -> bytes:
    """Return the DER of the first certificate of a PEM file. OSError, ValueError."""
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate should say. usages: OIDs of the extended key usage.

    lasts: from and until, relative to now. signs: the keyUsage bit digitalSignature.
    """

    name: str
    usages: Sequence[str | x509.ObjectIdentifier] = ()
    lasts: tuple[timedelta, timedelta] = (timedelta(hours=-1), timedelta(days=30))
    hosts: Sequence[str] = ()
    authority: bool = False
    signs: bool = True
    rsa_bits: int = 0
    curve: type[ec.EllipticCurve] = ec.SECP256R1


def make(wanted: Wanted, issuer: Key | None = None) -> Key:
    """Make a key and a certificate, signed by the issuer or by itself."""
    private: Any = (
        rsa.generate_private_key(65537, wanted.rsa_bits)
        if wanted.rsa_bits
        else ec.generate_private_key(wanted.curve())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.name)])
    above = x509.load_der_x509_certificate(issuer.certificate).subject if issuer else subject
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + wanted.lasts[0])
        .not_valid_after(now + wanted.lasts[1])
    )
    for extension, critical in _extensions(wanted):
        builder = builder.add_extension(extension, critical)
    signer = issuer.private if issuer else private
    made = builder.sign(signer, hashes.SHA256())
    return Key(private, made.public_bytes(Encoding.DER))


def _extensions(wanted: Wanted) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(wanted.authority, None), True),
        (
            x509.KeyUsage(
                digital_signature=wanted.signs,
                content_commitment=False,
                key_encipherment=not wanted.signs,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=wanted.authority,
                crl_sign=wanted.authority,
                encipher_only=False,
                decipher_only=False,
            ),
            True,
        ),
    ]
    if wanted.usages:
        oids = [u if isinstance(u, x509.ObjectIdentifier) else x509.ObjectIdentifier(u)
                for u in wanted.usages]  # fmt: skip
        found.append((x509.ExtendedKeyUsage(oids), False))
    if wanted.hosts:
        found.append((x509.SubjectAlternativeName([_host(h) for h in wanted.hosts]), False))
    return found


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
