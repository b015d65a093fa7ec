"""Signatures that real senders get wrong: refused, and the cause is named."""

import base64
import hashlib
import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from signing_parties import DOCUMENT, NOW, Party, xmlsec_sign

from gateway.safexml import c14n, parse
from gateway.signing import sign
from gateway.signing.profiles import DSIG
from gateway.signing.sign import sign_document

INDENTED = b'<a>\n  <b>1</b>\n  <c x="1">2</c>\n</a>'


def signed_by(party: Party, document: bytes = DOCUMENT) -> bytes:
    return sign_document(c14n(parse(document)), party.signer, party.profile)


def cause(party: Party, content: bytes) -> str:
    failure = party.refusal(content)
    assert failure.code == "signature-invalid"
    assert failure.findings[-1].rule in ("digest", "signature-value")
    return failure.findings[0].rule


@pytest.mark.proves(
    attack="a signature inserted on a line of its own",
    code="signature-invalid",
    rule="whitespace-around-signature",
    behaviour="refused, and the finding names the cause",
)
def test_a_signature_inserted_on_its_own_line(vn: Party) -> None:
    """The published e-port sample was made so: signed first, then indented."""
    signed = signed_by(vn)
    moved = signed.replace(b"<ds:Signature ", b"\n  <ds:Signature ").replace(
        b"</ds:Signature>", b"</ds:Signature>\n"
    )
    assert cause(vn, moved) == "whitespace-around-signature"


def test_a_document_with_no_other_child(vn: Party) -> None:
    signed = signed_by(vn, b"<a></a>").replace(b"<ds:Signature ", b"\n<ds:Signature ")
    assert cause(vn, signed) == "whitespace-around-signature"


@pytest.mark.proves(
    attack="a document indented after signing",
    code="signature-invalid",
    rule="indented-after-signing",
    behaviour="refused, and the finding names the cause",
)
def test_a_document_that_was_indented_after_signing(vn: Party) -> None:
    signed = signed_by(vn, b"<a><b>1</b><c>2</c></a>")
    assert cause(vn, signed.replace(b"<b>", b"\n <b>").replace(b"<c>", b"\n <c>")) == (
        "indented-after-signing"
    )


@pytest.mark.proves(
    attack="a digest over exclusive C14N",
    code="signature-invalid",
    rule="exclusive-c14n",
    behaviour="refused, and the finding names the cause",
)
def test_a_digest_over_exclusive_c14n(vn: Party) -> None:
    document = b'<a xmlns:unused="urn:u"><b>1</b></a>'
    exclusive = etree.tostring(etree.fromstring(document), method="c14n", exclusive=True)
    wrong = resigned(vn, document, hashlib.sha256(exclusive).digest())
    assert cause(vn, wrong) == "exclusive-c14n"


def resigned(party: Party, document: bytes, digest: bytes) -> bytes:
    """Sign a SignedInfo that states another digest."""
    info = sign._signed_info(digest, party.signer.algorithm, party.profile)
    root = sign._ROOT.match(document)
    assert root is not None
    value = base64.b64encode(party.signer.sign(sign._in_context(info, root[2])))
    signature = (
        f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>'.encode()
        + info
        + b"</ds:SignedInfo><ds:SignatureValue>"
        + value
        + b"</ds:SignatureValue>"
        + sign._key_info(party.signer.certificate)
        + b"</ds:Signature>"
    )
    return document.replace(b"</a>", signature + b"</a>")


@pytest.mark.proves(
    attack="prefixes rewritten after signing",
    code="signature-invalid",
    rule="namespace-prefixes",
    behaviour="refused, and the finding names the cause",
)
def test_prefixes_of_the_document_were_rewritten(vn: Party) -> None:
    signed = signed_by(vn, b'<a xmlns="urn:a"><b k="1">1</b></a>')
    rewritten = re.sub(rb"<(/?)([ab])\b", rb"<\1x:\2", signed).replace(
        b'xmlns="urn:a"', b'xmlns:x="urn:a"'
    )
    assert rewritten.startswith(b'<x:a xmlns:x="urn:a"><x:b k="1">')
    assert cause(vn, rewritten) == "namespace-prefixes"


def test_a_default_namespace_was_made_of_a_prefix(vn: Party) -> None:
    signed = signed_by(vn, b'<ns0:a xmlns:ns0="urn:a"><ns0:b k="1">1</ns0:b></ns0:a>')
    rewritten = signed.replace(b"ns0:a", b"a").replace(b"ns0:b", b"b").replace(b":ns0=", b"=")
    assert rewritten.startswith(b'<a xmlns="urn:a"><b k="1">')
    assert cause(vn, rewritten) == "namespace-prefixes"


def test_the_prefix_of_the_signature_was_rewritten(vn: Party) -> None:
    signed = signed_by(vn, b"<a><b>1</b></a>")
    rewritten = signed.replace(b":ds=", b"=").replace(b"ds:", b"")
    assert b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>' in rewritten
    assert cause(vn, rewritten) == "namespace-prefixes"


@pytest.mark.proves(
    attack="an ECDSA value in DER",
    code="signature-invalid",
    rule="der-value",
    behaviour="refused, and the finding names the cause",
)
def test_the_value_is_der(vn: Party) -> None:
    def der(match: re.Match[bytes]) -> bytes:
        raw = base64.b64decode(match[1])
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        return b"SignatureValue>" + base64.b64encode(encode_dss_signature(r, s)) + b"</"

    changed = re.sub(rb"SignatureValue>([^<]+)</", der, signed_by(vn), count=1)
    assert cause(vn, changed) == "der-value"


def test_a_plain_forgery_has_no_named_cause(vn: Party) -> None:
    assert cause(vn, signed_by(vn).replace(b"thanh long", b"thanh lomg")) == "digest"


def test_naming_the_cause_takes_no_long_time(vn: Party) -> None:
    """A large document, as large as its digest being wrong is worth looking into, and more."""
    for size in (110_000, 290_000):
        big = b"<a>" + b"<b>1</b>" * size + b"</a>"
        changed = signed_by(vn, big).replace(b"<b>1</b>", b"<b>2</b>", 1)
        started = time.process_time()
        assert cause(vn, changed) == "digest"
        assert time.process_time() - started < 1.0


def test_a_signature_of_xmlsec_over_indented_text_is_good(vn: Party) -> None:
    assert vn.verify(xmlsec_sign(INDENTED, vn.issued), NOW).party == "vn"
