"""XAdES of vn-2025: other implementations both ways, time, legacy shapes, wrapping."""

import base64
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import signxml
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec as ec_keys
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from form_parties import NOW, Agency, agency, openssl, refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.xades import XAdESSignatureConfiguration, XAdESSigner, XAdESVerifier
from timestamp_authority import TimestampServer

from gateway.errors import DocumentError, TrustError
from gateway.safexml import c14n, parse
from gateway.signing import timestamp
from gateway.signing.algorithms import (
    ECDSA_SHA3_256,
    ECDSA_SHA3_512,
    ECDSA_SHA256,
    ECDSA_SHA384,
    ECDSA_SHA512,
    RSA_PSS_SHA3_384,
    RSA_PSS_SHA256,
    RSA_PSS_SHA512,
    RSA_SHA256,
    der_of,
)
from gateway.signing.issue import Issued, KeyKind
from gateway.signing.opened import Opened, Proof
from gateway.signing.profiles import INCLUSIVE_C14N
from gateway.signing.xades import open_xades, sign_xades

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
Q, X = f"{{{DS}}}", f"{{{XADES}}}"
DOCUMENT = (
    b'<m:Message xmlns:m="urn:test" xmlns:z="urn:z" Id="m1" z:a="1"><m:Head><m:From>vn</m:From>'
    b"</m:Head><Body>\xe7\x81\xab\xe9\xbe\x99\xe6\x9e\x9c &amp; thanh long\n</Body></m:Message>"
)
DEFAULT_NAMESPACE = (
    b'<Message xmlns="urn:a"><Head><From>vn</From></Head><Body xmlns="">x</Body></Message>'
)
LANGUAGE = b'<Message xml:lang="vi" xml:space="preserve"><Head><From>vn</From></Head> </Message>'
DOCUMENTS = [DOCUMENT, DEFAULT_NAMESPACE, LANGUAGE]


@pytest.fixture(scope="module")
def rsa() -> Agency:
    return agency(KeyKind.RSA3072)


@pytest.fixture(scope="module")
def ec() -> Agency:
    return agency()


@pytest.fixture(scope="module")
def signed(ec: Agency) -> bytes:
    return sign_xades(parse(DOCUMENT), ec.signer(), NOW, "t")


class Local:
    """The authority of the tests, asked without HTTP."""

    def __init__(self, server: TimestampServer) -> None:
        self.server = server

    def stamp(self, message: bytes) -> bytes:
        return timestamp.token_of(self.server.stamp(timestamp.request(message, 1))[1])


@pytest.fixture(scope="module")
def stamped(ec: Agency, tsa: TimestampServer) -> bytes:
    return sign_xades(parse(DOCUMENT), ec.signer(), NOW, "t", authority=Local(tsa))


def opened(octets: bytes, of: Agency, at: Any = NOW, anchors: tuple[bytes, ...] = ()) -> Opened:
    return open_xades(parse(octets), of.policy("vn-2025"), at, anchors)


# --- other implementations ---------------------------------------------------------------


def by_xmlsec(octets: bytes, of: Agency) -> None:
    root = etree.fromstring(octets)
    context = xmlsec.SignatureContext()
    for element in root.iter():
        if element.get("Id"):
            context.register_id(element, "Id")
    context.key = xmlsec.Key.from_memory(of.issued.pem, xmlsec.KeyFormat.CERT_PEM)
    context.verify(root[-1])


def by_signxml(octets: bytes, of: Agency) -> bytes:
    expected = XAdESSignatureConfiguration(location="./")
    results = XAdESVerifier().verify(
        etree.fromstring(octets), x509_cert=of.issued.certificate, expect_config=expected
    )
    return results[0].signed_data


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("method", [ECDSA_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA512, RSA_SHA256])
def test_what_we_sign(rsa: Agency, ec: Agency, document: bytes, method: str) -> None:
    by = ec if method == ECDSA_SHA256 else rsa
    octets = sign_xades(parse(document), by.signer(method), NOW, "t")
    found = opened(octets, by)
    assert found.content == c14n(parse(document))
    assert (found.party, found.algorithm, found.proof) == ("agency", method, Proof.CLAIMED)
    assert found.signed_at == NOW
    by_xmlsec(octets, by)


