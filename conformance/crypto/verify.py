"""The suite's own verifier: the shape of XP-SIG-001 to 007, the pinned keys, the digest.

It shares no line with the gateway's. Whatever is not exactly of the shape is refused.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from lxml import etree

from conformance.crypto import schemes
from conformance.crypto.shapes import C14N, DSIG, ENVELOPED, SHA256
from conformance.crypto.trees import SIGNATURE, Element, canonical, unsigned

IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


@dataclass(frozen=True, slots=True)
class Pin:
    """A certificate (DER) that may sign. party, usage: for what."""

    certificate: bytes
    party: str
    usage: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """code: "" when the signature stands, else the code of the exchange profile and a reason.

    digest: of the message (XP-SIG-010), when the signature stands.
    """

    code: str
    reason: str = ""
    party: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """Which checks are made. A peer that is wrong on purpose leaves some out."""

    value: bool = True
    digest: bool = True
    shape: bool = True
    dates: bool = True
    pinned: bool = True
    usage: bool = True
    algorithms: bool = True
    transforms: bool = True


ALL = Checks()


class WrongError(Exception):
    """What is wrong with a signature: code, reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


def verify(
    root: Element,
    pins: Mapping[str, Pin],
    usage: str,
    at: datetime,
    checks: Checks = ALL,
) -> Verdict:
    """Judge the signature of a document. pins: by fingerprint (hex SHA-256)."""
    try:
        return _verify(root, pins, usage, at, checks)
    except WrongError as wrong:
        return Verdict(wrong.code, wrong.reason)


def _verify(
    root: Element, pins: Mapping[str, Pin], usage: str, at: datetime, checks: Checks
) -> Verdict:
    found = list(root.iter(SIGNATURE))
    if not found:
        raise WrongError("signature-missing", "no ds:Signature")
    if checks.shape:
        _whole(root, found)
    parts = _parts(found[-1], checks)
    octets = unsigned(root)
    digest = hashlib.sha256(octets).digest()
    if checks.value and checks.digest and digest != parts.digest:
        raise WrongError("signature-invalid", "digest")
    pin = _pin(parts.certificate, pins, usage, at, checks)
    public = x509.load_der_x509_certificate(parts.certificate).public_key()
    if checks.value and not schemes.verifies(public, parts.method, parts.value, parts.message):
        raise WrongError("signature-invalid", "value")
    return Verdict("", party=pin.party, digest=digest.hex())


def _whole(root: Element, found: list[Element]) -> None:
    """One signature, the last child of the root; no comment, no id twice (XP-SIG-011)."""
    if len(found) != 1 or found[0].getparent() is not root or root[-1] is not found[0]:
        raise WrongError("signature-scope", "place")
    document = root.getroottree()
    beside = list(document.xpath("/comment()|/processing-instruction()"))
    if beside or any(not isinstance(node.tag, str) for node in root.iter()):
        raise WrongError("signature-scope", "comments")
    ids = [node.get(name) for node in root.iter() for name in IDS if node.get(name)]
    if len(ids) != len(set(ids)):
        raise WrongError("signature-scope", "ids")


@dataclass(frozen=True, slots=True)
class _Parts:
    method: str
    digest: bytes
    value: bytes
    certificate: bytes
    message: bytes


def _parts(signature: Element, checks: Checks) -> _Parts:
    info, value, key_info = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"))
    c14n, method, reference = _children(
        info, ("CanonicalizationMethod", "SignatureMethod", "Reference")
    )
    transforms, digest_method, digest = _children(
        reference, ("Transforms", "DigestMethod", "DigestValue")
    )
    uris = [node.get("Algorithm", "") for node in transforms]
    (data,) = _children(key_info, ("X509Data",))
    (certificate,) = _children(data, ("X509Certificate",))
    if checks.algorithms:
        _must(c14n.get("Algorithm") == C14N, "algorithm-not-allowed", "c14n")
        _must(digest_method.get("Algorithm") == SHA256, "algorithm-not-allowed", "digest")
    if checks.transforms:
        _must(uris == [ENVELOPED, C14N], "algorithm-not-allowed", "transforms")
    if checks.shape:
        _same_document(reference.get("URI"), signature)
    return _Parts(
        method.get("Algorithm", ""),
        _octets(digest),
        _octets(value),
        _octets(certificate),
        canonical(info),
    )


def _same_document(uri: str | None, signature: Element) -> None:
    root = signature.getparent()
    own = {root.get(name) for name in IDS} - {None} if root is not None else set()
    if uri != "" and (not uri or not uri.startswith("#") or uri[1:] not in own):
        raise WrongError("signature-scope", "reference")


def _children(parent: Element, names: tuple[str, ...]) -> list[Element]:
    children = list(parent)
    if [child.tag for child in children] != [f"{{{DSIG}}}{name}" for name in names]:
        raise WrongError("signature-scope", etree.QName(parent).localname)
    return children


def _must(held: bool, code: str, reason: str) -> None:
    if not held:
        raise WrongError(code, reason)


def _octets(element: Element) -> bytes:
    compact = "".join((element.text or "").split())
    try:
        octets = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise WrongError("signature-invalid", "base64") from fault
    if base64.b64encode(octets).decode() != compact:
        raise WrongError("signature-invalid", "base64")
    return octets


def _pin(
    certificate: bytes, pins: Mapping[str, Pin], usage: str, at: datetime, checks: Checks
) -> Pin:
    name = hashlib.sha256(certificate).hexdigest()
    pin = pins.get(name)
    if pin is None:
        if checks.pinned:
            raise WrongError("signer-untrusted", "not-pinned")
        pin = Pin(certificate, next((p.party for p in pins.values()), ""), usage)
    if checks.usage and (pin.usage != usage or not _may_sign(certificate)):
        raise WrongError("signer-untrusted", "usage")
    if checks.dates:
        read = x509.load_der_x509_certificate(certificate)
        if not read.not_valid_before_utc <= at <= read.not_valid_after_utc:
            raise WrongError("certificate-expired", "dates")
    return pin


def _may_sign(certificate: bytes) -> bool:
    extensions = x509.load_der_x509_certificate(certificate).extensions
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    except x509.ExtensionNotFound:
        return True
