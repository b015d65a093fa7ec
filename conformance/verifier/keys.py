"""The anchors, and whether a key may sign: pinned for the usage, valid when it signed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.verifier.verdict import Failed

ARC = "2.25.316274093105849172263440582017394861527."
USAGES = ("message", "receipt", "statement", "head", "pack")
DSIG, MORE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmldsig-more#"
PSS, PORT = (
    "http://www.w3.org/2007/05/xmldsig-more#",
    "http://www.chinaport.gov.cn/2022/04/xmldsig#",
)
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"256": "secp256r1", "384": "secp384r1", "512": "secp521r1"}
SM2_USER = b"1234567812345678"


@dataclass(frozen=True)
class Pin:
    """A certificate that a party may sign with, for one usage."""

    party: str
    usage: str
    der: bytes
    name: str  # hex SHA-256 of the certificate


@dataclass(frozen=True)
class Anchors:
    """What is believed. pins: by usage and name."""

    pins: dict[tuple[str, str], Pin]
    authorities: tuple[bytes, ...]
    stampers: tuple[bytes, ...]

    def judge(self, usage: str, name: str, at: datetime) -> Pin:
        """Return the pin of a certificate; Failed unless it may sign so at that time."""
        pin = self.pins.get((usage, name))
        if pin is None:
            raise Failed("not-pinned", name)
        certificate = x509.load_der_x509_certificate(pin.der)
        if not _may_sign(certificate, usage):
            raise Failed("key-usage", name)
        if at > certificate.not_valid_after_utc:
            raise Failed("expired", name)
        if at < certificate.not_valid_before_utc:
            raise Failed("not-yet-valid", name)
        return pin


def load(folder: Path) -> Anchors:
    """Read the folder; ValueError for a file that has no place in it."""
    pins: dict[tuple[str, str], Pin] = {}
    others: dict[str, tuple[bytes, ...]] = {"authorities": (), "tsa": ()}
    for file in sorted(folder.iterdir()):
        found = x509.load_pem_x509_certificates(file.read_bytes())
        ders = tuple(each.public_bytes(Encoding.DER) for each in found)
        party, _, usage = file.stem.rpartition("-")
        if file.stem in others:
            others[file.stem] = ders
        elif file.suffix == ".pem" and party and usage in USAGES:
            for der in ders:
                name = hashlib.sha256(der).hexdigest()
                pins[usage, name] = Pin(party, usage, der, name)
        else:
            raise ValueError(f"{file.name}: neither PARTY-USAGE.pem, authorities.pem nor tsa.pem")
    return Anchors(pins, others["authorities"], others["tsa"])


def _may_sign(certificate: x509.Certificate, usage: str) -> bool:
    extensions = {each.oid: each.value for each in certificate.extensions}
    key_usage: Any = extensions.get(x509.KeyUsage.oid)
    if key_usage is not None and not key_usage.digital_signature:
        return False
    extended: Any = extensions.get(x509.ExtendedKeyUsage.oid)
    if extended is None:
        return True
    named = [each.dotted_string for each in extended]
    if any(each.startswith(ARC) for each in named):
        return f"{ARC}{USAGES.index(usage) + 1}" in named
    return not set(named) <= {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}


def methods_of(der: bytes) -> list[str]:
    """Return the XMLDSig methods that a certificate's key can have signed by."""
    key = public_key(der)
    if isinstance(key, bytes):
        return [PORT + "sm2-sm3", DSIG + "sm2-sm3"]
    if isinstance(key, ec.EllipticCurvePublicKey):
        return [f"{MORE}ecdsa-sha{n}" for n, curve in _CURVES.items() if curve == key.curve.name]
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return [f"{uri}{n}{end}" for n in _HASHES for uri, end in _RSA]
    return []


_RSA = ((PSS + "sha", "-rsa-MGF1"), (MORE + "rsa-sha", ""))


def public_key(der: bytes) -> Any:
    """Return a key of `cryptography`, or the 65 octets of an SM2 point."""
    try:
        return x509.load_der_x509_certificate(der).public_key()
    except (UnsupportedAlgorithm, ValueError):
        spki = asn1.Certificate.load(der).public_key
        if spki["algorithm"]["parameters"].native != "1.2.156.10197.1.301":
            raise
        return bytes(spki["public_key"])


def verify(der: bytes, method: str, value: bytes, message: bytes) -> None:
    """Verify a value as it travels (r || s for curves); Failed `signature-value`."""
    if method not in methods_of(der):
        raise Failed("algorithm", method[:100])
    key = public_key(der)
    try:
        if isinstance(key, bytes):
            good = _sm2(key, value, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_pair(value, key.curve), message, ec.ECDSA(_HASHES[method[-3:]]))
            good = True
        else:
            _rsa(key, method, value, message)
            good = True
    except (InvalidSignature, ValueError):
        good = False
    if not good:
        raise Failed("signature-value")


def _pair(value: bytes, curve: ec.EllipticCurve) -> bytes:
    size = (curve.key_size + 7) // 8
    if len(value) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(
        int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    )


def _rsa(key: rsa.RSAPublicKey, method: str, value: bytes, message: bytes) -> None:
    if method.startswith(PSS):
        chosen = _HASHES[method[len(PSS) + 3 :][:3]]
        pss = padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH)
        key.verify(value, message, pss, chosen)
    else:
        key.verify(value, message, padding.PKCS1v15(), _HASHES[method[-3:]])


def _sm2(point: bytes, value: bytes, message: bytes) -> bool:
    import gmalg  # only where a certificate has such a key

    if len(value) != 64:
        return False
    return bool(gmalg.SM2(uid=SM2_USER, pk=point).verify(message, value[:32], value[32:]))


def verify_sm2_der(point: bytes, value: bytes, message: bytes) -> bool:
    """Verify an SM2 signature of a certificate or a list, which is DER."""
    r, s = decode_dss_signature(value)
    return _sm2(point, r.to_bytes(32, "big") + s.to_bytes(32, "big"), message)