def test_stock_signxml_verifies_what_we_sign(ec: Agency, signed: bytes) -> None:
    assert by_signxml(signed, ec) == c14n(parse(DOCUMENT))


def by_stock_signer(of: Agency, document: bytes = DOCUMENT, **options: Any) -> bytes:
    options.setdefault("signature_algorithm", signxml.SignatureMethod.ECDSA_SHA256)
    options.setdefault("c14n_algorithm", signxml.CanonicalizationMethod.CANONICAL_XML_1_0)
    root = XAdESSigner(**options).sign(
        etree.fromstring(document),
        key=of.issued.key,
        cert=[of.issued.certificate],
        always_add_key_value=False,
    )
    return etree.tostring(root)


@pytest.mark.parametrize("document", [DOCUMENT, DOCUMENT.replace(b' Id="m1"', b"")])
def test_stock_signxml_signs_and_we_verify(ec: Agency, document: bytes) -> None:
    assert opened(by_stock_signer(ec, document), ec).content == c14n(parse(document))


def key_on(curve: ec_keys.EllipticCurve) -> Agency:
    """Make an agency with a key on another curve."""
    key = ec_keys.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agency")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7)
    dated = builder.not_valid_before(NOW - timedelta(9)).not_valid_after(NOW + timedelta(9))
    return Agency(Issued(key, dated.sign(key, hashes.SHA256())))


@pytest.mark.parametrize(
    ("curve", "method"),
    [
        (ec_keys.SECP256R1(), ECDSA_SHA3_256),
        (ec_keys.SECP384R1(), ECDSA_SHA384),
        (ec_keys.SECP521R1(), ECDSA_SHA512),
        (ec_keys.SECP521R1(), ECDSA_SHA3_512),
    ],
)
def test_other_curves_and_sha3(curve: ec_keys.EllipticCurve, method: str) -> None:
    by = key_on(curve)
    octets = sign_xades(parse(DOCUMENT), by.signer(method), NOW, "t")
    assert opened(octets, by).algorithm == method
    assert by_signxml(octets, by) == c14n(parse(DOCUMENT))


def test_pss_with_sha3(rsa: Agency) -> None:
    octets = sign_xades(parse(DOCUMENT), rsa.signer(RSA_PSS_SHA3_384), NOW, "t")
    assert opened(octets, rsa).algorithm == RSA_PSS_SHA3_384
    assert by_signxml(octets, rsa) == c14n(parse(DOCUMENT))


def test_exclusive_c14n_is_not_the_profile(ec: Agency) -> None:
    exclusive = signxml.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    found = refusal(lambda: opened(by_stock_signer(ec, c14n_algorithm=exclusive), ec))
    assert (found.code, found.rule) == ("algorithm-not-allowed", "algorithm")


# --- level T -----------------------------------------------------------------------------


def test_a_timestamp_makes_level_t(
    ec: Agency, stamped: bytes, tsa: TimestampServer, folder: Path
) -> None:
    found = opened(stamped, ec, anchors=(tsa.anchor,))
    assert found.proof is Proof.TIMESTAMP
    assert abs(found.signed_at - NOW) < timedelta(minutes=40)
    by_xmlsec(stamped, ec)
    value = c14n(parse(stamped)[-1][1])  # ds:SignatureValue
    (folder / "value").write_bytes(value)
    (folder / "token").write_bytes(found.token)
    words = ("ts", "-verify", "-data", "value", "-in", "token", "-token_in")
    assert b"OK" in openssl(folder, *words, "-CAfile", tsa.anchor_file)


@pytest.mark.proves(
    attack="a certificate ends, or is revoked, after it signed",
    code="-",
    behaviour="The certificate is judged at the time of the timestamp: the signature stays good.",
)
def test_a_timestamped_signature_outlives_its_certificate(
    ec: Agency, stamped: bytes, tsa: TimestampServer
) -> None:
    later = NOW + timedelta(days=3000)
    assert opened(stamped, ec, later, (tsa.anchor,)).proof is Proof.TIMESTAMP


