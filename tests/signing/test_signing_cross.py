"""What we sign verifies in two other implementations, and what they sign verifies here."""

import hashlib

import pytest
import signxml
import xmlsec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signing_parties import DOCUMENT, DS, NOW, Party, party, xmlsec_key, xmlsec_sign, xmlsec_verify

from gateway.safexml import c14n, parse
from gateway.signing.issue import KeyKind
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document

PROFILES = ("link-ecdsa-p256", "link-rsa-pss", "link-rsa-pkcs1")
LOCATION = signxml.SignatureConfiguration(location="./")


def signxml_verify(content: bytes, party: Party) -> bytes:
    """Return what signxml says was signed."""
    result = signxml.XMLVerifier().verify(
        content, x509_cert=party.issued.certificate, expect_config=LOCATION
    )
    assert not isinstance(result, list)
    return etree.tostring(result.signed_xml, method="c14n")


def test_both_libraries_use_one_libxml2() -> None:
    assert xmlsec.get_libxml_version() == etree.LIBXML_VERSION
    assert xmlsec.get_libxml_compiled_version() == etree.LIBXML_COMPILED_VERSION


@pytest.mark.parametrize("name", PROFILES)
def test_our_signature_verifies_everywhere(parties: dict[str, Party], name: str) -> None:
    party = parties[name]
    document = c14n(parse(DOCUMENT))
    signed = sign_document(document, party.signer, party.profile)
    xmlsec_verify(signed, party.issued)
    assert signxml_verify(signed, party) == document
    verified = party.verify(signed)
    assert c14n(verified.element) == document
    assert verified.digest == hashlib.sha256(document).hexdigest()
    assert (verified.party, verified.algorithm) == ("vn", party.profile.methods[0])
    assert verified.fingerprint == party.signer.key_id


@pytest.mark.parametrize("name", PROFILES)
def test_a_changed_signature_verifies_nowhere(parties: dict[str, Party], name: str) -> None:
    party = parties[name]
    signed = sign_document(c14n(parse(DOCUMENT)), party.signer, party.profile)
    changed = signed.replace(b"thanh long", b"thanh lomg")
    party.refusal(changed)
    with pytest.raises(xmlsec.VerificationError):
        xmlsec_verify(changed, party.issued)
    with pytest.raises(signxml.InvalidSignature):
        signxml_verify(changed, party)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("link-ecdsa-p256", signxml.SignatureMethod.ECDSA_SHA256),
        ("link-rsa-pss", signxml.SignatureMethod.SHA256_RSA_MGF1),
        ("link-rsa-pkcs1", signxml.SignatureMethod.RSA_SHA256),
    ],
)
def test_signxml_signs_for_us(
    parties: dict[str, Party], name: str, method: signxml.SignatureMethod
) -> None:
    party = parties[name]
    signer = signxml.XMLSigner(
        signature_algorithm=method,
        c14n_algorithm=signxml.CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    root = etree.fromstring(b"<a><b>1</b></a>")
    signed = signer.sign(
        root, key=party.issued.key, cert=[party.issued.certificate], always_add_key_value=False
    )
    assert c14n(party.verify(etree.tostring(signed)).element) == b"<a><b>1</b></a>"


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("link-ecdsa-p256", xmlsec.Transform.ECDSA_SHA256),
        ("link-rsa-pkcs1", xmlsec.Transform.RSA_SHA256),
    ],
)
@pytest.mark.parametrize("uri", ["", "#m1"])
def test_xmlsec_signs_for_us(
    parties: dict[str, Party], name: str, method: object, uri: str
) -> None:
    party = parties[name]
    signed = xmlsec_sign(DOCUMENT, party.issued, method=method, uri=uri)
    assert c14n(party.verify(signed).element) == c14n(parse(DOCUMENT))


