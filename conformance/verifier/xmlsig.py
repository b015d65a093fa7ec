"""An enveloped XML signature over a whole document, in exactly the agreed shape."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from conformance.verifier import keys
from conformance.verifier.keys import DSIG, PORT, Anchors, Pin
from conformance.verifier.verdict import Failed

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
XP = "{urn:bilateral-gateway:exchange:1}"
_DS = f"{{{DSIG}}}"
_SHA256, _SM3 = "http://www.w3.org/2001/04/xmlenc#sha256", PORT + "sm3"
_IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


@dataclass(frozen=True)
class Signed:
    """A verified document. root: without its signature. digest: hex SHA-256 of what was
    signed. certificate: the signer's."""

    root: Any
    pin: Pin
    digest: str
    certificate: bytes


def parse(content: bytes) -> Any:
    """Parse without entities, DTDs or the network."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.doctype:
        raise Failed("doctype")
    return root


def canonical(element: Any) -> bytes:
    """Return inclusive C14N 1.0 without comments."""
    return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)


def time_of(root: Any, path: str, otherwise: str) -> datetime:
    """Return when a document says that it was signed."""
    found = root.findtext("/".join(XP + step for step in path.split("/")))
    return datetime.fromisoformat(found or otherwise)


def verify(root: Any, usage: str, at: datetime, anchors: Anchors) -> Signed:
    """Verify the one signature, or both of two; Failed."""
    count = len(root.findall(_DS + "Signature"))
    signatures = list(root.iter(_DS + "Signature"))
    if not 1 <= count <= 2 or signatures != list(root)[-count:]:
        raise Failed("signature-place")
    if any(not isinstance(node.tag, str) for node in root.iter()) or root.getnext() is not None:
        raise Failed("comment")
    if root.getprevious() is not None:
        raise Failed("comment")
    second = _last(root, usage, at, anchors).pin.party if count == 2 else None
    first = _last(root, usage, at, anchors)
    if second not in (None, first.pin.party):
        raise Failed("two-parties")
    values = [each.get(name) for each in root.iter() for name in _IDS if each.get(name) is not None]
    if len(values) != len(set(values)):
        raise Failed("duplicate-id")
    return first


def _last(root: Any, usage: str, at: datetime, anchors: Anchors) -> Signed:
    signature = root[-1]
    info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    method_c14n, method, reference = _children(
        info, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    if _uri(method_c14n) != C14N:
        raise Failed("algorithm")
    hashed, digest = _reference(root, reference)
    certificate = _certificate(key_info)
    pin = anchors.judge(usage, hashlib.sha256(certificate).hexdigest(), at)
    keys.verify(certificate, _uri(method), _octets(value), canonical(info))
    _take_out(root, signature)
    content = canonical(root)
    if hashed(content) != digest:
        raise Failed("digest")
    return Signed(root, pin, hashlib.sha256(content).hexdigest(), certificate)


def _reference(root: Any, reference: Any) -> tuple[Any, bytes]:
    """Return how the content is hashed, and the digest that is stated."""
    if reference.keys() != ["URI"]:
        raise Failed("reference")
    uri = reference.get("URI")
    if uri != "" and uri not in ["#" + root.get(n) for n in _IDS if root.get(n)]:
        raise Failed("reference")
    transforms, method, value = _children(
        reference, "Transforms", "DigestMethod", "DigestValue", attributes=["URI"]
    )
    listed = [_uri(each) for each in transforms]
    if listed not in ([DSIG + "enveloped-signature", C14N], [DSIG + "enveloped-signature"]):
        raise Failed("transforms")
    named = _uri(method)
    if named == _SHA256:
        return lambda octets: hashlib.sha256(octets).digest(), _octets(value)
    if named == _SM3:
        return _sm3, _octets(value)
    raise Failed("algorithm", named[:100])


def _sm3(octets: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    running = hashes.Hash(hashes.SM3())
    running.update(octets)
    return running.finalize()


def _certificate(key_info: Any) -> bytes:
    names = [each.tag for each in key_info]
    if names == [_DS + "KeyName", _DS + "X509Data"]:
        key_info.remove(key_info[0])
    (data,) = _children(key_info, "X509Data")
    (certificate,) = _children(data, "X509Certificate")
    return _octets(certificate)


def _children(element: Any, *names: str, attributes: list[str] | None = None) -> list[Any]:
    if [each.tag for each in element] != [_DS + name for name in names]:
        raise Failed("signature-shape", element.tag)
    texts = [element.text, *[each.tail for each in element]]
    if any(text and text.strip(" \t\r\n") for text in texts):
        raise Failed("signature-shape", element.tag)
    if element.keys() != (attributes or []):
        raise Failed("signature-shape", element.tag)
    return list(element)


def _uri(element: Any) -> str:
    if element.keys() != ["Algorithm"] or len(element) or (element.text or "").strip(" \t\r\n"):
        raise Failed("signature-shape", element.tag)
    return str(element.get("Algorithm"))


def _octets(element: Any) -> bytes:
    text = "".join((element.text or "").split())
    octets = base64.b64decode(text, validate=True)
    if len(element) or element.keys() or not octets or base64.b64encode(octets).decode() != text:
        raise Failed("base64", element.tag)
    return octets


def _take_out(root: Any, signature: Any) -> None:
    """Remove the signature; text behind it was signed and stays."""
    if signature.tail:
        before = signature.getprevious()
        if before is None:
            root.text = (root.text or "") + signature.tail
        else:
            before.tail = (before.tail or "") + signature.tail
    root.remove(signature)