@pytest.mark.proves(
    attack="a key whose certificate has ended signs, and is timestamped now",
    code="certificate-expired",
    rule="expired",
    behaviour="Refused: the time of the timestamp counts, not the one that the signer states.",
)
def test_an_ended_certificate_cannot_be_back_dated(tsa: TimestampServer) -> None:
    ended = agency(start=NOW - timedelta(days=20), days=10)
    claims = NOW - timedelta(days=15)
    octets = sign_xades(parse(DOCUMENT), ended.signer(), claims, "t", authority=Local(tsa))
    found = refusal(lambda: opened(octets, ended, anchors=(tsa.anchor,)))
    assert (found.code, found.rule) == ("certificate-expired", "expired")
    bare = sign_xades(parse(DOCUMENT), ended.signer(), claims, "t")
    assert refusal(lambda: opened(bare, ended)).code == "stale"


@pytest.mark.proves(
    attack="the timestamp of another signature",
    code="timestamp-invalid",
    rule="timestamp-imprint",
    behaviour="Refused: it must be over this SignatureValue, canonical.",
)
def test_a_timestamp_that_was_moved(ec: Agency, stamped: bytes, tsa: TimestampServer) -> None:
    other = etree.fromstring(sign_xades(parse(LANGUAGE), ec.signer(), NOW, "t"))
    (unsigned,) = etree.fromstring(stamped).iter(f"{X}UnsignedProperties")
    next(other.iter(f"{X}QualifyingProperties")).append(unsigned)
    found = refusal(lambda: opened(etree.tostring(other), ec, anchors=(tsa.anchor,)))
    assert (found.code, found.rule) == ("timestamp-invalid", "timestamp-imprint")


def test_a_timestamp_of_nobody_that_we_know(ec: Agency, stamped: bytes) -> None:
    assert refusal(lambda: opened(stamped, ec)).rule == "timestamp-authority"


def test_without_the_timestamp_the_stated_time_counts(ec: Agency, stamped: bytes) -> None:
    root = etree.fromstring(stamped)
    (unsigned,) = root.iter(f"{X}UnsignedProperties")
    unsigned.getparent().remove(unsigned)
    assert opened(etree.tostring(root), ec).proof is Proof.CLAIMED
    late = NOW + timedelta(hours=25)
    assert refusal(lambda: opened(etree.tostring(root), ec, late)).code == "stale"


@pytest.mark.proves(
    attack="the timestamp is taken out of a signature that must have one",
    code="timestamp-invalid",
    rule="timestamp-missing",
    behaviour="Refused where the settings say that the agency's signatures are stamped.",
)
def test_a_timestamp_may_be_due(
    ec: Agency, rsa: Agency, signed: bytes, stamped: bytes, tsa: TimestampServer
) -> None:
    def due(of: Agency, octets: bytes) -> Opened:
        policy = of.policy("vn-2025")
        strict = replace(policy, profile=replace(policy.profile, stamped=True))
        return open_xades(parse(octets), strict, NOW, (tsa.anchor,))

    assert due(ec, stamped).proof is Proof.TIMESTAMP
    assert refusal(lambda: due(ec, signed)).rule == "timestamp-missing"
    assert refusal(lambda: due(rsa, dot_net(rsa, DOCUMENT))).code == "signature-scope"


def test_a_signature_of_the_future(ec: Agency) -> None:
    octets = sign_xades(parse(DOCUMENT), ec.signer(), NOW + timedelta(minutes=6), "t")
    assert refusal(lambda: opened(octets, ec)).code == "future-dated"


# --- legacy shapes -----------------------------------------------------------------------


