"""Enveloping, bare and detached forms: openssl as the other side, and what is refused."""

import base64
import hashlib
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa as keys
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from form_parties import NOW, Agency, agency, openssl, refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import DocumentError, TrustError
from gateway.safexml import c14n, parse
from gateway.signing.algorithms import RSA_SHA1, RSA_SHA256, SM2_SM3, SM2_SM3_EPORT, der_of
from gateway.signing.bare import sign_bare
from gateway.signing.bare_keys import number_of
from gateway.signing.detached import sign_detached_value
from gateway.signing.enveloping import sign_enveloping
from gateway.signing.forms import open_signed
from gateway.signing.issue import Issued, KeyKind
from gateway.signing.opened import Opened, Proof
from gateway.signing.profiles import PROFILES, profile
from gateway.signing.sign import sign_document

PACKAGE = (
    b"<Package><EnvelopInfo><message_type>SAS121</message_type><sender_id>DXPENT0000000001"
    b"</sender_id></EnvelopInfo><DataInfo><BussinessData><PassPortMessage><PassportHead><VehicleNo>"
    b"\xe6\xa1\x82A12345</VehicleNo></PassportHead></PassPortMessage></BussinessData></DataInfo>"
    b"</Package>"
)
DECLARATION = (
    b'<DecMessage xmlns="http://www.chinaport.gov.cn/dec" Version="4.8"><DecHead><IEFlag>I</IEFlag>'
    b"</DecHead><DecSign><OperType>C</OperType><ClientSeqNo>T1</ClientSeqNo><Sign/><SignDate/>"
    b"<Certificate/></DecSign></DecMessage>"
)
HEADER = b"<Header><From><name>x</name></From></Header>"
DOCUMENT = b"<Declaration><reference>1</reference></Declaration>"


@pytest.fixture(scope="module")
def sm2() -> Agency:
    return agency(KeyKind.SM2)


@pytest.fixture(scope="module")
def rsa() -> Agency:
    return agency(KeyKind.RSA3072)


@pytest.fixture(scope="module")
def ec() -> Agency:
    return agency()


def opened(octets: bytes, of: Agency, name: str, at: datetime = NOW, **options: Any) -> Opened:
    return open_signed(octets, of.policy(name, **options), at)


def sas(of: Agency, name: str = "cn-sas-enveloping") -> bytes:
    return sign_enveloping(PACKAGE, of.signer(profile(name).methods[0]), profile(name), "sas1")


def declaration(of: Agency, at: datetime = NOW) -> bytes:
    return sign_bare(parse(DECLARATION), of.signer(SM2_SM3_EPORT), profile("cn-decsign"), at)


def envelope(of: Agency, method: str | None = None) -> bytes:
    shape = profile("vn-customs-detached")
    return sign_detached_value(DOCUMENT, parse(HEADER), of.signer(method), shape)


def test_every_form_has_its_row() -> None:
    shapes = {entry.shape for entry in PROFILES.values()}
    assert len(shapes) == 6


# --- both ways ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "method"),
    [("cn-sas-enveloping", SM2_SM3_EPORT), ("cn-sas-enveloping-2022", SM2_SM3)],
)
def test_an_enveloped_package(sm2: Agency, name: str, method: str) -> None:
    found = opened(sas(sm2, name), sm2, name)
    assert found.content == PACKAGE
    assert (found.algorithm, found.proof) == (method, Proof.RECEIVED)
    assert found.digest == hashlib.sha256(PACKAGE).hexdigest()
    assert opened(sas(sm2, name).replace(b"<SignedInfo>", b"\n <SignedInfo>"), sm2, name)


def test_a_schema_may_be_named(sm2: Agency) -> None:
    """As the published template does; its namespace is in scope of SignedInfo, and is signed."""
    root = etree.fromstring(
        sas(sm2).replace(
            b"<Signature>",
            b'<Signature xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            b'xsi:noNamespaceSchemaLocation="SAS121.xsd">',
            1,
        )
    )
    holder = c14n(root[3])
    next(root.iter("DigestValue")).text = base64.b64encode(hashlib.sha256(holder).digest()).decode()
    value = sm2.signer(SM2_SM3_EPORT).sign(c14n(root[0]))
    root[1].text = base64.b64encode(value).decode()
    found = opened(etree.tostring(root), sm2, "cn-sas-enveloping")
    assert etree.fromstring(found.content)[0][0].text == "SAS121"


