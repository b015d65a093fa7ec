"""The shape of a signature, checked before any of its mathematics.

One whole-document signature: the only ds:Signature there is, last child of the root, one
Reference to the document, the profile's transforms and nothing else, one certificate. Each
list of children and attributes is exact; what a profile does not name is refused.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from lxml import etree

from gateway.errors import Finding, TrustError
from gateway.safexml import XML_NAMESPACE
from gateway.signing.profiles import DSIG, KeyInfo, SignatureProfile

SIGNATURE = f"{{{DSIG}}}Signature"
_ID_NAMES = ("Id", "ID", "id", f"{{{XML_NAMESPACE}}}id")
_WHITE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a well-shaped signature holds. digest: of the Reference, made with digest_method.
    value: as it travels."""

    signature: etree._Element
    signed_info: etree._Element
    method: str
    digest_method: str
    digest: bytes
    value: bytes
    certificate: bytes


def preflight(root: etree._Element, profile: SignatureProfile, count: int = 1) -> Parts:
    """Take a signature apart. count: how many there must be, of which this is the last.

    TrustError `signature-missing`, `signature-scope` (a shape that the profile does not
    name), `algorithm-not-allowed`, `signature-invalid` (a value that is not base64).
    """
    signature = _the_signature(root, count)
    info, value, key_info = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"))
    c14n, method, reference = _children(
        info, ("CanonicalizationMethod", "SignatureMethod", "Reference")
    )
    _algorithm(c14n, (profile.c14n,))
    uri = _algorithm(method, profile.methods, profile.legacy_methods)
    digest_method, digest = _reference(reference, root, profile)
    return Parts(
        signature, info, uri, digest_method, digest, _octets(value), _certificate(key_info, profile)
    )


def _the_signature(root: etree._Element, count: int) -> etree._Element:
    """Return the last child of the root, which is a signature. Where there must be two, the
    other one stands just before it; there are no more."""
    if root.getprevious() is not None or root.getnext() is not None:
        _refuse("signature-scope", "markup-outside-root", "/")
    found: list[etree._Element] = []
    for node in root.iter(SIGNATURE, etree.Comment, etree.ProcessingInstruction):
        if node.tag != SIGNATURE:
            _refuse("signature-scope", "comment", f"line {node.sourceline}")
        found.append(node)
    if not found:
        _refuse("signature-missing", "signature-missing")
    if len(found) > count:
        _refuse("signature-scope", "one-signature", found=str(len(found)), expected=str(count))
    if found != list(root)[-len(found) :]:
        _refuse("signature-scope", "last-child-of-root")
    if len(found) < count:
        _refuse("signature-missing", "second-signature", found="1", expected="2")
    return found[-1]


def _reference(
    reference: etree._Element, root: etree._Element, profile: SignatureProfile
) -> tuple[str, bytes]:
    """Return the digest of the one Reference, which covers the root, and how it was made."""
    transforms, method, value = _children(
        reference, ("Transforms", "DigestMethod", "DigestValue"), attributes=("URI",)
    )
    uri = reference.get("URI")
    if uri != "" and uri not in ["#" + root.get(name, "") for name in _ID_NAMES if root.get(name)]:
        _refuse("signature-scope", "reference", f"{_path(reference)}/@URI", expected='""')
    listed = [_algorithm(entry, profile.transforms) for entry in _elements(transforms)]
    if tuple(listed) != profile.transforms:
        expected = ", ".join(profile.transforms)
        _refuse("signature-scope", "transforms", _path(transforms), expected=expected)
    used = _algorithm(method, profile.digests, profile.legacy_digests)
    return used, _octets(value)


def _certificate(key_info: etree._Element, profile: SignatureProfile) -> bytes:
    if profile.key_info is KeyInfo.NAMED and len(key_info) > 1:
        name, x509 = _children(key_info, ("KeyName", "X509Data"))
        if len(name) or name.keys():
            _refuse("signature-scope", "children", _path(name))
    else:
        (x509,) = _children(key_info, ("X509Data",))
    (certificate,) = _children(x509, ("X509Certificate",))
    return _octets(certificate)


def _children(
    element: etree._Element, names: tuple[str, ...], attributes: Sequence[str] = ()
) -> list[etree._Element]:
    """Return the child elements, which must be exactly these ds: names, in this order."""
    children = _elements(element)
    if [child.tag for child in children] != _qualified(names):
        _refuse("signature-scope", "children", _path(element), expected=" ".join(names))
    if list(element.keys()) != list(attributes):
        _refuse("signature-scope", "attributes", _path(element), expected=" ".join(attributes))
    return children


@lru_cache(maxsize=32)
def _qualified(names: tuple[str, ...]) -> list[str]:
    return [f"{{{DSIG}}}{name}" for name in names]


def _elements(element: etree._Element) -> list[etree._Element]:
    """Return the children; there may be whitespace between them, but no text."""
    children = list(element)
    for text in (element.text, *[child.tail for child in children]):
        if text and text.strip(_WHITE):
            _refuse("signature-scope", "text", _path(element))
    return children


def _algorithm(
    element: etree._Element, allowed: Sequence[str], switched: Sequence[str] = ()
) -> str:
    """Return the Algorithm of an empty element that has nothing else. switched: allowed only
    with the legacy switch, which is off."""
    name = element.get("Algorithm", "")
    if name not in allowed:
        rule = "legacy-switch" if name in switched else "algorithm"
        expected = ", ".join(allowed)
        _refuse("algorithm-not-allowed", rule, _path(element), name[:100], expected)
    if len(element) or (element.text or "").strip(_WHITE) or element.keys() != ["Algorithm"]:
        _refuse("signature-scope", "children", _path(element))
    return name


def _octets(element: etree._Element) -> bytes:
    """Return what a leaf says in base64, in its one canonical spelling but for whitespace."""
    if len(element) or element.keys():
        _refuse("signature-scope", "children", _path(element))
    text = "".join((element.text or "").split())
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets or base64.b64encode(octets).decode() != text:
        _refuse("signature-invalid", "base64", _path(element))
    return octets


def _path(element: etree._Element) -> str:
    names = [str(each.tag) for each in (element, *element.iterancestors())][::-1]
    return "/".join(name.replace(f"{{{DSIG}}}", "ds:").rpartition("}")[2] for name in names)


def _refuse(
    code: str, rule: str, path: str = "ds:Signature", found: str = "", expected: str = ""
) -> NoReturn:
    raise TrustError(code, Finding(code, rule, path, found, expected))
