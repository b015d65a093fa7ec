"""Signatures of every shape of the link, read by both verifiers: ECDSA, RSA, SM2, two at once."""

import hashlib
from datetime import timedelta

import pytest
from lxml import etree
from signing_parties import DOCUMENT, NOW, issue

from conformance.verifier import keys, xmlsig
from conformance.verifier.verdict import Failed
from gateway.errors import GatewayError
from gateway.evidence.bundle_anchors import BundleAnchors, shape_of
from gateway.safexml import parse
from gateway.signing.issue import KeyKind
from gateway.signing.keys import key_signer
from gateway.signing.profiles import DSIG, profile
from gateway.signing.sign import PairedSigner, sign_document
from gateway.signing.trust import PinnedKey, Usage
from gateway.signing.verify import verify_document

PROFILES = {
    "link-ecdsa-p256": KeyKind.P256,
    "link-rsa-pss": KeyKind.RSA3072,
    "link-rsa-pkcs1": KeyKind.RSA3072,
    "link-sm2": KeyKind.SM2,
    "cn-sm2-2022": KeyKind.SM2,
}


def signed(name: str) -> tuple[bytes, list[bytes]]:
    """Sign a document by a profile; return it and the certificates."""
    chosen = profile(name)
    made = issue(kind=PROFILES[name])
    signer = key_signer(made.key, made.der, chosen.methods[0])
    return sign_document(DOCUMENT, signer, chosen), [made.der]


def dual() -> tuple[bytes, list[bytes]]:
    chosen = profile("link-dual")
    made = [issue(kind=KeyKind.P256), issue(kind=KeyKind.SM2)]
    second = chosen.second
    signers = [
        key_signer(each.key, each.der, shape.methods[0])
        for each, shape in zip(made, (chosen, second), strict=True)
    ]
    return sign_document(DOCUMENT, PairedSigner(*signers), chosen), [each.der for each in made]


def judged(content: bytes, ders: list[bytes], at=NOW) -> str | None:
    """Return the digest that both read, or None when both refuse."""
    pinned = tuple(PinnedKey(der, "vn", Usage.MESSAGE) for der in ders)
    root = parse(content)
    shape = shape_of(
        len(root.findall(f"{{{DSIG}}}Signature")), len(root.findall(f".//{{{DSIG}}}Transform"))
    )
    try:
        policy = BundleAnchors(pinned).policy(Usage.MESSAGE, shape)
        ours = verify_document(root, policy, at).digest
    except GatewayError:
        ours = None
    names = [hashlib.sha256(der).hexdigest() for der in ders]
    pins = {
        ("message", n): keys.Pin("vn", "message", d, n) for n, d in zip(names, ders, strict=True)
    }
    try:
        theirs = xmlsig.verify(
            xmlsig.parse(content), "message", at, keys.Anchors(pins, (), ())
        ).digest
    except (Failed, ValueError, etree.XMLSyntaxError):
        theirs = None
    assert ours == theirs
    return ours


ALL = {name: signed(name) for name in PROFILES} | {"link-dual": dual()}


@pytest.mark.parametrize("name", ALL)
def test_both_read_every_shape(name):
    assert judged(*ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_both_refuse_other_keys_times_and_contents(name):
    content, ders = ALL[name]
    assert judged(content, [issue().der]) is None
    assert judged(content, ders, NOW + timedelta(days=2000)) is None
    assert judged(content, ders, NOW - timedelta(days=2000)) is None
    assert judged(content.replace(b"thanh long", b"thanh lang"), ders) is None
    assert judged(content.replace(b'URI=""', b'URI="#other"'), ders) is None
    assert judged(content.replace(b"</ds:SignatureValue>", b"A</ds:SignatureValue>"), ders) is None
    assert judged(content.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:Object/>"), ders) is None
