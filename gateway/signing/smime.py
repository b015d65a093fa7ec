"""S/MIME for VNACCS: multipart/signed with a detached CMS signature over the EDI text.

1 MIME    the strict shape (`smime_mime`)
2 CMS     one signer, signed attributes (`cms`); its digest is the one that micalg names
3 time    the signing time that is stated, if any, is young enough
4 trust   the certificate is pinned for this party and usage at that instant
5 digest and value over the first part, headers included
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from gateway.errors import Finding, GatewayError, TrustError
from gateway.signing import cms
from gateway.signing.algorithms import RSA_SHA1
from gateway.signing.cms_schemes import PKCS1, Scheme
from gateway.signing.cms_sign import SCHEMES, sign_detached
from gateway.signing.form_causes import smime_cause
from gateway.signing.keys import Signer
from gateway.signing.opened import Opened, Proof, claimed_time
from gateway.signing.profiles import SignatureProfile
from gateway.signing.rolling import settled
from gateway.signing.smime_mime import SignedMime, read_signed
from gateway.signing.trust import TrustedKey, TrustPolicy

METHODS = {scheme: uri for uri, scheme in SCHEMES.items()} | {Scheme(PKCS1, "sha1"): RSA_SHA1}
_MICALGS = {
    "sha1": ("sha1", "sha-1"),
    "sha256": ("sha-256", "sha256"),
    "sha384": ("sha-384", "sha384"),
    "sha512": ("sha-512", "sha512"),
}
_LINE = 64


def open_smime(octets: bytes, policy: TrustPolicy, at: datetime) -> Opened:
    """Verify a multipart/signed and return the body of its first part.

    octets: the whole entity, from its Content-Type header on. TrustError with the codes of
    `read_signed`, `cms.take_apart`, `claimed_time` and `TrustPolicy.signer`;
    `algorithm-not-allowed` (rules `algorithm`, `legacy-switch`), `signature-invalid` (rule
    `mime-micalg`).
    """
    try:
        return _open(octets, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        finding = Finding("signature-invalid", "unexpected", "", type(unexpected).__name__)
        raise TrustError("signature-invalid", finding) from unexpected


def _open(octets: bytes, policy: TrustPolicy, at: datetime) -> Opened:
    mime = read_signed(octets)
    parts = cms.take_apart(mime.signature)
    _check_detached(parts, mime)
    method = _method(parts.scheme, policy.profile)
    when, proof = _time(parts, policy.profile, at)
    key = policy.signer(parts.certificate, when, method)
    _verify(parts, mime, key)
    digest = hashlib.sha256(mime.content).hexdigest()
    return Opened(mime.content, key.party, key.fingerprint, key.chain, method, digest, when, proof)


def _verify(parts: cms.SignedParts, mime: SignedMime, key: TrustedKey) -> None:
    try:
        cms.verify_parts(parts, mime.signed, key.public_key)
    except TrustError as refused:
        if refused.findings[0].rule == "cms-digest" and (cause := smime_cause(parts, mime)):
            raise TrustError(refused.code, cause, *refused.findings) from refused
        raise


def _check_detached(parts: cms.SignedParts, mime: SignedMime) -> None:
    if parts.content is not None or parts.content_type != cms.DATA:
        _refuse("signature-scope", "cms-detached", parts.content_type, cms.DATA)
    if mime.micalg not in _MICALGS[parts.digest]:
        _refuse("signature-invalid", "mime-micalg", mime.micalg[:40], _MICALGS[parts.digest][0])


def _method(scheme: Scheme, profile: SignatureProfile) -> str:
    uri = METHODS.get(scheme, f"{scheme.kind} {scheme.digest}")
    if uri not in profile.methods:
        rule = "legacy-switch" if uri in profile.legacy_methods else "algorithm"
        _refuse("algorithm-not-allowed", rule, uri, ", ".join(profile.methods))
    return uri


def _time(
    parts: cms.SignedParts, profile: SignatureProfile, at: datetime
) -> tuple[datetime, Proof]:
    stated = parts.attributes.get(cms.SIGNING_TIME)
    if stated is None:
        return at, Proof.RECEIVED
    return claimed_time(stated.native, at, profile.oldest), Proof.CLAIMED


def sign_smime(
    content: bytes, signer: Signer, at: datetime, boundary: str, chain: Sequence[bytes] = ()
) -> bytes:
    """Return an EDI text as multipart/signed.

    content: UTF-8, lines ended by CRLF (ValueError else). boundary: must not stand in it; 32
    random characters do. chain: certificates (DER) above the signer's, to send along.
    TrustError and UnavailableError as `sign_detached`.
    """
    plain = content.replace(b"\r\n", b"")
    if b"\n" in plain or b"\r" in plain or boundary.encode() in content:
        raise ValueError("not a text whose lines end with CRLF, or the boundary stands in it")
    content.decode("utf-8")
    head = "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    signed, signer = head.encode() + content, settled(signer)
    signature = base64.b64encode(sign_detached(signed, signer, at, chain))
    lines = [signature[at : at + _LINE] for at in range(0, len(signature), _LINE)]
    micalg = _MICALGS[SCHEMES[signer.algorithm].digest][0]
    form = {b"boundary": boundary.encode(), b"micalg": micalg.encode()}
    return _OUTER % form + signed + _SIGNATURE % form + b"\r\n".join(lines) + _END % form


_OUTER = (
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; '
    b'micalg="%(micalg)b"; boundary="%(boundary)b"\r\n\r\n--%(boundary)b\r\n'
)
_SIGNATURE = (
    b"\r\n--%(boundary)b\r\n"
    b'Content-Type: application/x-pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)
_END = b"\r\n--%(boundary)b--\r\n"


def _refuse(code: str, rule: str, found: str, expected: str) -> NoReturn:
    raise TrustError(code, Finding(code, rule, "multipart/signed", found, expected))
