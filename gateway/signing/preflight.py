"""The shape of a signature, checked before any of its mathematics.

One whole-document signature: the only ds:Signature there is, last child of the root, one
Reference to the document, the profile's transforms and nothing else, one certificate. Each
list of children and attributes is exact; what a profile does not name is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from gateway.safexml import XML_NAMESPACE
from gateway.signing.exact import (
    algorithm_of,
    children_of,
    elements_of,
    octets_of,
    path_of,
    refuse,
)
from gateway.signing.profiles import DSIG, KeyInfo, SignatureProfile
from gateway.signing.usual import taken

SIGNATURE = f"{{{DSIG}}}Signature"
_ID_NAMES = ("Id", "ID", "id", f"{{{XML_NAMESPACE}}}id")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a well-shaped signature holds. digest: of the Reference, made with digest_method.
    value: as it travels. message: the C14N of SignedInfo, b"" where it is not at hand."""

    signature: etree._Element
    signed_info: etree._Element
    method: str
    digest_method: str
    digest: bytes
    value: bytes
    certificate: bytes
    message: bytes = b""


def preflight(root: etree._Element, profile: SignatureProfile, count: int = 1) -> Parts:
    """Take a signature apart. count: how many there must be, of which this is the last.

    TrustError `signature-missing`, `signature-scope` (a shape that the profile does not
    name), `algorithm-not-allowed`, `signature-invalid` (a value that is not base64).
    """
    signature = the_signature(root, count, profile.methods)
    if usual := taken(signature, profile):
        message, uri, digest_method, digest, octets, certificate = usual
        info = signature[0]
        return Parts(signature, info, uri, digest_method, digest, octets, certificate, message)
    return shaped(signature, root, profile)


def shaped(signature: etree._Element, root: etree._Element, profile: SignatureProfile) -> Parts:
    """Take a signature of any form apart, one check after the other. Errors of `preflight`."""
    info, value, key_info = children_of(signature, ("SignedInfo", "SignatureValue", "KeyInfo"))
    c14n, method, reference = children_of(
        info, ("CanonicalizationMethod", "SignatureMethod", "Reference")
    )
    algorithm_of(c14n, (profile.c14n,))
    uri = algorithm_of(method, profile.methods, profile.legacy_methods)
    digest_method, digest = _reference(reference, root, profile)
    return Parts(
        signature,
        info,
        uri,
        digest_method,
        digest,
        octets_of(value),
        _certificate(key_info, profile),
    )


def the_signature(root: etree._Element, count: int, methods: Sequence[str] = ()) -> etree._Element:
    """Return the last child of the root, which is a signature. Where there must be two, the
    other one stands just before it; there are no more. methods: of the last one, to say which
    one is missing."""
    if root.getprevious() is not None or root.getnext() is not None:
        refuse("signature-scope", "markup-outside-root", "/")
    found: list[etree._Element] = []
    for node in root.iter(SIGNATURE, etree.Comment, etree.ProcessingInstruction):
        if node.tag != SIGNATURE:
            refuse("signature-scope", "comment", f"line {node.sourceline}")
        found.append(node)
    if not found:
        refuse("signature-missing", "signature-missing")
    if len(found) > count:
        refuse("signature-scope", "one-signature", found=str(len(found)), expected=str(count))
    if found != list(root)[-len(found) :]:
        refuse("signature-scope", "last-child-of-root")
    if len(found) < count:
        stated = found[0].xpath("string(*/*[local-name()='SignatureMethod']/@Algorithm)")
        rule = "first-signature" if stated in methods else "second-signature"
        refuse("signature-missing", rule, found="1", expected="2")
    return found[-1]


def _reference(
    reference: etree._Element, root: etree._Element, profile: SignatureProfile
) -> tuple[str, bytes]:
    """Return the digest of the one Reference, which covers the root, and how it was made."""
    transforms, method, value = children_of(
        reference, ("Transforms", "DigestMethod", "DigestValue"), attributes=("URI",)
    )
    uri = reference.get("URI")
    if uri != "" and uri not in ["#" + root.get(name, "") for name in _ID_NAMES if root.get(name)]:
        refuse("signature-scope", "reference", f"{path_of(reference)}/@URI", expected='""')
    listed = [algorithm_of(entry, profile.transforms) for entry in elements_of(transforms)]
    if tuple(listed) != profile.transforms:
        expected = ", ".join(profile.transforms)
        refuse("signature-scope", "transforms", path_of(transforms), expected=expected)
    used = algorithm_of(method, profile.digests, profile.legacy_digests)
    return used, octets_of(value)


def _certificate(key_info: etree._Element, profile: SignatureProfile) -> bytes:
    if profile.key_info is KeyInfo.NAMED and len(key_info) > 1:
        name, x509 = children_of(key_info, ("KeyName", "X509Data"))
        if len(name) or name.keys():
            refuse("signature-scope", "children", path_of(name))
    else:
        (x509,) = children_of(key_info, ("X509Data",))
    (certificate,) = children_of(x509, ("X509Certificate",))
    return octets_of(certificate)