def sm2_verified_by_openssl(folder: Path, of: Agency, value: bytes, message: bytes) -> bytes:
    (folder / "value").write_bytes(der_of(value))
    (folder / "message").write_bytes(message)
    (folder / "certificate").write_bytes(of.issued.pem)
    (folder / "key").write_bytes(openssl(folder, "x509", "-in", "certificate", "-pubkey", "-noout"))
    words = (
        "pkeyutl",
        "-verify",
        "-rawin",
        "-digest",
        "sm3",
        "-sigfile",
        "value",
        "-in",
        "message",
    )
    id_ = ("-pkeyopt", "distid:1234567812345678")
    return openssl(folder, *words, "-pubin", "-inkey", "key", *id_)


def test_openssl_verifies_the_value_of_a_package(folder: Path, sm2: Agency) -> None:
    root = etree.fromstring(sas(sm2))
    value = base64.b64decode(root[1].text)
    assert b"Successfully" in sm2_verified_by_openssl(folder, sm2, value, c14n(root[0]))


def test_openssl_verifies_the_value_of_a_declaration(folder: Path, sm2: Agency) -> None:
    root = etree.fromstring(declaration(sm2))
    (field,) = root.iter("{*}Sign")
    value = base64.b64decode(field.text)
    field.text = None
    assert b"Successfully" in sm2_verified_by_openssl(folder, sm2, value, c14n(root))


def openssl_sha1(folder: Path, of: Agency, message: bytes) -> str:
    _, key = of.files(folder)
    (folder / "message").write_bytes(message)
    return base64.b64encode(openssl(folder, "dgst", "-sha1", "-sign", key, "message")).decode()


def old_package(folder: Path, of: Agency) -> bytes:
    """Make what the published template shows: rsa-sha1 and sha1, by openssl."""
    bent = etree.fromstring(sas(agency(KeyKind.SM2)))
    for element in bent.iter("SignatureMethod"):
        element.set("Algorithm", RSA_SHA1)
    for element in bent.iter("DigestMethod"):
        element.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
    digest = hashlib.sha1(c14n(bent[3])).digest()
    next(bent.iter("DigestValue")).text = base64.b64encode(digest).decode()
    next(bent.iter("KeyName")).text = number_of(of.issued.der)
    bent[1].text = openssl_sha1(folder, of, c14n(bent[0]))
    return etree.tostring(bent)


@pytest.mark.proves(
    attack="SHA-1 forms of the Chinese side (enveloping package, value in a declaration)",
    code="algorithm-not-allowed",
    rule="legacy-switch",
    behaviour="Refused without the legacy switch of that counterpart or agency.",
)
def test_sha1_needs_the_switch(folder: Path, rsa: Agency) -> None:
    octets = old_package(folder, rsa)
    assert opened(octets, rsa, "cn-sas-enveloping", legacy=True).content == PACKAGE
    assert refusal(lambda: opened(octets, rsa, "cn-sas-enveloping")).rule == "legacy-switch"


def test_an_old_card_signs_a_declaration(folder: Path) -> None:
    """1,024 bits, as the cards of that time: 172 characters fit, those of 2,048 bits do not."""
    key = keys.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "card")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x03AB)
    dated = builder.not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(9))
    card = Agency(Issued(key, dated.sign(key, hashes.SHA256())))
    root = etree.fromstring(declaration(agency(KeyKind.SM2)))
    value, number = next(root.iter("{*}Sign")), next(root.iter("{*}Certificate"))
    value.text, number.text = None, "03ab"
    value.text = openssl_sha1(folder, card, c14n(root))
    found = opened(etree.tostring(root), card, "cn-decsign", legacy=True)
    assert (found.algorithm, found.proof) == (RSA_SHA1, Proof.CLAIMED)
    refused = refusal(lambda: opened(etree.tostring(root), card, "cn-decsign"))
    assert refused.code == "algorithm-not-allowed"


def test_a_declaration(sm2: Agency) -> None:
    octets = declaration(sm2)
    found = opened(octets, sm2, "cn-decsign")
    assert found.signed_at == NOW
    assert b"<Sign></Sign>" in found.content
    assert b"<IEFlag>I</IEFlag>" in found.content
    assert number_of(sm2.issued.der).encode() in octets