def test_a_signature_in_the_default_namespace_verifies(vn: Party) -> None:
    """As .NET writes it: lxml alone would canonicalise its SignedInfo wrongly."""
    signed = xmlsec_sign(DOCUMENT, vn.issued)
    root = etree.fromstring(signed)
    root.remove(root[-1])
    node = xmlsec.template.create(root, xmlsec.Transform.C14N, xmlsec.Transform.ECDSA_SHA256)
    root.append(node)
    reference = xmlsec.template.add_reference(node, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.C14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
    (data,) = node.xpath(".//ds:X509Data", namespaces={"ds": DS})
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(vn.issued)
    context.sign(node)
    assert b"<Signature" in etree.tostring(root)
    assert vn.verify(etree.tostring(root)).party == "vn"


def test_whitespace_that_was_signed_may_stand_around_the_signature(vn: Party) -> None:
    """The enveloped transform takes out the element, not the text around it."""
    root = etree.fromstring(b"<a>\n  <b/>\n</a>")
    signed = etree.fromstring(xmlsec_sign(etree.tostring(root), vn.issued))
    assert c14n(vn.verify(etree.tostring(signed)).element) == b"<a>\n  <b></b>\n</a>"


@pytest.mark.parametrize("document", [b"<a/>", b"<a><b/></a>", b"<a>x</a>"])
def test_text_behind_the_signature_is_signed_too(vn: Party, document: bytes) -> None:
    def text_behind(node: object) -> None:
        node.tail = "\n tail "  # type: ignore[attr-defined]

    signed = xmlsec_sign(document, vn.issued, extra=text_behind)
    xmlsec_verify(signed, vn.issued)
    whole = c14n(parse(document)).replace(b"</a>", b"\n tail </a>")
    assert c14n(vn.verify(signed).element) == whole


_NAMES = st.sampled_from(["a", "b", "Ngay", "品名", "x-y"])
_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12
) | st.sampled_from(["\r\n", "\t", "<&>\"'", " ", "]]>"])
_NAMESPACES = st.sampled_from([None, "urn:1", "urn:2", DS])


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> etree._Element:
    """Any small document: namespaces declared and undeclared, xml:lang, odd characters."""
    uri = draw(_NAMESPACES)
    prefixes = {
        p: u for p, u in ((None, "urn:1"), ("q", "urn:2"), ("ds", DS)) if draw(st.booleans())
    }
    name = draw(_NAMES)
    if uri is None:
        prefixes.pop(None, None)
    element = etree.Element(f"{{{uri}}}{name}" if uri else name, nsmap=prefixes)
    for key in draw(st.lists(st.sampled_from(["k", "{urn:2}k", "unit"]), unique=True, max_size=2)):
        element.set(key, draw(_TEXT))
    if draw(st.booleans()):
        element.set("{http://www.w3.org/XML/1998/namespace}lang", "vi")
    element.text = draw(_TEXT)
    for _ in range(draw(st.integers(0, 3 - depth))):
        child = draw(documents(depth=depth + 1))
        child.tail = draw(_TEXT)
        element.append(child)
    return element


@settings(max_examples=80, deadline=None)
@given(element=documents())
def test_any_document_signs_and_verifies_alike(element: etree._Element) -> None:
    document = c14n(parse(etree.tostring(element, encoding="utf-8")))
    signed = sign_document(document, _PARTY.signer, _PARTY.profile)
    xmlsec_verify(signed, _PARTY.issued)
    verified = verify_document(parse(signed), _PARTY.policy, NOW)
    assert c14n(verified.element) == document


@settings(max_examples=60, deadline=None)
@given(element=documents())
def test_what_xmlsec_signs_verifies_here(element: etree._Element) -> None:
    signed = xmlsec_sign(etree.tostring(element, encoding="utf-8"), _PARTY.issued)
    assert verify_document(parse(signed), _PARTY.policy, NOW).party == "vn"


_PARTY = party("link-ecdsa-p256", KeyKind.P256)
