"""Make keys and certificates: one authority, one leaf per purpose.

For the demo, for tests, and for parties that pin self-signed leaves. It is no certification
authority: nothing is revoked here and no serial number is remembered.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.signing import sm2
from gateway.signing.sm2_certificates import sign_certificate, sign_request
from gateway.signing.trust import USAGE_OIDS, Usage


class Purpose(StrEnum):
    """What a certificate is for."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    STATEMENT = "statement"
    HEAD = "head"
    PACK = "pack"
    TLS_SERVER = "tls-server"
    TLS_CLIENT = "tls-client"


class KeyKind(StrEnum):
    """Kinds of keys that can be made here."""

    P256 = "ec-p256"
    RSA3072 = "rsa-3072"
    SM2 = "sm2"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names. unit: organisational unit, empty for none."""

    country: str
    organisation: str
    unit: str
    name: str

    def as_x509(self) -> x509.Name:
        """Return the distinguished name."""
        pairs = (
            (NameOID.COUNTRY_NAME, self.country),
            (NameOID.ORGANIZATION_NAME, self.organisation),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, self.unit),
            (NameOID.COMMON_NAME, self.name),
        )
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


@dataclass(frozen=True, slots=True)
class Issued:
    """A private key and the certificate of its public half."""

    key: Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


def new_key(kind: KeyKind) -> Any:
    """Make a private key."""
    if kind is KeyKind.P256:
        return ec.generate_private_key(ec.SECP256R1())
    if kind is KeyKind.SM2:
        return sm2.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def authority(
    subject: Subject,
    start: datetime,
    days: int,
    *,
    issuer: Issued | None = None,
    kind: KeyKind = KeyKind.P256,
    path_length: int = 0,
) -> Issued:
    """Make an authority.

    issuer: None makes it self-signed. path_length: how many authorities may stand between it
    and a leaf; with 0 it may issue leaves only.
    """
    key = new_key(kind)
    builder = (
        _builder(subject, key, start, days, issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    return _issued(builder, key, issuer)


def leaf(
    subject: Subject,
    purpose: Purpose,
    start: datetime,
    days: int,
    *,
    issuer: Issued | None = None,
    kind: KeyKind = KeyKind.P256,
    hosts: Sequence[str] = (),
    key: Any = None,
) -> Issued:
    """Make a key and its certificate for one purpose.

    issuer: None makes it self-signed, to be pinned. hosts: names and IP addresses of a server.
    key: one that is there already (of a file, of a token); kind is not looked at then.
    """
    key = key or new_key(kind)
    builder = (
        _builder(subject, key, start, days, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_purpose_oid(purpose)]), critical=False)
    )
    if hosts:
        builder = builder.add_extension(_names(hosts), critical=False)
    return _issued(builder, key, issuer)


def request(
    subject: Subject, purpose: Purpose, key: Any, hosts: Sequence[str] = ()
) -> x509.CertificateSigningRequest:
    """Make a certification request (PKCS#10, RFC 2986) that asks for what a certificate of
    this purpose needs: digitalSignature, its extended key usage, the names of a server."""
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.as_x509())
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_purpose_oid(purpose)]), critical=False)
    )
    if hosts:
        builder = builder.add_extension(_names(hosts), critical=False)
    if isinstance(key, sm2.Sm2PrivateKey):
        return sign_request(builder, key)
    return builder.sign(key, hashes.SHA256())


def _issued(builder: x509.CertificateBuilder, key: Any, issuer: Issued | None) -> Issued:
    signer, public = issuer.key if issuer else key, key.public_key()
    if isinstance(signer, sm2.Sm2PrivateKey):
        return Issued(key, sign_certificate(builder, public, signer))
    if isinstance(public, sm2.Sm2PublicKey):
        raise ValueError("an SM2 key is certified by an authority with an SM2 key")
    return Issued(key, builder.public_key(public).sign(signer, hashes.SHA256()))


def _builder(
    subject: Subject, key: Any, start: datetime, days: int, issuer: Issued | None
) -> x509.CertificateBuilder:
    """All but the public key, the extensions of a kind and the signature."""
    own, above = _key_identifier(key), _key_identifier(issuer.key if issuer else key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject.as_x509())
        .issuer_name(issuer.certificate.subject if issuer else subject.as_x509())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier(own), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(above, None, None), critical=False)
    )


def _key_identifier(key: Any) -> bytes:
    """SHA-1 of the public key (RFC 5280 4.2.1.2), a name and no protection."""
    public = key.public_key()
    if isinstance(public, sm2.Sm2PublicKey):
        return hashlib.sha1(public.point, usedforsecurity=False).digest()
    return x509.SubjectKeyIdentifier.from_public_key(public).digest


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _purpose_oid(purpose: Purpose) -> x509.ObjectIdentifier:
    if purpose is Purpose.TLS_SERVER:
        return ExtendedKeyUsageOID.SERVER_AUTH
    if purpose is Purpose.TLS_CLIENT:
        return ExtendedKeyUsageOID.CLIENT_AUTH
    return USAGE_OIDS[Usage(purpose.value)]


def _names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_host(host) for host in hosts])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