def test_a_value_beside_the_document(folder: Path, rsa: Agency, ec: Agency) -> None:
    for of, method in ((rsa, RSA_SHA256), (ec, None)):
        found = opened(envelope(of, method), of, "vn-customs-detached")
        assert (found.content, found.party) == (DOCUMENT, "agency")
    root = etree.fromstring(envelope(rsa, RSA_SHA256))
    _, key = rsa.files(folder)
    (folder / "document").write_bytes(DOCUMENT)
    made = openssl(folder, "dgst", "-sha256", "-sign", key, "document")
    assert base64.b64decode(root[1][1][0].text) == made  # PKCS#1 has one value
    spki = rsa.issued.certificate.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "key.pem").write_bytes(spki)
    (folder / "value").write_bytes(made)
    words = ("dgst", "-sha256", "-verify", "key.pem", "-signature", "value", "document")
    assert b"OK" in openssl(folder, *words)


def test_a_sha1_value_beside_the_document(folder: Path, rsa: Agency) -> None:
    root = etree.fromstring(envelope(rsa, RSA_SHA256))
    root[1][1][0].text = openssl_sha1(folder, rsa, DOCUMENT)
    octets = etree.tostring(root)
    assert refusal(lambda: opened(octets, rsa, "vn-customs-detached")).rule == "signature-value"
    found = opened(octets, rsa, "vn-customs-detached", legacy=True)
    assert found.algorithm == RSA_SHA1


# --- refused -----------------------------------------------------------------------------


def first(root: Any, name: str) -> Any:
    return next(root.iter(f"{{*}}{name}"))


def again(name: str) -> Callable[[Any], None]:
    return lambda root: first(root, name).addnext(deepcopy(first(root, name)))


def gone(name: str) -> Callable[[Any], None]:
    return lambda root: first(root, name).getparent().remove(first(root, name))


def text(name: str, value: str) -> Callable[[Any], None]:
    return lambda root: setattr(first(root, name), "text", value)


def has(name: str, key: str, value: str) -> Callable[[Any], None]:
    return lambda root: first(root, name).set(key, value)


def into(name: str, child: str) -> Callable[[Any], None]:
    return lambda root: (etree.SubElement(first(root, name), child), None)[1]


def bent(octets: bytes, change: Callable[[Any], None]) -> bytes:
    root = etree.fromstring(octets)
    change(root)
    return etree.tostring(root)


