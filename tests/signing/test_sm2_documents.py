"""SM2 on documents: the profiles, and the mistakes of real senders by name."""

import base64
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from signing_parties import DOCUMENT, DS, NOW, Party, issue
from sm2_parties import gmalg_verifies, sm2_party

from gateway.errors import DocumentError, TrustError
from gateway.safexml import c14n, parse
from gateway.signing import sm2
from gateway.signing.algorithms import (
    ALGORITHMS,
    DIGESTS,
    RSA_SHA1,
    SHA1,
    SM2_SM3_EPORT,
    SM3,
    der_of,
)
from gateway.signing.dsse import sign_statement, verify_statement
from gateway.signing.issue import KeyKind, Purpose
from gateway.signing.keys import key_signer
from gateway.signing.profiles import PROFILES, SignatureProfile, ValueForm, profile
from gateway.signing.sign import sign_document
from gateway.signing.sm2_certificates import sign_certificate
from gateway.signing.sm2_curve import GX, GY, USER_ID, N, signed_digest, sm3
from gateway.signing.sm2_oracle import _times
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

LINK = sm2_party("link-sm2")
EPORT = sm2_party("cn-eport-sm2")
NAMES = ("link-sm2", "cn-sm2-2022", "cn-eport-sm2")
CEB = (
    b'<ceb:CEB621Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="x" version="1.0">'
    b"<ceb:Inventory><ceb:copNo>B2026</ceb:copNo></ceb:Inventory></ceb:CEB621Message>"
)


def as_profile(party: Party, shape: SignatureProfile) -> Party:
    """The same key under another profile."""
    pins = [PinnedKey(party.issued.der, "cn", Usage.MESSAGE)]
    signer = key_signer(party.issued.key, party.issued.der, shape.methods[0], shape.user_id)
    return replace(
        party, signer=signer, profile=shape, policy=TrustPolicy.of(shape, Usage.MESSAGE, pins)
    )


def signed_by(party: Party, document: bytes = CEB) -> bytes:
    return sign_document(c14n(parse(document)), party.signer, party.profile)


def with_value(signed: bytes, change: Callable[[bytes], bytes]) -> bytes:
    def changed(match: re.Match[bytes]) -> bytes:
        return b"SignatureValue>" + base64.b64encode(change(base64.b64decode(match[1]))) + b"</"

    return re.sub(rb"SignatureValue>([^<]+)</", changed, signed, count=1)


def message_of(signed: bytes) -> bytes:
    """Return what is signed: SignedInfo with the namespaces that are in scope of it."""
    (info,) = parse(signed).iter(f"{{{DS}}}SignedInfo")
    return c14n(info)


def cause(party: Party, content: bytes) -> str:
    failure = party.refusal(content)
    assert failure.code == "signature-invalid"
    assert failure.findings[-1].rule in ("digest", "signature-value")
    return failure.findings[0].rule


# --- the profiles -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_document_signed_with_sm2_verifies(name: str) -> None:
    party = sm2_party(name)
    document = c14n(parse(DOCUMENT))
    signed = signed_by(party, DOCUMENT)
    verified = party.verify(signed)
    assert c14n(verified.element) == document
    assert verified.digest == DIGESTS["http://www.w3.org/2001/04/xmlenc#sha256"](document).hex()
    assert verified.algorithm == profile(name).methods[0]


def test_another_implementation_verifies_what_we_signed() -> None:
    signed = signed_by(LINK)
    value = re.search(rb"SignatureValue>([^<]+)<", signed)
    assert value is not None
    key = LINK.issued.key.public
    assert gmalg_verifies(key.point, base64.b64decode(value[1]), message_of(signed))
    stated = re.search(rb"DigestValue>([^<]+)<", signed)
    assert stated is not None
    assert base64.b64decode(stated[1]) == sm3(c14n(parse(CEB)))


def test_the_shape_of_the_e_port() -> None:
    """One transform, a key name, SHA-1 with the switch: as published samples have it."""
    party = as_profile(EPORT, profile("cn-eport-sm2", legacy=True))
    signed = signed_by(party)
    assert SHA1.encode() in signed
    assert SM2_SM3_EPORT.encode() in signed
    assert signed.count(b"<ds:Transform ") == 1
    named = signed.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyName>0312AB</ds:KeyName>")
    assert party.verify(named).party == "cn"
    for bad in (b'<ds:KeyName x="1">a</ds:KeyName>', b"<ds:KeyName><x></x></ds:KeyName>"):
        wrong = signed.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo>" + bad)
        assert party.refusal(wrong).code == "signature-scope"
    twice = named.replace(b"<ds:KeyName>", b"<ds:KeyName>a</ds:KeyName><ds:KeyName>")
    assert party.refusal(twice).code == "signature-scope"


