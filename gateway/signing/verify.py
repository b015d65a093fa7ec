"""Verify a document and hand out only what was signed.

1 preflight   the shape of the signature, before any mathematics
2 trust       the certificate is pinned, or vouched for, for this party, usage and instant
3 signature   over the real C14N of SignedInfo
4 digest      over the real C14N of the document without the signature
5 ids         no value stands in two id attributes

Where a profile asks for two signatures, the last one, which covers the first, goes through
steps 1 to 4 and is taken out; then the first one is judged as if it were alone.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from lxml import etree

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n
from gateway.signing import diagnose
from gateway.signing.algorithms import ALGORITHMS, DIGESTS, SHA256, raw_of
from gateway.signing.preflight import Parts, preflight
from gateway.signing.profiles import SignatureProfile, ValueForm
from gateway.signing.trust import TrustedKey, TrustPolicy

_IDS = re.compile(rb'=(?:(?<= Id=)|(?<= ID=)|(?<= id=)|(?<= xml:id=))"([^"]*)"')
_ID_ATTRIBUTES = etree.XPath("//@Id | //@ID | //@id | //@xml:id")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trusted key signed.

    element: the root, now without the signature. party: whom the key belongs to.
    fingerprint: hex SHA-256 of the certificate. algorithm: SignatureMethod URI. digest: hex
    SHA-256 of the signed canonical octets, whatever the signature's own digest is; with the
    message id it is the key of duplicates. second: fingerprint of the second signature's
    certificate, empty where the profile asks for one signature. chains: for each signature the
    certificate (DER) and those above it, as far as they are known. content: the signed octets:
    the inclusive C14N of the element.
    """

    element: etree._Element
    party: str
    fingerprint: str
    algorithm: str
    digest: str
    second: str = ""
    chains: tuple[tuple[bytes, ...], ...] = ()
    content: bytes = field(default=b"", repr=False, compare=False)


def verify_document(root: etree._Element, policy: TrustPolicy, at: datetime) -> Verified:
    """Verify the enveloped signature, or both, over a whole document.

    The tree is taken over: its signature is removed from it, and the caller goes on with
    `Verified.element` alone. TrustError when anything at all is not as agreed; its finding's
    rule names the cause where one is known (`gateway.signing.diagnose`). UnavailableError when
    it cannot be judged here (no libcrypto for SM2).
    """
    try:
        return _verify(root, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        name = type(unexpected).__name__
        finding = Finding("signature-invalid", "unexpected", "ds:Signature", found=name)
        raise TrustError("signature-invalid", finding) from unexpected


def _verify(root: etree._Element, policy: TrustPolicy, at: datetime) -> Verified:
    profile, second = policy.profile, None
    if profile.second:
        second, _ = _last(root, profile.second, policy, at, count=2)
    first, content = _last(root, profile, policy, at)
    if second and second.party != first.party:
        finding = Finding("party-mismatch", "two-parties", "ds:Signature", second.party)
        raise TrustError("party-mismatch", finding)
    _check_ids(root, content)
    if second is None:
        return first
    return replace(first, second=second.fingerprint, chains=first.chains + second.chains)


def _last(
    root: etree._Element,
    profile: SignatureProfile,
    policy: TrustPolicy,
    at: datetime,
    count: int = 1,
) -> tuple[Verified, bytes]:
    """Verify the last signature and take it out. Return what it says and what it covers."""
    parts = preflight(root, profile, count)
    key = policy.signer(parts.certificate, at, parts.method)
    check_value(parts, key, profile)
    content = _without_signature(root, parts)
    digest = DIGESTS[parts.digest_method](content)
    if digest != parts.digest:
        _refuse("digest", diagnose.digest_cause(root, content, parts))
    if parts.digest_method != SHA256:
        digest = hashlib.sha256(content).digest()
    verified = Verified(
        root,
        key.party,
        key.fingerprint,
        parts.method,
        digest.hex(),
        chains=(key.chain,),
        content=content,
    )
    return verified, content


def check_value(parts: Parts, key: TrustedKey, profile: SignatureProfile) -> None:
    """Verify SignatureValue over the canonical SignedInfo. TrustError `signature-invalid`, with
    the cause where one is known."""
    message = parts.message or c14n(parts.signed_info)
    algorithm = ALGORITHMS[parts.method]
    try:
        value = parts.value
        if profile.value is ValueForm.DER and algorithm.size:
            value = raw_of(value, algorithm.size)
        algorithm.verify(key.public_key, value, message, profile.user_id)
    except (InvalidSignature, ValueError):
        _refuse("signature-value", diagnose.value_cause(parts, key, message, profile))


def _without_signature(root: etree._Element, parts: Parts) -> bytes:
    """Take the signature out (text behind it is signed and stays) and return the C14N."""
    signature = parts.signature
    if tail := signature.tail:
        before = signature.getprevious()
        if before is None:
            root.text = (root.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    root.remove(signature)
    return c14n(root)


def _check_ids(root: etree._Element, content: bytes) -> None:
    """The octets tell cheaply whether a value may stand twice; the tree tells for sure."""
    found = _IDS.findall(content)
    if len(found) == len(set(found)):
        return
    values = _ID_ATTRIBUTES(root)
    if isinstance(values, list) and len(values) != len(set(map(str, values))):
        finding = Finding("signature-scope", "duplicate-id", "//@Id")
        raise TrustError("signature-scope", finding)


def _refuse(rule: str, cause: Finding | None) -> NoReturn:
    first = Finding("signature-invalid", rule, "ds:Signature")
    raise TrustError("signature-invalid", *([cause, first] if cause else [first]))
