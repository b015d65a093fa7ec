"""Everything about a signature that is not as agreed is refused, with the right code."""

import base64
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import signxml
import xmlsec
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signing_parties import DOCUMENT, DS, NOW, Party, issue, xmlsec_sign

from gateway.errors import DocumentError, TrustError
from gateway.safexml import c14n, parse
from gateway.signing import verify as verify_module
from gateway.signing.algorithms import ALGORITHMS, RSA_SHA256
from gateway.signing.sign import sign_document
from gateway.signing.verify import Verified, verify_document

EVIL = b"evil"
Q = f"{{{DS}}}"


def signed_by(party: Party, document: bytes = DOCUMENT) -> bytes:
    return sign_document(c14n(parse(document)), party.signer, party.profile)


def rules(failure: TrustError) -> list[str]:
    return [finding.rule for finding in failure.findings]


def outcome(party: Party, content: bytes) -> Verified | None:
    """Return what was verified, or None for a refusal; nothing else may come out."""
    try:
        return verify_document(parse(content), party.policy, NOW)
    except (TrustError, DocumentError):
        return None


# --- octets changed -----------------------------------------------------------------------


@pytest.mark.proves(
    attack="any octet of a signed document is changed",
    code="signature-invalid",
    behaviour="refused, or the signed content is the same",
)
def test_any_changed_octet_is_refused(vn: Party) -> None:
    """Flip each octet in turn: it never verifies as another document."""
    signed = signed_by(vn)
    document = c14n(parse(DOCUMENT))
    for at in range(len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 0x01]) + signed[at + 1 :]
        verified = outcome(vn, changed)
        assert verified is None or c14n(verified.element) == document