@pytest.mark.proves(
    attack="a SHA-1 digest without the legacy switch",
    code="algorithm-not-allowed",
    rule="legacy-switch",
    behaviour="refused; with the switch, agreed for this counterpart, it is taken",
)
def test_sha1_needs_the_switch() -> None:
    party = as_profile(EPORT, profile("cn-eport-sm2", legacy=True))
    signed = signed_by(party)
    assert party.verify(signed).party == "cn"
    failure = EPORT.refusal(signed)
    assert (failure.code, failure.findings[0].rule) == ("algorithm-not-allowed", "legacy-switch")
    with pytest.raises(TrustError) as caught:
        profile("cn-legacy-rsa")
    assert caught.value.findings[0].rule == "legacy-switch"


def test_rsa_sha1_with_the_switch_alone() -> None:
    issued = issue(kind=KeyKind.RSA3072)
    shape = profile("cn-legacy-rsa", legacy=True)
    signer = key_signer(issued.key, issued.der, shape.methods[0])
    signed = sign_document(c14n(parse(CEB)), signer, shape)
    party = Party(
        issued,
        signer,
        shape,
        TrustPolicy.of(shape, Usage.MESSAGE, [PinnedKey(issued.der, "cn", Usage.MESSAGE)]),
    )
    assert party.verify(signed).party == "cn"
    assert key_signer(issued.key, issued.der).algorithm != shape.methods[0]


def test_short_rsa_keys_sign_with_sha1_alone() -> None:
    """As the certificates of the old e-port have them."""
    short = rsa.generate_private_key(65537, 1024).public_key()
    fitting = [uri for uri, row in ALGORITHMS.items() if row.fits(short)]
    assert fitting == [RSA_SHA1]


def test_no_profile_takes_sha1_by_itself() -> None:
    for entry in PROFILES.values():
        assert SHA1 not in entry.digests
        assert not any("sha1" in method for method in entry.every_method)
        assert not entry.legacy


@pytest.mark.parametrize("form", list(ValueForm))
def test_the_form_of_the_value_is_the_profiles(form: ValueForm) -> None:
    party = as_profile(LINK, replace(profile("link-sm2"), value=form))
    signed = signed_by(party)
    assert party.verify(signed).party == "cn"
    other = next(each for each in ValueForm if each is not form)
    expected = "der-value" if other is ValueForm.DER else "raw-value"
    mine = as_profile(LINK, replace(profile("link-sm2"), value=other))
    assert cause(party, signed_by(mine)) == expected


def test_the_user_id_is_the_profiles() -> None:
    other = as_profile(LINK, replace(profile("link-sm2"), user_id=b"agreed otherwise"))
    assert other.verify(signed_by(other)).party == "cn"
    assert cause(other, signed_by(LINK)) == "sm2-user-id"
    assert cause(LINK, signed_by(other)) == "signature-value"


@pytest.mark.parametrize("name", ["link-ecdsa-p256", "link-rsa-pss"])
def test_an_sm2_signature_does_not_pass_another_profile(name: str) -> None:
    failure = as_profile_of(name).refusal(signed_by(LINK))
    assert failure.code == "algorithm-not-allowed"


def as_profile_of(name: str) -> Party:
    shape = profile(name)
    pins = [PinnedKey(LINK.issued.der, "cn", Usage.MESSAGE)]
    return replace(LINK, profile=shape, policy=TrustPolicy.of(shape, Usage.MESSAGE, pins))


def test_any_changed_octet_is_refused() -> None:
    signed = signed_by(LINK)
    document = c14n(parse(CEB))
    for at in range(0, len(signed), 3):
        changed = signed[:at] + bytes([signed[at] ^ 0x01]) + signed[at + 1 :]
        try:
            verified = LINK.verify(changed)
        except (TrustError, DocumentError):
            continue
        assert c14n(verified.element) == document


# --- mistakes of real senders -------------------------------------------------------------

XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def resigned(party: Party, change: Callable[[bytes], bytes]) -> bytes:
    """Sign other octets than the SignedInfo that stands in the document."""
    signed = signed_by(party)
    value = party.signer.sign(change(message_of(signed)))
    return with_value(signed, lambda _old: value)


@pytest.mark.proves(
    attack="a signature computed over namespaces that are not in scope in the document",
    code="signature-invalid",
    rule="namespaces-not-in-scope",
    behaviour="refused and named: published e-port software declares xsi only while it signs",
)
def test_namespaces_that_are_not_in_scope() -> None:
    wrong = resigned(LINK, lambda m: m.replace(b">", XSI + b">", 1))
    assert cause(LINK, wrong) == "namespaces-not-in-scope"