def dot_net(
    of: Agency, document: bytes, *, transforms: int = 1, prefix: str | None = None
) -> bytes:
    """Sign as .NET does: `<Signature xmlns=...>`, enveloped transform alone, PKCS#1."""
    root = etree.fromstring(document)
    method = xmlsec.Transform.RSA_SHA256
    node = xmlsec.template.create(root, xmlsec.Transform.C14N, method, ns=prefix)
    root.append(node)
    reference = xmlsec.template.add_reference(node, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    if transforms > 1:
        xmlsec.template.add_transform(reference, xmlsec.Transform.C14N)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(_private(of), xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(of.issued.pem, xmlsec.KeyFormat.CERT_PEM)
    context.sign(node)
    return etree.tostring(root)


def _private(of: Agency) -> bytes:
    return bytes(of.issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("transforms", [1, 2])
@pytest.mark.parametrize("prefix", [None, "ds"])
def test_plain_signatures_still_verify(
    rsa: Agency, document: bytes, transforms: int, prefix: str | None
) -> None:
    octets = dot_net(rsa, document, transforms=transforms, prefix=prefix)
    assert (b"<Signature xmlns=" in octets) == (prefix is None)
    found = opened(octets, rsa)
    assert found.content == c14n(parse(document))
    assert (found.algorithm, found.proof) == (RSA_SHA256, Proof.RECEIVED)
    assert found.signed_at == NOW


def test_signxml_as_shipped_refuses_the_default_namespace(rsa: Agency) -> None:
    """The reason for the parsing anew: remove it when this test fails."""
    document = b'<Message xmlns="urn:a"><Head/></Message>'
    octets = dot_net(rsa, document)
    with pytest.raises(signxml.exceptions.InvalidSignature):
        signxml.XMLVerifier().verify(
            etree.fromstring(octets),
            x509_cert=rsa.issued.certificate,
            expect_config=signxml.SignatureConfiguration(
                location="./",
                default_reference_c14n_method=(signxml.CanonicalizationMethod.CANONICAL_XML_1_0),
            ),
        )
    assert opened(octets, rsa)


def test_a_default_namespace_xades(ec: Agency, signed: bytes) -> None:
    """XAdES whose ds: elements have no prefix, as .NET writes them, signed by xmlsec."""
    root = etree.fromstring(
        signed.replace(b"<ds:", b"<").replace(b"</ds:", b"</").replace(b"xmlns:ds=", b"xmlns=")
    )
    context = xmlsec.SignatureContext()
    for element in root.iter():
        if element.get("Id"):
            context.register_id(element, "Id")
    context.key = xmlsec.Key.from_memory(_private(ec), xmlsec.KeyFormat.PEM)
    context.sign(root[-1])
    octets = etree.tostring(root)
    assert b"<Signature xmlns=" in octets
    assert opened(octets, ec).content == c14n(parse(DOCUMENT))


def test_a_changed_plain_signature(rsa: Agency) -> None:
    octets = dot_net(rsa, DOCUMENT).replace(b"thanh", b"tranh")
    assert refusal(lambda: opened(octets, rsa)).code == "signature-invalid"


# --- attacks -----------------------------------------------------------------------------


def test_a_changed_document(ec: Agency, signed: bytes) -> None:
    found = refusal(lambda: opened(signed.replace(b"thanh", b"tranh"), ec))
    assert (found.code, found.rule) == ("signature-invalid", "digest")


def test_changed_properties(ec: Agency, signed: bytes) -> None:
    (time,) = etree.fromstring(signed).iter(f"{X}SigningTime")
    earlier = (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    bent = signed.replace(str(time.text).encode(), earlier.encode())
    assert refusal(lambda: opened(bent, ec)).rule == "properties-digest"


CAUSES: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("whitespace-around-signature", lambda o: o.replace(b"<ds:Signature ", b"\n  <ds:Signature ")),
    ("indented-after-signing", lambda o: o.replace(b"<Body>", b"\n  <Body>")),
    (
        "namespace-prefixes",
        lambda o: (
            o.replace(b"<ds:", b"<dsig:")
            .replace(b"</ds:", b"</dsig:")
            .replace(b"xmlns:ds=", b"xmlns:dsig=")
        ),
    ),
]


@pytest.mark.parametrize(("rule", "change"), CAUSES, ids=[rule for rule, _ in CAUSES])
def test_mistakes_of_real_senders_are_named(
    ec: Agency, signed: bytes, rule: str, change: Callable[[bytes], bytes]
) -> None:
    bent = change(signed)
    assert bent != signed
    assert refusal(lambda: opened(bent, ec)).rule == rule


def test_a_der_value_is_named(ec: Agency, signed: bytes) -> None:
    root = etree.fromstring(signed)
    value = root[-1][1]
    value.text = base64.b64encode(der_of(base64.b64decode(value.text))).decode()
    assert refusal(lambda: opened(etree.tostring(root), ec)).rule == "der-value"


def test_another_certificate_of_the_same_key(ec: Agency, signed: bytes) -> None:
    """The signed properties name one certificate: another one cannot take its place."""
    other = agency()
    root = etree.fromstring(signed)
    (held,) = root.iter(f"{Q}X509Certificate")
    held.text = base64.b64encode(other.issued.der).decode()
    bent = etree.tostring(root)
    assert refusal(lambda: opened(bent, ec)).rule == "certificate-digest"


def test_a_key_that_is_not_pinned(ec: Agency) -> None:
    other = agency()
    octets = sign_xades(parse(DOCUMENT), other.signer(), NOW, "t")
    assert refusal(lambda: opened(octets, ec)).rule == "not-pinned"


def wrapping(number: int, octets: bytes) -> bytes:
    """Return one of the eight layouts that hide the signed document in another one."""
    original = etree.fromstring(octets)
    signature = original[-1]
    bare = deepcopy(original)
    bare.remove(bare[-1])
    evil = deepcopy(bare)
    evil[0][0].text = "evil"
    if number in (3, 4, 7, 8):
        evil.set("Id", "m2")
    holder = signature.find(f"{Q}Object")
    extension = etree.Element("Extension")
    layouts: dict[int, Callable[[], Any]] = {
        1: lambda: (etree.SubElement(signature, f"{Q}Object").append(bare), evil.append(signature)),
        2: lambda: evil.extend([bare, signature]),
        3: lambda: evil.extend([bare, signature]),
        4: lambda: evil.append(original),
        5: lambda: evil.extend([signature, bare]),
        6: lambda: (holder.append(bare), evil.append(signature)),
        7: lambda: (extension.append(original), evil.append(extension)),
        8: lambda: (extension.append(bare), evil.extend([extension, signature])),
    }
    layouts[number]()
    return etree.tostring(evil)


@pytest.mark.proves(
    attack="signature wrapping, eight layouts, of a XAdES signature",
    code="signature-scope",
    rule="last-child-of-root",
    behaviour="Refused by the exact shape, or by the digest; what is used is what was signed.",
)
@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("uri", ["", "#m1"])
def test_wrapping_is_refused(ec: Agency, number: int, uri: str) -> None:
    document = DOCUMENT if uri else DOCUMENT.replace(b' Id="m1"', b"")
    octets = by_stock_signer(ec, document)
    assert opened(octets, ec)
    wrapped = wrapping(number, octets)
    assert b">evil<" in wrapped
    assert refusal(lambda: opened(wrapped, ec)).code in ("signature-scope", "signature-invalid")


def bend(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    def bent(octets: bytes) -> bytes:
        root = etree.fromstring(octets)
        change(root)
        return etree.tostring(root)

    return bent


def first(root: Any, tag: str) -> Any:
    return next(root.iter(tag))


def _again(tag: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        element = first(root, tag)
        again = deepcopy(element)
        for each in again.iter():
            each.attrib.pop("Id", None)  # an id twice would be refused first
        element.addnext(again)

    return change


def _gone(tag: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        element = first(root, tag)
        element.getparent().remove(element)

    return change


def _has(tag: str, name: str, value: str) -> Callable[[Any], None]:
    return lambda root: first(root, tag).set(name, value)


def _adds(tag: str, child: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        etree.SubElement(first(root, tag), child)

    return change


def _renamed(tag: str) -> Callable[[Any], None]:
    return lambda root: setattr(first(root, tag), "tag", f"{tag}X")


def _says(tag: str, text: str) -> Callable[[Any], None]:
    return lambda root: setattr(first(root, tag), "text", text)


def _last(root: Any) -> Any:
    return list(root.iter(f"{Q}Reference"))[-1]


WITH_COMMENTS = INCLUSIVE_C14N + "#WithComments"
SIGNED = "http://uri.etsi.org/01903#SignedProperties"
SHAPES: list[tuple[str, Callable[[Any], None]]] = [
    ("three-references", _again(f"{Q}Reference")),  # a fourth Reference
    ("three-references", lambda root: first(root, f"{Q}SignedInfo").remove(_last(root))),
    ("reference", lambda root: [r.attrib.pop("Type", None) for r in root.iter(f"{Q}Reference")]),
    ("reference", lambda root: [r.set("Type", SIGNED) for r in root.iter(f"{Q}Reference")]),
    ("reference", lambda root: list(root.iter(f"{Q}Reference"))[1].set("URI", "")),
    ("reference", lambda root: list(root.iter(f"{Q}Reference"))[2].set("URI", "#m1")),
    ("reference", lambda root: first(root, f"{Q}Reference").set("URI", "http://example.test/")),
    ("reference", lambda root: first(root, f"{Q}Reference").attrib.pop("URI")),
    ("reference", _has(f"{X}QualifyingProperties", "Target", "#other")),
    ("reference", _has(f"{X}DataObjectFormat", "ObjectReference", "#other")),
    ("reference", _has(f"{X}DataObjectFormat", "Id", "x")),
    ("reference", lambda root: first(root, f"{X}QualifyingProperties").attrib.pop("Target")),
    ("reference", lambda root: root[-1].attrib.pop("Id")),
    ("children", _again(f"{Q}Object")),
    ("children", _again(f"{X}QualifyingProperties")),
    ("children", _again(f"{X}SigningTime")),
    ("children", _again(f"{X}SigningCertificateV2")),
    ("children", _again(f"{X}CertDigest")),
    ("children", _again(f"{Q}X509Data")),
    ("children", _again(f"{X}DataObjectFormat")),
    ("children", _gone(f"{X}SigningCertificateV2")),
    ("children", _gone(f"{X}SigningTime")),
    ("children", _gone(f"{X}CertDigest")),
    ("children", _gone(f"{X}Cert")),
    ("children", _gone(f"{Q}X509Certificate")),
    ("children", _gone(f"{Q}X509Data")),
    ("children", _gone(f"{Q}KeyInfo")),
    ("children", _gone(f"{Q}DigestValue")),
    ("children", _gone(f"{Q}DigestMethod")),
    ("children", _again(f"{Q}DigestValue")),
    ("children", _renamed(f"{Q}CanonicalizationMethod")),
    ("children", _renamed(f"{Q}SignatureMethod")),
    ("children", _renamed(f"{Q}Reference")),
    ("children", _renamed(f"{Q}Transforms")),
    ("children", _renamed(f"{Q}DigestMethod")),
    ("children", _renamed(f"{X}Cert")),
    ("children", _renamed(f"{X}SignedProperties")),
    ("children", _renamed(f"{X}MimeType")),
    ("children", _adds(f"{X}Description", "x")),
    ("children", _has(f"{X}MimeType", "Id", "x")),
    ("children", _adds(f"{Q}Object", f"{Q}Manifest")),
    ("children", _adds(f"{Q}KeyInfo", f"{Q}KeyValue")),
    ("children", _adds(f"{Q}DigestValue", "x")),
    ("children", _has(f"{Q}SignatureValue", "Encoding", "hex")),
    ("children", _has(f"{Q}DigestValue", "Id", "x")),
    ("children", _has(f"{Q}X509Certificate", "Id", "x")),
    ("children", _adds(f"{X}SignedSignatureProperties", f"{X}SignaturePolicyIdentifier")),
    ("children", _adds(f"{X}SignedProperties", f"{X}Other")),
    ("children", _adds(f"{X}QualifyingProperties", f"{X}Other")),
    ("children", _adds(f"{X}QualifyingProperties", f"{X}UnsignedProperties")),
    ("three-references", _adds(f"{Q}SignedInfo", f"{Q}Manifest")),
    ("transforms", _gone(f"{Q}Transforms")),
    ("transforms", _again(f"{Q}Transforms")),
    ("transforms", lambda root: first(root, f"{Q}Transforms").clear()),
    ("transforms", lambda root: root[-1][0][3].insert(0, etree.Element(f"{Q}Transforms"))),
    ("transforms", lambda root: root[-1][0][2].insert(0, etree.Element(f"{Q}Transforms"))),
    ("transforms", _gone(f"{Q}Transform")),
    ("transforms", _again(f"{Q}Transform")),
    ("algorithm", _has(f"{Q}Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")),
    ("algorithm", _has(f"{Q}DigestMethod", "Algorithm", f"{DS}sha1")),
    ("algorithm", _has(f"{Q}SignatureMethod", "Algorithm", f"{DS}rsa-sha1")),
    ("algorithm", _has(f"{Q}SignatureMethod", "Algorithm", f"{DS}hmac-sha1")),
    ("algorithm", _has(f"{Q}CanonicalizationMethod", "Algorithm", WITH_COMMENTS)),
    ("algorithm", lambda root: root[-1].find(f".//{X}CertDigest")[0].set("Algorithm", f"{DS}sha1")),
    ("duplicate-id", _has(f"{X}SignedProperties", "Id", "m1")),
    ("duplicate-id", _has(f"{Q}KeyInfo", "id", "m1")),  # in another spelling
    ("attributes", _has(f"{Q}KeyInfo", "id", "x")),
    ("attributes", _has(f"{Q}Signature", "Target", "x")),
    ("attributes", _has(f"{Q}SignedInfo", "Target", "x")),
    ("attributes", _has(f"{Q}Reference", "Target", "x")),
    ("attributes", _has(f"{Q}Object", "MimeType", "x")),
    ("attributes", _has(f"{X}QualifyingProperties", "x", "x")),
    ("attributes", _has(f"{X}SignedProperties", "x", "x")),
    ("attributes", _has(f"{X}SignedSignatureProperties", "x", "x")),
    ("attributes", _has(f"{X}SignedDataObjectProperties", "x", "x")),
    ("attributes", _has(f"{X}SigningCertificateV2", "x", "x")),
    ("signing-time", _adds(f"{X}SigningTime", "x")),
    ("signing-time", _has(f"{X}SigningTime", "x", "x")),
    ("signing-time", _says(f"{X}SigningTime", "2026-05-14T01:30:00")),
    ("signing-time", _says(f"{X}SigningTime", "9" * 5000)),
    ("base64", _says(f"{Q}SignatureValue", "!")),
    ("base64", _says(f"{Q}DigestValue", "!")),
    ("base64", lambda root: setattr(_last(root)[-1], "text", "AA=A")),
    ("base64", _says(f"{Q}X509Certificate", "!")),
    ("text", _says(f"{Q}Object", "text")),
    ("text", _says(f"{Q}Transforms", "text")),
    ("text", _says(f"{X}DataObjectFormat", "text")),
    ("comment", lambda root: root.append(etree.Comment("x"))),
    ("one-signature", lambda root: root.append(deepcopy(root[-1]))),
    ("last-child-of-root", lambda root: root[0].append(root[-1])),
    ("signature-missing", lambda root: root.remove(root[-1])),
]  # fmt: skip


@pytest.mark.proves(
    attack="a XAdES signature with a part that the profile does not list: a fourth Reference, "
    "a second Object, a Manifest, a policy, transforms, an id twice",
    code="signature-scope",
    rule="three-references",
    behaviour="Refused before any mathematics: each list of children and attributes is exact.",
)
@pytest.mark.parametrize(("rule", "change"), SHAPES, ids=range(len(SHAPES)))
def test_another_shape(ec: Agency, signed: bytes, rule: str, change: Callable[[Any], None]) -> None:
    bent = bend(change)(signed)
    assert refusal(lambda: opened(bent, ec)).rule == rule


def test_properties_of_nothing(ec: Agency, signed: bytes) -> None:
    root = etree.fromstring(signed)
    root[-1].attrib.pop("Id")
    first(root, f"{X}QualifyingProperties").set("Target", "#None")
    assert refusal(lambda: opened(etree.tostring(root), ec)).rule == "reference"


def test_a_stranger_among_the_properties(ec: Agency) -> None:
    """A second Cert names who else is in KeyInfo: it is read past, and may be nothing else."""
    root = etree.fromstring(by_stock_signer(ec))
    etree.SubElement(first(root, f"{X}SigningCertificateV2"), f"{X}Other")
    assert refusal(lambda: opened(etree.tostring(root), ec)).rule == "children"


STAMP_SHAPES: list[Callable[[Any], None]] = [
    _has(f"{X}UnsignedProperties", "x", "x"),
    _has(f"{X}UnsignedSignatureProperties", "x", "x"),
    _has(f"{X}SignatureTimeStamp", "x", "x"),
    _has(f"{X}EncapsulatedTimeStamp", "x", "x"),
    _again(f"{X}SignatureTimeStamp"),
    _again(f"{X}UnsignedSignatureProperties"),
    _again(f"{X}UnsignedProperties"),
    _again(f"{X}EncapsulatedTimeStamp"),
    _gone(f"{X}EncapsulatedTimeStamp"),
    _gone(f"{X}SignatureTimeStamp"),
    _adds(f"{X}UnsignedSignatureProperties", f"{X}CounterSignature"),
    _renamed(f"{X}EncapsulatedTimeStamp"),
    lambda root: _c14n_of_stamp(root).addnext(deepcopy(_c14n_of_stamp(root))),
    lambda root: setattr(_c14n_of_stamp(root), "tag", f"{Q}Transform"),
]


def _c14n_of_stamp(root: Any) -> Any:
    return first(root, f"{X}SignatureTimeStamp")[0]


def test_another_c14n_of_the_timestamp(ec: Agency, stamped: bytes, tsa: TimestampServer) -> None:
    def opened_with(change: Callable[[Any], Any]) -> Opened:
        return opened(bend(change)(stamped), ec, anchors=(tsa.anchor,))

    gone = opened_with(lambda root: _c14n_of_stamp(root).getparent().remove(_c14n_of_stamp(root)))
    assert gone.proof is Proof.TIMESTAMP  # inclusive C14N 1.0 is the default
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    found = refusal(
        lambda: opened_with(lambda root: _c14n_of_stamp(root).set("Algorithm", exclusive))
    )
    assert (found.code, found.rule) == ("algorithm-not-allowed", "algorithm")


@pytest.mark.parametrize("change", STAMP_SHAPES, ids=range(len(STAMP_SHAPES)))
def test_another_shape_of_the_timestamp(
    ec: Agency, stamped: bytes, tsa: TimestampServer, change: Callable[[Any], None]
) -> None:
    found = refusal(lambda: opened(bend(change)(stamped), ec, anchors=(tsa.anchor,)))
    assert found.code == "signature-scope"


@given(st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_gives_other_content(ec: Agency, signed: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(signed) - 1))
    bent = bytearray(signed)
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = opened(bytes(bent), ec)
    except (TrustError, DocumentError):
        return
    assert found.content == c14n(parse(DOCUMENT))


def test_the_signer_is_asked_once(ec: Agency) -> None:
    class Counting:
        key_id, certificate, algorithm = (
            ec.signer().key_id,
            ec.issued.der,
            ECDSA_SHA256,
        )
        asked = 0

        def sign(self, message: bytes) -> bytes:
            self.asked += 1
            return ec.signer().sign(message)

    signer = Counting()
    assert opened(sign_xades(parse(DOCUMENT), signer, NOW, "t"), ec)
    assert signer.asked == 1