SAS: list[tuple[str, Callable[[Any], None]]] = [
    ("digest", text("VehicleNo", "other")),
    ("signature-value", text("DigestValue", base64.b64encode(b"x" * 32).decode())),
    ("duplicate-id", again("Object")),
    ("children", into("Signature", "Object")),
    ("children", again("Package")),
    ("children", again("Reference")),
    ("children", again("KeyName")),
    ("children", again("SignedInfo")),
    ("children", gone("KeyName")),
    ("children", gone("Package")),
    ("children", gone("DigestValue")),
    ("children", into("SignedInfo", "Manifest")),
    ("children", into("KeyInfo", "X509Data")),
    ("one-signature", into("Package", "Signature")),
    ("one-signature", into("Package", "{urn:other}Signature")),
    ("attributes", has("Signature", "Id", "x")),
    ("attributes", has("Reference", "Type", "x")),
    ("attributes", has("KeyName", "Id", "x")),
    ("reference", has("Reference", "URI", "")),
    ("reference", has("Reference", "URI", "#other")),
    ("duplicate-id", has("Package", "Id", "sas1")),
    ("duplicate-id", has("Package", "id", "sas1")),
    ("algorithm", has("Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")),
    ("transforms", again("Transform")),
    ("transforms", gone("Transform")),
    ("algorithm", has("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5")),
    ("algorithm", has("DigestMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5")),
    ("legacy-switch", has("DigestMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")),
    ("algorithm", has("CanonicalizationMethod", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")),
    ("children", has("Object", "MimeType", "x")),
    ("children", has("Object", "Id", "")),
    ("certificate-number", text("KeyName", "00ff")),
    ("certificate-number", text("KeyName", "")),
    ("base64", text("SignatureValue", "!")),
    ("text", text("KeyInfo", "x")),
    ("comment", lambda root: first(root, "Package").append(etree.Comment("x"))),
    ("signature-missing", lambda root: setattr(root, "tag", "Other")),
    ("signature-missing", lambda root: setattr(root, "tag", "{urn:x}Signature")),
]  # fmt: skip


@pytest.mark.proves(
    attack="wrapping of an enveloping signature: a second Object, payload or signature, another "
    "Reference, an id twice",
    code="signature-scope",
    rule="one-signature",
    behaviour="Refused by the exact shape; only the one element in the Object is used.",
)
@pytest.mark.parametrize(("rule", "change"), SAS, ids=range(len(SAS)))
def test_a_package_that_is_bent(sm2: Agency, rule: str, change: Callable[[Any], None]) -> None:
    octets = bent(sas(sm2), change)
    assert refusal(lambda: opened(octets, sm2, "cn-sas-enveloping")).rule == rule


@pytest.mark.parametrize("outside", ["<!--x-->%b", "%b<!--x-->", "<?x y?>%b", "%b<?x y?>"])
def test_markup_outside_the_package(sm2: Agency, outside: str) -> None:
    octets = outside.encode() % sas(sm2)
    found = refusal(lambda: opened(octets, sm2, "cn-sas-enveloping"))
    assert found.rule == "markup-outside-root"


def test_a_reference_without_transforms_is_the_same_digest(sm2: Agency) -> None:
    """Allowed by the shape; only the value, over another SignedInfo, does not fit."""
    octets = bent(sas(sm2), gone("Transforms"))
    assert refusal(lambda: opened(octets, sm2, "cn-sas-enveloping")).rule == "signature-value"


DEC: list[tuple[str, Callable[[Any], None]]] = [
    ("signature-value", text("IEFlag", "E")),
    ("signature-value", text("ClientSeqNo", "T2")),
    ("signature-value", again("IEFlag")),
    ("one-signature", again("DecSign")),
    ("children", again("Sign")),
    ("children", again("Certificate")),
    ("children", gone("SignDate")),
    ("children", has("Sign", "Id", "x")),
    ("children", into("Sign", "x")),
    ("children", into("Certificate", "x")),
    ("children", has("Certificate", "Id", "x")),
    ("children", into("SignDate", "x")),
    ("one-signature", lambda root: setattr(first(root, "DecSign"), "tag", "{urn:x}DecSign")),
    ("signature-missing", gone("DecSign")),
    ("signature-missing", text("Sign", "")),
    ("signature-missing", lambda root: setattr(root, "tag", "{urn:x}DecMessage")),
    ("one-signature", lambda root: first(root, "DecHead").append(first(root, "DecSign"))),
    ("base64", text("Sign", "PLACEHOLDER-NOT-A-SIGNATURE")),
    ("sign-length", text("Sign", base64.b64encode(b"x" * 200).decode())),
    ("signing-time", text("SignDate", "20261301000000")),
    ("signing-time", text("SignDate", "2020010100000000")),
    ("certificate-number", text("Certificate", "1")),
    ("comment", lambda root: root.append(etree.Comment("x"))),
]


@pytest.mark.proves(
    attack="a declaration changed under the value in DecSign, or with two of them",
    code="signature-invalid",
    rule="signature-value",
    behaviour="Refused: the value is over the whole document but itself, and stands once.",
)
@pytest.mark.parametrize(("rule", "change"), DEC, ids=range(len(DEC)))
def test_a_declaration_that_is_bent(sm2: Agency, rule: str, change: Callable[[Any], None]) -> None:
    octets = bent(declaration(sm2), change)
    assert refusal(lambda: opened(octets, sm2, "cn-decsign")).rule == rule


def test_der_instead_of_raw_is_named(sm2: Agency) -> None:
    value = base64.b64decode(first(etree.fromstring(declaration(sm2)), "Sign").text)
    der = base64.b64encode(der_of(value)).decode()
    octets = bent(declaration(sm2), text("Sign", der))
    assert refusal(lambda: opened(octets, sm2, "cn-decsign")).rule == "der-value"


ENVELOPE: list[tuple[str, Callable[[Any], None]]] = [
    ("signature-value", text("Content", base64.b64encode(b"<Declaration/>").decode())),
    ("children", again("Content")),
    ("one-signature", again("Signature")),
    ("children", again("data")),
    ("children", gone("fileCert")),
    ("children", gone("Header")),
    ("children", into("Body", "x")),
    ("one-signature", into("Header", "Signature")),
    ("signature-missing", gone("Signature")),
    ("signature-missing", lambda root: setattr(root, "tag", "Envelop")),
    ("base64", text("data", "")),
    ("base64", text("Content", "")),
    ("not-pinned", text("fileCert", base64.b64encode(agency().issued.der).decode())),
    ("not-pinned", text("fileCert", "AAAA")),
]


@pytest.mark.parametrize(("rule", "change"), ENVELOPE, ids=range(len(ENVELOPE)))
def test_an_envelope_that_is_bent(rsa: Agency, rule: str, change: Callable[[Any], None]) -> None:
    octets = bent(envelope(rsa, RSA_SHA256), change)
    assert refusal(lambda: opened(octets, rsa, "vn-customs-detached")).rule == rule


@pytest.mark.proves(
    attack="an old declaration handed in again, or one dated ahead",
    code="stale",
    rule="signing-time",
    behaviour="SignDate counts for a day; older is refused, as is what is dated ahead.",
)
def test_the_date_of_a_declaration(sm2: Agency) -> None:
    octets = declaration(sm2)
    late = refusal(lambda: opened(octets, sm2, "cn-decsign", NOW + timedelta(hours=25)))
    early = refusal(lambda: opened(octets, sm2, "cn-decsign", NOW - timedelta(minutes=6)))
    assert (late.code, early.code) == ("stale", "future-dated")


def test_a_value_that_is_longer_than_its_field(rsa: Agency) -> None:
    shape = profile("cn-decsign", legacy=True)

    class Card:
        key_id, certificate, algorithm = "", rsa.issued.der, RSA_SHA1

        def sign(self, message: bytes) -> bytes:
            return bytes(384)

    assert refusal(lambda: sign_bare(parse(DECLARATION), Card(), shape, NOW)).rule == "sign-length"


@pytest.mark.parametrize(
    "content",
    [
        b"<DecMessage/>",
        DECLARATION.replace(b"DecSign", b"Other"),
        DECLARATION.replace(b"<Sign/>", b""),
    ],
)
def test_what_has_no_place_for_a_value(sm2: Agency, content: bytes) -> None:
    shape, by = profile("cn-decsign"), sm2.signer(SM2_SM3_EPORT)
    assert refusal(lambda: sign_bare(parse(content), by, shape, NOW)).rule == "children"


def test_signers_of_another_kind_are_refused(ec: Agency) -> None:
    shape, by = profile("cn-decsign"), ec.signer()
    assert refusal(lambda: sign_bare(parse(DECLARATION), by, shape, NOW)).rule == "signer"
    sm2 = agency(KeyKind.SM2).signer()
    detached = profile("vn-customs-detached")
    found = refusal(lambda: sign_detached_value(DOCUMENT, parse(HEADER), sm2, detached))
    assert found.rule == "signer"
    assert refusal(
        lambda: sign_enveloping(PACKAGE, by, profile("cn-sas-enveloping"), "a")
    ).rule == ("signer")


@given(st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_gives_other_content(sm2: Agency, rsa: Agency, data: st.DataObject) -> None:
    octets, of, name = data.draw(
        st.sampled_from(
            [
                (sas(sm2), sm2, "cn-sas-enveloping"),
                (declaration(sm2), sm2, "cn-decsign"),
                (envelope(rsa, RSA_SHA256), rsa, "vn-customs-detached"),
            ]
        )
    )
    before = opened(octets, of, name).content
    place = data.draw(st.integers(0, len(octets) - 1))
    flipped = bytearray(octets)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = opened(bytes(flipped), of, name)
    except (TrustError, DocumentError):
        return
    assert found.content == before


@pytest.mark.parametrize("name", [n for n, entry in PROFILES.items() if entry.methods])
def test_every_form_refuses_an_unsigned_document(ec: Agency, name: str) -> None:
    with pytest.raises(TrustError) as caught:
        opened(b"<a><b/></a>", ec, name)
    assert caught.value.code in ("signature-missing", "signature-scope")


def test_an_enveloped_document_through_the_same_door(ec: Agency) -> None:
    shape = profile("link-ecdsa-p256")
    octets = sign_document(b"<a><b></b></a>", ec.signer(), shape)
    assert opened(octets, ec, "link-ecdsa-p256").content == b"<a><b></b></a>"
