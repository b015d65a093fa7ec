"""Why a form that an agency signed does not verify: the common causes, each by name.

Only for the words of a refusal; nothing here makes a signature valid.
"""

import hashlib
from collections.abc import Iterator

from lxml import etree

from gateway.errors import Finding
from gateway.safexml import c14n
from gateway.signing import cms, diagnose
from gateway.signing.algorithms import DIGESTS
from gateway.signing.exact import octets_of
from gateway.signing.preflight import Parts
from gateway.signing.profiles import SignatureProfile
from gateway.signing.smime_mime import SignedMime
from gateway.signing.trust import TrustedKey
from gateway.signing.xades_preflight import XadesParts


def smime_cause(parts: cms.SignedParts, mime: SignedMime) -> Finding | None:
    """Return what else a CMS digest is over than the first part, or None."""
    stated = parts.attributes[cms.MESSAGE_DIGEST].native
    for rule, octets in _other_texts(mime):
        if hashlib.new(parts.digest, octets).digest() == stated:
            return Finding("signature-invalid", rule, "multipart/signed")
    return None


def _other_texts(mime: SignedMime) -> Iterator[tuple[str, bytes]]:
    yield "smime-body-alone", mime.content
    yield "smime-last-line", mime.signed + b"\r\n"
    yield "smime-last-line", mime.signed.removesuffix(b"\r\n")
    yield "smime-lf", mime.signed.replace(b"\r\n", b"\n")
    yield "smime-lf", mime.content.replace(b"\r\n", b"\n")


def xades_cause(
    root: etree._Element, parts: XadesParts, key: TrustedKey, profile: SignatureProfile, rule: str
) -> Finding | None:
    """Return why a XAdES signature is not valid, or None. rule: `digest`, `signature-value`,
    what was found. The tree may be changed."""
    info = parts.signature[0]
    *_, method, value = info[2]
    stated = Parts(
        parts.signature,
        info,
        parts.method,
        method.get("Algorithm", ""),
        octets_of(value),
        octets_of(parts.value, ("Id",)),
        parts.certificates[0],
    )
    if rule == "signature-value":
        return diagnose.value_cause(stated, key, c14n(info), profile)
    root.remove(parts.signature)
    content = c14n(root)
    if DIGESTS[stated.digest_method](content) == stated.digest:
        return Finding("signature-invalid", "properties-digest", "xades:SignedProperties")
    return diagnose.digest_cause(root, content, stated)