def test_namespaces_that_were_left_out() -> None:
    wrong = resigned(
        LINK, lambda m: re.sub(rb' xmlns:ceb="[^"]*"', b"", m).replace(b">", XSI + b">", 1)
    )
    assert cause(LINK, wrong) == "namespaces-not-in-scope"
    lone = resigned(LINK, lambda m: re.sub(rb' xmlns:ceb="[^"]*"', b"", m))
    assert cause(LINK, lone) == "exclusive-c14n"


def test_some_namespaces_were_left_out() -> None:
    document = b'<a xmlns="urn:a" xmlns:b="urn:b" xmlns:c="urn:c"><b:x></b:x></a>'
    signed = signed_by(LINK, document)
    value = LINK.signer.sign(message_of(signed).replace(b' xmlns:c="urn:c"', b""))
    assert cause(LINK, with_value(signed, lambda _: value)) == "namespaces-left-out"


@pytest.mark.proves(
    attack="SM2: a value in DER where r || s is due",
    code="signature-invalid",
    rule="der-value",
    behaviour="refused and named",
)
def test_der_where_raw_is_due() -> None:
    assert cause(LINK, with_value(signed_by(LINK), der_of)) == "der-value"


@pytest.mark.proves(
    attack="SM2: r || s where DER is due",
    code="signature-invalid",
    rule="raw-value",
    behaviour="refused and named",
)
def test_raw_where_der_is_due() -> None:
    der = as_profile(LINK, replace(profile("link-sm2"), value=ValueForm.DER))
    assert cause(der, signed_by(LINK)) == "raw-value"


@pytest.mark.parametrize("user_id", [b"ALICE123@YAHOO.COM", USER_ID.hex().encode()])
@pytest.mark.proves(
    attack="SM2: signed with another user id",
    code="signature-invalid",
    rule="sm2-user-id",
    behaviour="refused and named",
)
def test_another_user_id(user_id: bytes) -> None:
    other = key_signer(LINK.issued.key, LINK.issued.der, user_id=user_id)
    assert cause(LINK, signed_by(replace(LINK, signer=other))) == "sm2-user-id"


def scalar_signature(digest: bytes) -> bytes:
    """Sign a digest e as it is, in plain numbers: a throw-away key of a sender who errs."""
    k, e = 0x1234567890ABCDEF, int.from_bytes(digest, "big")
    point = _times(k, (GX, GY))
    assert point is not None
    r = (e + point[0]) % N
    s = pow(1 + SCALAR, -1, N) * (k - r * SCALAR) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


SCALAR = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8


def known_party() -> Party:
    """A party whose private number we know."""
    point = _times(SCALAR, (GX, GY))
    assert point is not None
    public = b"\x04" + b"".join(each.to_bytes(32, "big") for each in point)
    other = sm2.generate()
    der = base64.b64decode(b"".join(other.pem(None).splitlines()[1:-1]))
    der = der.replace(other.public.point, public)
    der = re.sub(rb"(?s)\x04\x20.{32}", lambda _: b"\x04\x20" + SCALAR.to_bytes(32, "big"), der)
    pem = b"-----BEGIN PRIVATE KEY-----\n%b-----END PRIVATE KEY-----\n"
    key = sm2.load_private(pem % base64.encodebytes(der), None)
    assert key.public.point == public
    issued = issue(key=key)
    return as_profile(
        replace(LINK, issued=issued, signer=key_signer(key, issued.der)), profile("link-sm2")
    )


@pytest.mark.proves(
    attack="SM2: a digest without Z, or with Z of an empty user id",
    code="signature-invalid",
    rule="sm2-without-z",
    behaviour="refused and named",
)
def test_a_digest_without_z() -> None:
    party = known_party()
    signed = signed_by(party)
    message = message_of(signed)
    key = party.issued.key.public
    right = scalar_signature(signed_digest(key.point, message, USER_ID))
    assert party.verify(with_value(signed, lambda _: right)).party == "cn"
    bare = scalar_signature(sm3(message))
    assert cause(party, with_value(signed, lambda _: bare)) == "sm2-without-z"
    empty = scalar_signature(signed_digest(key.point, message, b""))
    assert cause(party, with_value(signed, lambda _: empty)) == "sm2-user-id"


@pytest.mark.proves(
    attack="white space added around ds:Signature after signing",
    code="signature-invalid",
    rule="whitespace-around-signature",
    behaviour="refused and named: the published e-port sample was made so",
)
def test_a_signature_on_a_line_of_its_own() -> None:
    signed = signed_by(EPORT)
    moved = signed.replace(b"<ds:Signature ", b"\n    <ds:Signature ")
    moved = moved.replace(b"</ds:Signature>", b"</ds:Signature>\n")
    assert cause(EPORT, moved) == "whitespace-around-signature"