REPLACED = {
    "content": (b"thanh long", b"thanh lomg", "signature-invalid"),
    "header": (b"<m:From>vn<", b"<m:From>cn<", "signature-invalid"),
    "attribute": (b'z:a="1"', b'z:a="2"', "signature-invalid"),
    "namespace": (b"urn:test", b"urn:tesT", "signature-invalid"),
    "no value": (rb"(?s)<ds:SignatureValue>.*</ds:SignatureValue>", b"", "signature-scope"),
    "empty value": (
        rb"(?s)(<ds:SignatureValue>).*(</ds:SignatureValue>)",
        rb"\1\2",
        "signature-invalid",
    ),
    "cut value": (rb".{4}</ds:SignatureValue>", b"</ds:SignatureValue>", "signature-invalid"),
    "not base64": (rb"<ds:SignatureValue>", b"<ds:SignatureValue>!!", "signature-invalid"),
    "stripped": (rb"(?s)<ds:Signature .*</ds:Signature>", b"", "signature-missing"),
    "no KeyInfo": (rb"(?s)<ds:KeyInfo>.*</ds:KeyInfo>", b"", "signature-scope"),
    "no certificate": (
        rb"(?s)<ds:X509Certificate>.*</ds:X509Certificate>",
        b"",
        "signature-scope",
    ),
    "sha1 digest": (b"xmlenc#sha256", b"xmlenc#sha1", "algorithm-not-allowed"),
    "rsa-sha1": (
        b"2001/04/xmldsig-more#ecdsa-sha256",
        b"2000/09/xmldsig#rsa-sha1",
        "algorithm-not-allowed",
    ),
    "hmac": (b"#ecdsa-sha256", b"#hmac-sha256", "algorithm-not-allowed"),
    "rsa for ecdsa": (b"#ecdsa-sha256", b"#rsa-sha256", "algorithm-not-allowed"),
    "no algorithm": (
        rb'<ds:SignatureMethod Algorithm="[^"]*">',
        b"<ds:SignatureMethod>",
        "algorithm-not-allowed",
    ),
    "exclusive C14N": (
        b'CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"',
        b'CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
        "algorithm-not-allowed",
    ),
    "other URI": (b'URI=""', b'URI="#m2"', "signature-scope"),
    "external URI": (b'URI=""', b'URI="http://127.0.0.1:9/x"', "signature-scope"),
    "file URI": (b'URI=""', b'URI="file:///etc/passwd"', "signature-scope"),
    "xpointer URI": (b'URI=""', b'URI="#xpointer(/)"', "signature-scope"),
    "no URI": (b' URI=""', b"", "signature-scope"),
    "Reference Type": (b'URI=""', b'Type="urn:x" URI=""', "signature-scope"),
    "Manifest type": (
        b'URI=""',
        b'Type="http://www.w3.org/2000/09/xmldsig#Manifest" URI=""',
        "signature-scope",
    ),
    "Object": (
        b"</ds:Signature>",
        b"<ds:Object></ds:Object></ds:Signature>",
        "signature-scope",
    ),
    "KeyValue": (b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyValue></ds:KeyValue>", "signature-scope"),
    "KeyName": (b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyName>x</ds:KeyName>", "signature-scope"),
    "RetrievalMethod": (
        b"<ds:KeyInfo>",
        b'<ds:KeyInfo><ds:RetrievalMethod URI="http://127.0.0.1:9/k"></ds:RetrievalMethod>',
        "signature-scope",
    ),
    "two certificates": (
        rb"(?s)(<ds:X509Certificate>.*</ds:X509Certificate>)",
        rb"\1\1",
        "signature-scope",
    ),
    "two X509Data": (rb"(?s)(<ds:X509Data>.*</ds:X509Data>)", rb"\1\1", "signature-scope"),
    "text in signature": (b"<ds:KeyInfo>", b"x<ds:KeyInfo>", "signature-scope"),
    "comment in content": (b"thanh long", b"thanh<!-- x --> long", "signature-scope"),
    "comment in signature": (b"<ds:SignedInfo>", b"<ds:SignedInfo><!-- -->", "signature-scope"),
    "comment in value": (b"</ds:DigestValue>", b"<!-- --></ds:DigestValue>", "signature-scope"),
    "instruction": (b"<m:Head>", b"<?x y?><m:Head>", "signature-scope"),
    "instruction before": (rb"^", b"<?x y?>", "signature-scope"),
    "comment before": (rb"^", b"<!-- x -->", "signature-scope"),
    "comment behind": (rb"$", b"<!-- x -->", "signature-scope"),
    "element behind": (b"</m:Message>", b"<x></x></m:Message>", "signature-scope"),
    "HMACOutputLength": (
        b"</ds:SignatureMethod>",
        b"<ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
        "signature-scope",
    ),
    "attribute on Signature": (b"<ds:SignedInfo>", b'<ds:SignedInfo Id="s">', "signature-scope"),
    "attribute on the value": (
        b"<ds:SignatureValue>",
        b'<ds:SignatureValue Id="v">',
        "signature-scope",
    ),
    "element in the digest": (
        b"</ds:DigestValue>",
        b"<x></x></ds:DigestValue>",
        "signature-scope",
    ),
    "foreign child": (
        b"<ds:SignedInfo>",
        b'<ds:SignedInfo><x xmlns="urn:x"></x>',
        "signature-scope",
    ),
}


def attacks(what: str, codes: dict[str, str], behaviour: str) -> Any:
    """Parametrise with names of attacks; each proves its code."""
    marks = {
        name: pytest.mark.proves(attack=f"{what}: {name}", code=code, behaviour=behaviour)
        for name, code in codes.items()
    }
    return pytest.mark.parametrize("name", [pytest.param(n, marks=m) for n, m in marks.items()])


@attacks(
    "changed after signing", {name: code for name, (_, _, code) in REPLACED.items()}, "refused"
)
def test_a_bent_signature_is_refused(vn: Party, name: str) -> None:
    old, new, code = REPLACED[name]
    signed = signed_by(vn)
    pattern = old if old.startswith((rb"(?s)", rb"<ds", rb".{4}", rb"^", rb"$")) else re.escape(old)
    bent = re.sub(pattern, new if b"\\1" in new else lambda _: new, signed, count=1)
    assert bent != signed
    failure = vn.refusal(bent)
    assert failure.code == code
    assert all(finding.path for finding in failure.findings)


# --- validly signed, yet not in the agreed shape ------------------------------------------------


def add_transform(uri: str) -> Callable[[Any], None]:
    def bend(node: Any) -> None:
        (transforms,) = node.xpath(".//ds:Transforms", namespaces={"ds": DS})
        etree.SubElement(transforms, f"{Q}Transform").set("Algorithm", uri)

    return bend


def add_reference(node: Any) -> None:
    more = xmlsec.template.add_reference(node, xmlsec.Transform.SHA256, uri="")
    for transform in (xmlsec.Transform.ENVELOPED, xmlsec.Transform.C14N):
        xmlsec.template.add_transform(more, transform)


def add_object(node: Any) -> None:
    etree.SubElement(node, f"{Q}Object").text = "x"


def add_key_name(node: Any) -> None:
    (info,) = node.xpath("ds:KeyInfo", namespaces={"ds": DS})
    etree.SubElement(info, f"{Q}KeyName").text = "x"


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "two references": ({"extra": add_reference}, "signature-scope"),
    "an Object": ({"extra": add_object}, "signature-scope"),
    "a KeyName": ({"extra": add_key_name}, "signature-scope"),
    "a third transform": (
        {"extra": add_transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")},
        "signature-scope",
    ),
    "enveloped alone": ({"transforms": (DS + "enveloped-signature",)}, "signature-scope"),
    "exclusive in the transforms": (
        {"transforms": (DS + "enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#")},
        "algorithm-not-allowed",
    ),
    "exclusive for SignedInfo": (
        {"c14n": "http://www.w3.org/2001/10/xml-exc-c14n#"},
        "algorithm-not-allowed",
    ),
    "with comments": (
        {"c14n": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"},
        "algorithm-not-allowed",
    ),
    "SHA-512 digest": ({"digest": xmlsec.Transform.SHA512}, "algorithm-not-allowed"),
    "SHA-512 signature": ({"method": xmlsec.Transform.ECDSA_SHA512}, "algorithm-not-allowed"),
}


@attacks(
    "a valid signature of another shape",
    {name: code for name, (_, code) in SHAPES.items()},
    "refused before any mathematics",
)
def test_a_valid_signature_of_another_shape_is_refused(vn: Party, name: str) -> None:
    options, code = SHAPES[name]
    signed = xmlsec_sign(DOCUMENT, vn.issued, **options)
    assert vn.refusal(signed).code == code


@pytest.mark.proves(
    attack="an XPath, XSLT, base64, filter or unknown transform",
    code="algorithm-not-allowed",
    behaviour="refused before any mathematics",
)
@pytest.mark.parametrize(
    "uri",
    [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "urn:unknown",
    ],
)
def test_a_transform_that_is_not_agreed_is_refused(vn: Party, uri: str) -> None:
    """signxml ignores it silently; here it is refused before any mathematics."""
    signed = signed_by(vn)
    more = f'<ds:Transform Algorithm="{uri}"></ds:Transform></ds:Transforms>'.encode()
    failure = vn.refusal(signed.replace(b"</ds:Transforms>", more))
    assert failure.code == "algorithm-not-allowed"


@pytest.mark.proves(
    attack="HMAC with the public key as its secret",
    code="algorithm-not-allowed",
    behaviour="refused before any mathematics",
)
def test_hmac_with_the_public_key_is_refused(vn: Party) -> None:
    key = xmlsec.Key.from_binary_data(xmlsec.KeyData.HMAC, vn.issued.der)
    signed = xmlsec_sign(
        DOCUMENT, vn.issued, method=xmlsec.Transform.HMAC_SHA256, key=key, extra=None
    )
    assert vn.refusal(signed).code in ("algorithm-not-allowed", "signature-scope")


@pytest.mark.proves(
    attack="a stranger's signature under a known certificate",
    code="signature-invalid",
    rule="signature-value",
    behaviour="refused",
)
def test_another_key_under_the_known_certificate_is_refused(vn: Party) -> None:
    stranger = issue()
    signed = xmlsec_sign(DOCUMENT, stranger)
    swapped = re.sub(
        rb"(?s)(X509Certificate>).*?(</ds:X509Certificate)",
        lambda m: m[1] + base64.b64encode(vn.issued.der) + m[2],
        signed,
        count=1,
    )
    failure = vn.refusal(swapped)
    assert (failure.code, rules(failure)) == ("signature-invalid", ["signature-value"])


@pytest.mark.proves(
    attack="a valid signature of a stranger",
    code="signer-untrusted",
    rule="not-pinned",
    behaviour="refused before any mathematics",
)
def test_a_foreign_certificate_is_refused_though_its_signature_is_valid(vn: Party) -> None:
    failure = vn.refusal(xmlsec_sign(DOCUMENT, issue()))
    assert (failure.code, rules(failure)) == ("signer-untrusted", ["not-pinned"])


@pytest.mark.proves(
    attack="a key of another kind than the profile names",
    code="algorithm-not-allowed",
    behaviour="refused before any mathematics",
)
def test_an_rsa_key_cannot_sign_as_ecdsa(vn: Party, parties: dict[str, Party]) -> None:
    failure = vn.refusal(signed_by(parties["link-rsa-pkcs1"]))
    assert failure.code == "algorithm-not-allowed"


def test_pss_is_not_pkcs1(parties: dict[str, Party]) -> None:
    pss, pkcs1 = parties["link-rsa-pss"], parties["link-rsa-pkcs1"]
    assert pss.refusal(signed_by(pkcs1)).code == "algorithm-not-allowed"
    assert pkcs1.refusal(signed_by(pss)).code == "algorithm-not-allowed"


@pytest.mark.proves(
    attack="ECDSA values out of range: zero, the group order",
    code="signature-invalid",
    behaviour="refused",
)
def test_r_and_s_must_be_in_range(vn: Party) -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r, s in ((0, 1), (1, 0), (0, 0), (order, 1), (1, order)):
        value = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        bent = re.sub(
            rb"(SignatureValue>).*?(</ds:SignatureValue)",
            lambda m, v=value: m[1] + v + m[2],
            signed_by(vn),
            count=1,
        )
        assert vn.refusal(bent).code == "signature-invalid"


def with_value(signed: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the document with another SignatureValue or DigestValue."""
    pattern = rf"({name}>)([^<]+)(</ds:{name})".encode()
    return re.sub(pattern, lambda m: m[1] + change(m[2]) + m[3], signed, count=1)


@pytest.mark.proves(
    attack="another spelling of a valid signature value",
    code="signature-invalid",
    rule="signature-value",
    behaviour="refused: one value has one form",
)
def test_octets_of_no_meaning_in_the_value_are_refused(vn: Party) -> None:
    """r, a zero octet, s: the numbers are the same, the value is not."""

    def longer(value: bytes) -> bytes:
        raw = base64.b64decode(value)
        return base64.b64encode(raw[:32] + b"\x00" + raw[32:])

    failure = vn.refusal(with_value(signed_by(vn), "SignatureValue", longer))
    assert (failure.code, rules(failure)) == ("signature-invalid", ["signature-value"])


@pytest.mark.proves(
    attack="another base64 spelling of a valid value",
    code="signature-invalid",
    rule="base64",
    behaviour="refused: one value has one form",
)
@pytest.mark.parametrize("name", ["SignatureValue", "DigestValue"])
def test_base64_has_one_spelling(vn: Party, name: str) -> None:
    """The bits that the padding leaves over must be zero; white space is let through."""

    def respelled(value: bytes) -> bytes:
        end = value.index(b"=")
        letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        other = letters[letters.index(value[end - 1]) + 1]
        return value[: end - 1] + bytes([other]) + value[end:]

    changed = with_value(signed_by(vn), name, respelled)
    assert rules(vn.refusal(changed)) == ["base64"]
    if name == "SignatureValue":
        broken = with_value(signed_by(vn), name, lambda v: v[:20] + b"\r\n " + v[20:])
        assert vn.verify(broken).party == "vn"


@pytest.mark.proves(
    attack="one value in two id attributes",
    code="signature-scope",
    rule="duplicate-id",
    behaviour="refused",
)
@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id"])
def test_a_value_in_two_ids_is_refused(vn: Party, name: str) -> None:
    twice = f'<a><b {name}="x"></b><c {name}="x"></c></a>'.encode()
    failure = vn.refusal(signed_by(vn, twice))
    assert (failure.code, rules(failure)) == ("signature-scope", ["duplicate-id"])
    once = f'<a><b {name}="x"></b><c {name}="y"> {name}="x"</c></a>'.encode()
    assert vn.verify(signed_by(vn, once)).party == "vn"


def test_ids_of_two_spellings_are_one_namespace(vn: Party) -> None:
    assert vn.refusal(signed_by(vn, b'<a><b Id="x"></b><c id="x"></c></a>')).code == (
        "signature-scope"
    )


# --- wrapping -------------------------------------------------------------------------------


def wrapping(number: int, signed: bytes) -> bytes:
    """Return one of the eight layouts that hide the signed document in another one."""
    original = etree.fromstring(signed)
    signature = original[-1]
    bare = deepcopy(original)
    bare.remove(bare[-1])
    evil = deepcopy(bare)
    evil[0][0].text = "evil"
    if number in (3, 4, 7, 8):
        evil.set("Id", "m2")
    layouts: dict[int, Callable[[], None]] = {
        1: lambda: _into_object(evil, signature, bare),
        2: lambda: evil.extend([bare, signature]),
        3: lambda: evil.extend([bare, signature]),
        4: lambda: evil.append(original),
        5: lambda: evil.extend([signature, bare]),
        6: lambda: _into_object(evil, signature, original_in=bare),
        7: lambda: etree.SubElement(evil, "Extension").append(original),
        8: lambda: _into_extension(evil, signature, bare),
    }
    layouts[number]()
    return etree.tostring(evil)


def _into_object(evil: Any, signature: Any, original_in: Any) -> None:
    etree.SubElement(signature, f"{Q}Object").append(original_in)
    evil.append(signature)


def _into_extension(evil: Any, signature: Any, bare: Any) -> None:
    etree.SubElement(evil, "Extension").append(bare)
    evil.append(signature)


@pytest.mark.proves(
    attack="signature wrapping, eight layouts, with and without an id",
    code="signature-scope",
    behaviour="refused; only the signed element is ever handed out",
)
@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("uri", ["", "#m1"])
def test_wrapping_is_refused(vn: Party, number: int, uri: str) -> None:
    signed = xmlsec_sign(DOCUMENT, vn.issued, uri=uri)
    assert vn.verify(signed).party == "vn"
    wrapped = wrapping(number, signed)
    assert EVIL in wrapped
    failure = vn.refusal(wrapped)
    assert failure.code in ("signature-scope", "signature-invalid")


@pytest.mark.proves(
    attack="a comment or instruction in a signed document",
    code="signature-scope",
    rule="comment",
    behaviour="refused before any mathematics",
)
@pytest.mark.parametrize(
    ("old", "new"),
    [(b"thanh", b"<!-- x -->thanh"), (b"<m:Head>", b"<?x y?><m:Head>")],
)
def test_a_comment_or_an_instruction_is_named(vn: Party, old: bytes, new: bytes) -> None:
    assert rules(vn.refusal(signed_by(vn).replace(old, new))) == ["comment"]


@pytest.mark.proves(
    attack="a second signature anywhere in the document",
    code="signature-scope",
    rule="one-signature",
    behaviour="refused before any mathematics",
)
def test_a_second_signature_anywhere_is_refused(vn: Party) -> None:
    signed = signed_by(vn)
    inner = xmlsec_sign(b"<x/>", vn.issued)
    body = DOCUMENT.replace(b"<Body>", b"<Body>" + inner)
    failure = vn.refusal(signed_by(vn, body))
    assert rules(failure) == ["one-signature"]
    failure = vn.refusal(signed.replace(b"</m:Message>", inner + b"</m:Message>"))
    assert rules(failure) == ["one-signature"]


def test_a_signature_below_the_root_is_refused(vn: Party) -> None:
    inner = xmlsec_sign(b"<x/>", vn.issued)
    assert rules(vn.refusal(b"<a>" + inner + b"</a>")) == ["last-child-of-root"]


def test_the_signed_tree_holds_nothing_but_what_was_signed(vn: Party) -> None:
    signed = signed_by(vn).replace(b"</m:Message>", b"  tail</m:Message>")
    assert vn.refusal(signed).code == "signature-invalid"
    verified = vn.verify(signed_by(vn))
    assert not list(verified.element.iter(f"{Q}Signature"))


# --- what signxml refuses, we refuse -------------------------------------------------------------


def refused_by_signxml(content: bytes, party: Party) -> bool:
    try:
        signxml.XMLVerifier().verify(
            content,
            x509_cert=party.issued.certificate,
            expect_config=signxml.SignatureConfiguration(location="./"),
        )
    except Exception:  # noqa: BLE001 - many classes escape signxml
        return True
    return False


def mutants(pieces: list[bytes]) -> Iterator[list[bytes]]:
    """Leave out, double, change the case of, and swap the pieces of a document."""
    for at, piece in enumerate(pieces):
        yield [*pieces[:at], *pieces[at + 1 :]]
        yield [*pieces[:at], piece, *pieces[at:]]
        yield [*pieces[:at], piece.swapcase(), *pieces[at + 1 :]]
        yield [*pieces[:at], piece + b" ", *pieces[at + 1 :]]
        for other in range(at + 1, len(pieces)):
            swapped = pieces.copy()
            swapped[at], swapped[other] = swapped[other], swapped[at]
            yield swapped


def test_whatever_signxml_refuses_is_refused_here(vn: Party) -> None:
    """Over all mutants of a signed document that cutting and swapping its tags makes."""
    signed = signed_by(vn)
    document = c14n(parse(DOCUMENT))
    tried = refused = 0
    for pieces in mutants(re.findall(rb"<[^>]+>|[^<]+", signed)):
        content = b"".join(pieces)
        verified = outcome(vn, content)
        tried += 1
        refused += verified is None
        if verified is not None:
            assert not refused_by_signxml(content, vn)
            assert c14n(verified.element) == document
    assert tried > 900
    assert refused > 0.9 * tried


@pytest.mark.proves(
    attack="a library raises what nobody foresaw",
    code="signature-invalid",
    rule="unexpected",
    behaviour="whatever fails in verifying is a refusal",
)
def test_an_unexpected_exception_is_a_refusal(vn: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(verify_module, "preflight", broken)
    failure = vn.refusal(signed_by(vn))
    assert (failure.code, rules(failure)) == ("signature-invalid", ["unexpected"])
    assert "secret" not in str(failure.findings)


def test_a_small_rsa_key_is_refused() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert not ALGORITHMS[RSA_SHA256].fits(small.public_key())


def test_signing_refuses_what_is_not_canonical(vn: Party) -> None:
    for wrong in (b"", b"<a/>", b"<?xml version='1.0'?><a></a>", b"<a></b>", b"text"):
        with pytest.raises(ValueError, match="canonical"):
            sign_document(wrong, vn.signer, vn.profile)


def test_signing_refuses_a_key_of_another_profile(vn: Party, parties: dict[str, Party]) -> None:
    with pytest.raises(TrustError) as caught:
        sign_document(b"<a></a>", vn.signer, parties["link-rsa-pss"].profile)
    assert caught.value.code == "algorithm-not-allowed"
