"""How a CMS signature value is computed: RSA (PKCS#1 and PSS) and ECDSA with SHA-2.

A further scheme is one more kind. SHA-1 is named here, but nothing takes it unless a profile
with the legacy switch says so.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gateway.errors import Finding, TrustError

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303  verified only behind a legacy switch
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""By the names that asn1crypto and hashlib use."""
SHA2 = ("sha256", "sha384", "sha512")
PKCS1, PSS, ECDSA = "rsassa_pkcs1v15", "rsassa_pss", "ecdsa"
_KINDS: dict[str, tuple[str, str | None]] = {
    PKCS1: (PKCS1, None),  # the plain RSA key OID: the hash is that of the digest
    PSS: (PSS, None),
    **{f"{name}_rsa": (PKCS1, name) for name in HASHES},
    **{f"{name}_ecdsa": (ECDSA, name) for name in SHA2},
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """kind: PKCS1, PSS or ECDSA. digest: a name of `HASHES`."""

    kind: str
    digest: str


def scheme_of(algorithm: Any, digest: str, code: str) -> Scheme:
    """Return the scheme of a SignerInfo: its signatureAlgorithm and its digest's name.

    TrustError (rule `cms-algorithm`) when it is not known, or both disagree.
    """
    name = algorithm["algorithm"].native
    kind, stated = _KINDS.get(name, ("", None))
    if not kind or digest not in HASHES or (stated or digest) != digest:
        _refuse(code, f"{name} {digest}")
    if kind == PSS:
        _check_pss(algorithm["parameters"].native, digest, code)
    return Scheme(kind, digest)


def _check_pss(parameters: Any, digest: str, code: str) -> None:
    """The hash, MGF1 with that hash, and a salt as long: what RFC 4056 asks for."""
    mask = parameters["mask_gen_algorithm"]
    stated = (
        parameters["hash_algorithm"]["algorithm"],
        mask["algorithm"],
        mask["parameters"]["algorithm"],
        parameters["salt_length"],
    )
    if stated != (digest, "mgf1", digest, HASHES[digest].digest_size):
        _refuse(code, "rsassa_pss parameters")


def verify_value(key: Any, scheme: Scheme, value: bytes, message: bytes) -> None:
    """Verify a value (ECDSA: DER) with a key of `cryptography`; raises InvalidSignature."""
    digest = HASHES[scheme.digest]
    if scheme.kind == ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(value, message, ec.ECDSA(digest))
    elif scheme.kind == PKCS1 and isinstance(key, rsa.RSAPublicKey):
        key.verify(value, message, padding.PKCS1v15(), digest)
    elif scheme.kind == PSS and isinstance(key, rsa.RSAPublicKey):
        salt = padding.PSS.DIGEST_LENGTH
        key.verify(value, message, padding.PSS(padding.MGF1(digest), salt), digest)
    else:
        raise InvalidSignature


def _refuse(code: str, found: str) -> NoReturn:
    raise TrustError(code, Finding(code, "cms-algorithm", "SignerInfo", found=found))