@pytest.mark.proves(
    attack="namespace prefixes rewritten on the way",
    code="signature-invalid",
    rule="namespace-prefixes",
    behaviour="refused and named",
)
def test_prefixes_were_rewritten() -> None:
    document = CEB.replace(b"ceb:", b"ns0:").replace(b"xmlns:ceb", b"xmlns:ns0")
    signed = signed_by(LINK, document).replace(b"ns0:", b"ceb:").replace(b"xmlns:ns0", b"xmlns:ceb")
    assert cause(LINK, signed) == "namespace-prefixes"


def test_a_forgery_has_no_named_cause() -> None:
    assert cause(LINK, signed_by(LINK).replace(b"B2026", b"B2027")) == "digest"
    assert cause(LINK, with_value(signed_by(LINK), lambda v: v[32:] + v[:32])) == "signature-value"
    assert cause(LINK, with_value(signed_by(LINK), lambda _: b"\x01" * 64)) == "signature-value"


def test_naming_the_cause_takes_no_long_time() -> None:
    """Who may connect may also send what costs most to look into."""
    scopes = b" ".join(b'xmlns:p%d="urn:%d"' % (n, n) for n in range(30))
    for document in (b"<a %b></a>" % scopes, CEB):
        signed = with_value(signed_by(LINK, document), lambda _: b"\x01" * 64)
        started = time.process_time()
        assert cause(LINK, signed) == "signature-value"
        assert time.process_time() - started < 0.5


# --- keys that may not sign ---------------------------------------------------------------


USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def certified(key: object, **usage: bool) -> bytes:
    """Return a self-signed certificate of a key with this keyUsage."""
    flags = dict.fromkeys(USAGES, False)
    name = x509.Name.from_rfc4514_string("CN=encryption,C=CN")
    builder = (
        x509.CertificateBuilder(name, name)
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.KeyUsage(**{**flags, **usage}), critical=True)
    )
    made = sign_certificate(builder, key.public_key(), key)  # type: ignore[attr-defined, arg-type]
    return made.public_bytes(Encoding.DER)


@pytest.mark.parametrize("usage", ["key_encipherment", "data_encipherment", "key_agreement"])
@pytest.mark.proves(
    attack="the encryption certificate of a Chinese pair is used for signing",
    code="signer-untrusted",
    rule="encryption-certificate",
    behaviour="refused and named, even if it is pinned",
)
def test_an_encryption_certificate_does_not_sign(usage: str) -> None:
    key = LINK.issued.key
    der = certified(key, **{usage: True})
    shape = profile("link-sm2")
    policy = TrustPolicy.of(shape, Usage.MESSAGE, [PinnedKey(der, "cn", Usage.MESSAGE)])
    party = replace(LINK, signer=key_signer(key, der), policy=policy)
    failure = party.refusal(signed_by(party))
    assert failure.code == "signer-untrusted"
    assert failure.findings[0].rule == "encryption-certificate"


@pytest.mark.parametrize(
    ("days", "rule"), [(-400, "expired"), (0.5, "clock"), (30, "not-yet-valid")]
)
@pytest.mark.proves(
    attack="SM2: a leaf that has expired or is not valid yet, or a wrong clock",
    code="certificate-expired",
    behaviour="refused; a certificate that becomes valid within a day points to the clock",
)
def test_a_leaf_that_is_not_valid_now(days: float, rule: str) -> None:
    made = issue(kind=KeyKind.SM2, start=NOW + timedelta(days=days))
    party = as_profile(replace(LINK, issued=made), profile("link-sm2"))
    failure = party.refusal(signed_by(party))
    assert (failure.code, failure.findings[0].rule) == ("certificate-expired", rule)


# --- statements ---------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", [USER_ID, b"agreed otherwise"])
def test_a_statement_signed_with_sm2(user_id: bytes) -> None:
    made = issue(Purpose.STATEMENT, kind=KeyKind.SM2)
    shape = replace(profile("link-sm2"), user_id=user_id)
    pins = [PinnedKey(made.der, "cn", Usage.STATEMENT)]
    policy = TrustPolicy.of(shape, Usage.STATEMENT, pins)
    signer = key_signer(made.key, made.der, user_id=user_id)
    content = sign_statement("application/x", b"{}", [signer])
    assert verify_statement(content, policy, NOW) == ("application/x", b"{}")
    wrong = sign_statement("application/x", b"{}", [key_signer(made.key, made.der, user_id=b"x")])
    with pytest.raises(TrustError):
        verify_statement(wrong, policy, NOW)


def test_every_method_of_a_profile_is_in_the_table() -> None:
    for name, entry in PROFILES.items():
        for uri in (*entry.every_method, *entry.legacy_methods):
            assert uri in ALGORITHMS, name
        assert {*entry.digests, *entry.legacy_digests} <= set(DIGESTS), name
    assert SM3 in DIGESTS
