"""S/MIME of VNACCS: made and verified by openssl and by us, and what is refused."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from form_parties import CA, NOW, Agency, agency, openssl, refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import TrustError
from gateway.signing.algorithms import ECDSA_SHA256, RSA_PSS_SHA256, RSA_SHA256, RSA_SHA512
from gateway.signing.cms_sign import sign_detached
from gateway.signing.issue import KeyKind
from gateway.signing.opened import Opened, Proof
from gateway.signing.smime import open_smime, sign_smime

EDI = "SS TOR\r\nLạng Sơn 29C-12345\r\n".encode()
PROFILE = "vnaccs-smime"
BOUNDARY = "=_boundary_of_the_test"
TEXT_HEAD = b"Content-Type: text/plain; charset=UTF-8\r\n\r\n"


@pytest.fixture(scope="module")
def rsa() -> Agency:
    return agency(KeyKind.RSA3072)


@pytest.fixture(scope="module")
def ec() -> Agency:
    return agency()


@pytest.fixture(scope="module")
def signed(rsa: Agency) -> bytes:
    return sign_smime(EDI, rsa.signer(RSA_SHA256), NOW, BOUNDARY)


def opened(octets: bytes, of: Agency, **options: object) -> Opened:
    return open_smime(octets, of.policy(PROFILE, **options), NOW)


def wrapped(der: bytes, micalg: str = "sha-256", first: bytes | None = None) -> bytes:
    """Put a CMS into a multipart/signed."""
    part = first or b"Content-Type: text/plain; charset=UTF-8\r\n\r\n" + EDI
    lines = [
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/signed; protocol="application/x-pkcs7-signature";',
        b' micalg="%b"; boundary="%b"' % (micalg.encode(), BOUNDARY.encode()),
        b"",
        b"--" + BOUNDARY.encode(),
        part,
        b"--" + BOUNDARY.encode(),
        b"Content-Type: application/x-pkcs7-signature",
        b"Content-Transfer-Encoding: base64",
        b"",
        base64.b64encode(der),
        b"--" + BOUNDARY.encode() + b"--",
        b"",
    ]
    return b"\r\n".join(lines)


def by_openssl(folder: Path, of: Agency, *options: str, micalg: str = "sha-256") -> bytes:
    """Sign with `openssl cms` and wrap."""
    certificate, key = of.files(folder)
    part = folder / "part.txt"
    part.write_bytes(b"Content-Type: text/plain; charset=UTF-8\r\n\r\n" + EDI)
    words = ("cms", "-sign", "-binary", "-in", part, "-signer", certificate, "-inkey", key)
    der = openssl(folder, *words, "-outform", "DER", *options)
    return wrapped(der, micalg, part.read_bytes())


# --- both ways ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["cms", "smime"])
def test_openssl_signs_and_we_verify(folder: Path, rsa: Agency, command: str) -> None:
    certificate, key = rsa.files(folder)
    (folder / "edi").write_bytes(b"SS TOR\r\nno diacritics\r\n")
    words = (command, "-sign", "-in", "edi", "-signer", certificate, "-inkey", key)
    whole = openssl(folder, *words, "-text", "-crlfeol", "-md", "sha256")
    found = opened(whole, rsa)
    assert found.content == b"SS TOR\r\nno diacritics\r\n"
    assert (found.party, found.algorithm, found.proof) == ("agency", RSA_SHA256, Proof.CLAIMED)
    assert found.digest == hashlib.sha256(found.content).hexdigest()
    assert found.chain == (rsa.issued.der,)


@pytest.mark.parametrize(
    ("command", "method"),
    [
        ("cms", RSA_SHA256),
        ("smime", RSA_SHA256),
        ("cms", RSA_PSS_SHA256),  # `openssl smime` knows no RSASSA-PSS
        ("cms", RSA_SHA512),
        ("smime", ECDSA_SHA256),
    ],
)
def test_we_sign_and_openssl_verifies(
    folder: Path, rsa: Agency, ec: Agency, command: str, method: str
) -> None:
    by = ec if method == ECDSA_SHA256 else rsa
    whole = sign_smime(EDI, by.signer(method), NOW, BOUNDARY, [CA.der])
    (folder / "ca.pem").write_bytes(CA.pem)
    (folder / "whole.eml").write_bytes(whole)
    words = (command, "-verify", "-in", "whole.eml", "-CAfile", "ca.pem", "-purpose", "any")
    assert openssl(folder, *words).endswith(b"\r\n\r\n" + EDI)
    assert opened(whole, by).content == EDI


@pytest.mark.parametrize(
    "options",
    [
        ("-md", "sha512"),
        ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"),
    ],
)
def test_other_digests_and_paddings_of_openssl(
    folder: Path, rsa: Agency, options: tuple[str, ...]
) -> None:
    micalg = "sha-512" if "sha512" in options else "sha-256"
    assert opened(by_openssl(folder, rsa, *options, micalg=micalg), rsa).content == EDI


def test_without_a_signing_time_it_counts_as_signed_when_received(
    folder: Path, rsa: Agency
) -> None:
    der = bare_attributes(rsa)
    found = opened(wrapped(der), rsa)
    assert (found.signed_at, found.proof) == (NOW, Proof.RECEIVED)


def bare_attributes(of: Agency) -> bytes:
    """Make a CMS without a signing time."""
    return bent_cms(of, lambda signer: keep(signer, "content_type", "message_digest"))


def bent_cms(of: Agency, change: Callable[[Any], None]) -> bytes:
    """Make a CMS by one of our signers, change its SignerInfo, and sign that again: whatever is
    refused is refused for its form, not for its value."""
    parsed = cms.ContentInfo.load(sign_detached(TEXT_HEAD + EDI, of.signer(RSA_SHA256), NOW))
    signer = parsed["content"]["signer_infos"][0]
    change(signer)
    signed = b"\x31" + signer["signed_attrs"].dump(force=True)[1:]
    signer["signature"] = of.signer(RSA_SHA256).sign(signed)
    return bytes(parsed.dump(force=True))


def keep(signer: Any, *names: str) -> None:
    kept = [each for each in signer["signed_attrs"] if each["type"].native in names]
    signer["signed_attrs"] = cms.CMSAttributes(kept)


def twice(signer: Any) -> None:
    listed = list(signer["signed_attrs"])
    other = {"type": "message_digest", "values": [b"x" * 32]}
    signer["signed_attrs"] = cms.CMSAttributes([*listed, other])


def two_values(signer: Any) -> None:
    (digest,) = [a for a in signer["signed_attrs"] if a["type"].native == "message_digest"]
    digest["values"].append(b"x" * 32)


def by_key_id(signer: Any) -> None:
    signer["sid"] = cms.SignerIdentifier("subject_key_identifier", b"x" * 20)


def algorithm(name: str, parameters: Any = None) -> Callable[[Any], None]:
    def change(signer: Any) -> None:
        signer["signature_algorithm"] = {"algorithm": name, "parameters": parameters}

    return change


def pss(**changes: Any) -> Callable[[Any], None]:
    hashed = {"algorithm": "sha256"}
    mask = {"algorithm": "mgf1", "parameters": hashed}
    usual = {"hash_algorithm": hashed, "mask_gen_algorithm": mask, "salt_length": 32}
    return algorithm("rsassa_pss", usual | changes)


def digest_named(name: str) -> Callable[[Any], None]:
    def change(signer: Any) -> None:
        signer["digest_algorithm"] = {"algorithm": name}

    return change


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("cms-attributes", lambda signer: keep(signer, "content_type")),
        ("cms-attributes", lambda signer: keep(signer, "message_digest")),
        ("cms-attributes", twice),
        ("cms-attributes", two_values),
        ("cms-certificate", by_key_id),
        ("cms-algorithm", algorithm("sha512_rsa")),
        ("cms-algorithm", algorithm("ed25519")),
        ("cms-algorithm", algorithm("sha1_dsa")),
        ("cms-algorithm", algorithm("1.2.3.4")),
        ("cms-algorithm", digest_named("md5")),
        ("cms-algorithm", pss(salt_length=20)),
        ("cms-algorithm", pss(hash_algorithm={"algorithm": "sha512"})),
        ("cms-algorithm", pss(mask_gen_algorithm={
            "algorithm": "mgf1", "parameters": {"algorithm": "sha1"}})),
        ("cms", lambda signer: signer.__setitem__("version", "v3")),
    ],
)  # fmt: skip
def test_a_signer_info_that_is_bent(rsa: Agency, rule: str, change: Callable[[Any], None]) -> None:
    assert refusal(lambda: opened(wrapped(bent_cms(rsa, change)), rsa)).rule == rule


# --- sha1 --------------------------------------------------------------------------------


@pytest.mark.proves(
    attack="S/MIME with SHA-1, as old terminals sign",
    code="algorithm-not-allowed",
    rule="legacy-switch",
    behaviour="Refused; verified only where the agency's profile has the legacy switch. "
    "We never sign so.",
)
def test_sha1_needs_the_switch(folder: Path, rsa: Agency) -> None:
    whole = by_openssl(folder, rsa, "-md", "sha1", micalg="sha1")
    found = refusal(lambda: opened(whole, rsa))
    assert (found.code, found.rule) == ("algorithm-not-allowed", "legacy-switch")
    assert opened(whole, rsa, legacy=True).content == EDI
    changed = whole.replace(b"29C", b"29D")
    assert refusal(lambda: opened(changed, rsa, legacy=True)).rule == "cms-digest"


# --- what is changed ---------------------------------------------------------------------


@pytest.mark.proves(
    attack="an EDI text changed under its S/MIME signature",
    code="signature-invalid",
    rule="cms-digest",
    behaviour="Refused: the digest of the first part, headers included, is not the signed one.",
)
@pytest.mark.parametrize(
    ("old", "new"), [(b"29C", b"29D"), (b"charset=UTF-8", b"charset=utf-8"), (b"8bit", b"7bit")]
)
def test_a_changed_text(signed: bytes, rsa: Agency, old: bytes, new: bytes) -> None:
    assert refusal(lambda: opened(signed.replace(old, new), rsa)).rule == "cms-digest"


@pytest.mark.parametrize(
    ("rule", "over"),
    [
        ("smime-body-alone", EDI),
        ("smime-lf", (TEXT_HEAD + EDI).replace(b"\r\n", b"\n")),
        ("smime-last-line", TEXT_HEAD + EDI + b"\r\n"),
        ("smime-last-line", (TEXT_HEAD + EDI).removesuffix(b"\r\n")),
        ("cms-digest", b"something else"),
    ],
)
def test_mistakes_of_real_senders_are_named(rsa: Agency, rule: str, over: bytes) -> None:
    der = sign_detached(over, rsa.signer(RSA_SHA256), NOW)
    assert refusal(lambda: opened(wrapped(der), rsa)).rule == rule


@pytest.mark.proves(
    attack="S/MIME by a key that the agency does not have",
    code="signer-untrusted",
    rule="not-pinned",
    behaviour="Refused; the certificate that comes along is believed only when it is pinned.",
)
def test_another_key(signed: bytes, ec: Agency) -> None:
    assert refusal(lambda: opened(signed, ec)).rule == "not-pinned"


def test_a_value_by_another_key(signed: bytes, rsa: Agency) -> None:
    other = sign_smime(EDI, agency(KeyKind.RSA3072).signer(RSA_SHA256), NOW, BOUNDARY)
    assert refusal(lambda: opened(other, rsa)).rule == "not-pinned"


@pytest.mark.proves(
    attack="an old signed submission, or one signed with a key whose end has passed and a "
    "back-dated time",
    code="stale",
    rule="signing-time",
    behaviour="Without a timestamp a stated signing time counts for a day; then it is refused.",
)
def test_the_stated_time(rsa: Agency) -> None:
    def at(when: timedelta) -> Callable[[], object]:
        whole = sign_smime(EDI, rsa.signer(RSA_SHA256), NOW + when, BOUNDARY)
        return lambda: opened(whole, rsa)

    assert at(timedelta(hours=-23))()
    old = refusal(at(timedelta(hours=-25)))
    assert (old.code, old.rule) == ("stale", "signing-time")
    ahead = refusal(at(timedelta(minutes=6)))
    assert (ahead.code, ahead.rule) == ("future-dated", "signing-time")


@pytest.mark.proves(
    attack="S/MIME signed when the certificate had ended",
    code="certificate-expired",
    rule="expired",
    behaviour="Refused: validity is judged at the signing time.",
)
def test_validity_is_judged_at_the_signing_time() -> None:
    ending = agency(start=NOW - timedelta(days=10, hours=1), days=10)  # an hour ago
    before = sign_smime(EDI, ending.signer(), NOW - timedelta(hours=2), BOUNDARY)
    assert opened(before, ending).signed_at == NOW - timedelta(hours=2)
    after = sign_smime(EDI, ending.signer(), NOW, BOUNDARY)
    assert refusal(lambda: opened(after, ending)).rule == "expired"


# --- hostile MIME ------------------------------------------------------------------------

TEXT = b"Content-Type: text/plain; charset=UTF-8\r\n"
BAD_MIME: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("mime-type", lambda w: w.replace(b"multipart/signed", b"multipart/mixed")),
    ("mime-type", lambda w: w.replace(b"; micalg=", b'; boundary="x"; micalg=')),
    ("mime-type", lambda w: w.replace(b"; micalg=", b"; boundary*0=x; micalg=")),
    ("mime-type", lambda w: w.replace(b"; micalg=", b"; start=x; micalg=")),
    ("mime-type", lambda w: w.replace(b"x-pkcs7-signature", b"pgp-signature")),
    ("mime-type", lambda w: w.replace(b"x-pkcs7-signature", b"pgp-signature", 1)),
    ("mime-type", lambda w: w.replace(b"Type: application/x-pkcs7", b"Type: application/x-pkcs8")),
    ("mime-type", lambda w: w.replace(b'; name="smime.p7s"', b'; type="x"')),
    ("mime-type", lambda w: w.replace(b"; micalg=", b"; micalg; x=")),
    ("mime-type", lambda w: w.replace(b'"; micalg=', b'"; = micalg=')),
    ("mime-type", lambda w: w.replace(b"text/plain", b"text/html")),
    ("mime-type", lambda w: w.replace(b"charset=UTF-8", b"charset=UTF-8; format=flowed")),
    ("mime-type", lambda w: w.replace(b"text/plain;", b"nonsense;")),
    ("mime-parts", lambda w: w.replace(b"\r\n\r\n--", b"\r\n\r\n\xe7\x81\xab\r\n--", 1)),
    ("mime-type", lambda w: w.replace(b"; charset=UTF-8", b"; charset=UTF-8; charset=UTF-7")),
    ("mime-nested", lambda w: w.replace(b"text/plain; charset=UTF-8", b"multipart/mixed; a=b")),
    ("mime-nested", lambda w: w.replace(b"text/plain; charset=UTF-8", b"message/rfc822; a=b")),
    ("mime-header", lambda w: w.replace(TEXT, TEXT * 2)),
    ("mime-header", lambda w: b"Content-Type: text/plain\r\n" + w),
    ("mime-header", lambda w: w.replace(b"1.0\r\n", b"1.0\r\nSubject: hello\r\n")),
    ("mime-header", lambda w: w.replace(b"1.0\r\n", b"1.0\r\nX: " + b"y" * 5000 + b"\r\n")),
    ("mime-header", lambda w: w.replace(b"1.0\r\n", b"1.0\r\nno colon\r\n")),
    ("mime-header", lambda w: b"Content-Length : 3\r\n" + w),
    ("mime-header", lambda w: b"Content-Length: \xc3\xa9\r\n" + w),
    ("signature-missing", lambda _: b""),
    ("signature-missing", lambda w: b"From: somebody\r\n" + w),
    ("mime-line-end", lambda w: w.replace(b"\r\n", b"\n")),
    ("mime-line-end", lambda w: w.replace(b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\n")),
    ("mime-line-end", lambda w: w.replace(b"SS TOR\r\n", b"SS TOR\n")),
    ("mime-line-end", lambda w: w.replace(b"SS TOR\r\n", b"SS TOR\r")),
    ("mime-parts", lambda w: w.replace(b"SS TOR\r\n", b"SS TOR\r\n--%b\r\n" % BOUNDARY.encode())),
    ("mime-parts", lambda w: w.replace(b"--%b--\r\n" % BOUNDARY.encode(), b"")),
    ("mime-parts", lambda w: w + b"trailing"),
    ("mime-parts", lambda w: w.replace(b"\r\n\r\n--", b"\r\n\r\n" + b"x" * 300 + b"\r\n--", 1)),
    ("mime-boundary", lambda w: w.replace(BOUNDARY.encode(), b"")),
    ("mime-boundary", lambda w: w.replace(BOUNDARY.encode(), b"x" * 71)),
    ("mime-boundary", lambda w: w.replace(b"\r\nContent-Type: app", b"x\r\nContent-Type: app")),
    ("mime-boundary", lambda w: w.replace(b"--\r\n", b"-\r\n")),
    ("mime-encoding", lambda w: w.replace(b": 8bit", b": quoted-printable")),
    ("mime-encoding", lambda w: w.replace(b": base64", b": binary")),
    ("mime-charset", lambda w: w.replace(b"charset=UTF-8", b"charset=UTF-7")),
    ("mime-charset", lambda w: w.replace(b"; charset=UTF-8", b"")),
    ("mime-micalg", lambda w: w.replace(b"sha-256", b"sha-512")),
    ("base64", lambda w: w.replace(b"\r\n\r\nMII", b"\r\n\r\n!II")),
    ("base64", lambda w: w.split(b"MII")[0] + b"\r\n--%b--" % BOUNDARY.encode()),
]  # fmt: skip


@pytest.mark.proves(
    attack="MIME tricks: nested or further parts, boundaries inside, headers twice, bare LF, "
    "text before or behind the parts",
    code="signature-scope",
    rule="mime-parts",
    behaviour="Refused by the one strict shape before the signature is looked at.",
)
@pytest.mark.parametrize(("rule", "bend"), BAD_MIME, ids=range(len(BAD_MIME)))
def test_hostile_mime(
    signed: bytes, rsa: Agency, rule: str, bend: Callable[[bytes], bytes]
) -> None:
    bent = bend(signed)
    assert bent != signed
    assert refusal(lambda: opened(bent, rsa)).rule == rule


def test_base64_has_one_spelling(rsa: Agency) -> None:
    """Bits that nobody reads could tell two copies of one message apart."""
    other = b"Content-Type: text/plain; charset=UTF-8\r\n\r\n" + EDI
    for _ in range(30):  # certificates differ in length: one in three needs no padding
        der = sign_detached(other, rsa.signer(RSA_SHA256), NOW, [agency().issued.der])
        text = base64.b64encode(der)
        if text.endswith(b"="):
            break
    else:
        pytest.fail("no length needs padding")
    whole, place = wrapped(der), len(text.rstrip(b"=")) - 1
    assert opened(whole, rsa)
    bent = text[:place] + bytes([text[place] + 1]) + text[place + 1 :]
    assert base64.b64decode(bent) == der
    assert refusal(lambda: opened(whole.replace(text, bent), rsa)).rule == "base64"


def test_a_plain_text_says_that_the_signature_is_missing(rsa: Agency) -> None:
    plain = refusal(lambda: opened(TEXT + b"\r\n" + EDI, rsa))
    assert (plain.code, plain.rule) == ("signature-missing", "mime-type")


def test_a_forged_text_before_the_signed_one(signed: bytes, rsa: Agency) -> None:
    """The first part is what counts, for us and for whoever signed."""
    forged = b"--%b\r\n%b\r\nSS EDA\r\n" % (BOUNDARY.encode(), TEXT)
    start = signed.index(b"--" + BOUNDARY.encode())
    assert refusal(lambda: opened(signed[:start] + forged + signed[start:], rsa)).rule == (
        "mime-parts"
    )


def test_a_harmless_preamble_is_not_content(signed: bytes, rsa: Agency) -> None:
    whole = signed.replace(b"\r\n\r\n--", b"\r\n\r\nThis is signed\r\n--", 1)
    assert opened(whole, rsa).content == EDI


# --- hostile CMS -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("cms-attributes", ("-noattr",)),
        ("cms-detached", ("-nodetach",)),
        ("cms", ("-keyid",)),
        ("cms-certificate", ("-nocerts",)),
        ("cms-detached", ("-econtent_type", "1.2.3.4")),
    ],
)
def test_forms_of_cms_that_are_not_ours(
    folder: Path, rsa: Agency, rule: str, options: tuple[str, ...]
) -> None:
    assert refusal(lambda: opened(by_openssl(folder, rsa, *options), rsa)).rule == rule


def test_a_chain_without_end(ec: Agency) -> None:
    whole = sign_smime(EDI, ec.signer(), NOW, BOUNDARY, [CA.der] * 7)
    assert opened(whole, ec)
    whole = sign_smime(EDI, ec.signer(), NOW, BOUNDARY, [CA.der] * 8)
    assert refusal(lambda: opened(whole, ec)).rule == "cms-certificate"


def test_two_signers(folder: Path, rsa: Agency, ec: Agency) -> None:
    (folder / "other").mkdir()
    certificate, key = ec.files(folder / "other")
    options = ("-signer", str(certificate), "-inkey", str(key))
    assert refusal(lambda: opened(by_openssl(folder, rsa, *options), rsa)).rule == "cms-signers"


@pytest.mark.proves(
    attack="BER tricks in a signature: indefinite lengths, octets behind it, a length of "
    "gigabytes, endless nesting",
    code="signature-invalid",
    rule="der-indefinite-length",
    behaviour="Refused before a library reads it: exactly one DER value within 256 KiB.",
)
@pytest.mark.parametrize(
    ("rule", "der"),
    [
        ("der-indefinite-length", b"\x30\x80\x00\x00"),
        ("der-truncated", b"\x30\x84\x7f\xff\xff\xff\x00"),
        ("der-truncated", b"\x30\x05\x02\x01"),
        ("der-truncated", b"\x30\x82\x01"),
        ("der-truncated", b"\x30\x03\x02\x05\x01"),
        ("der-truncated", b"\x30\x01\x02"),
        ("der-trailing", b"\x30\x00\x00"),
        ("der-length", b"\x30\x81\x03\x02\x01\x00"),
        ("der-length", b"\x30\x82\x00\x80" + b"\x05\x00" * 64),
        ("der-tag", b"\x3f\x81\x01\x00"),
        ("der-depth", b"".join(bytes((0x30, 80 - 2 * n)) for n in range(41))),
        ("der-size", b"\x30" * 300_000),
        ("cms", b"\x30\x03\x02\x01\x00"),
        ("cms", b"\x04\x02\x00\x00"),
    ],
)  # fmt: skip
def test_hostile_der(rsa: Agency, rule: str, der: bytes) -> None:
    assert refusal(lambda: opened(wrapped(der), rsa)).rule == rule


@given(st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bit_of_text_or_signature_can_be_flipped(
    signed: bytes, rsa: Agency, data: st.DataObject
) -> None:
    """Bits of unsigned wrapping (a header's case) may change; the content never does."""
    place = data.draw(st.integers(0, len(signed) - 1))
    bent = bytearray(signed)
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = opened(bytes(bent), rsa)
    except TrustError:
        return
    assert found.content == EDI


@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_anything_is_refused_by_name(octets: bytes) -> None:
    someone = AGENCY.policy(PROFILE)
    with pytest.raises(TrustError):
        open_smime(octets, someone, NOW)
    with pytest.raises(TrustError):
        open_smime(wrapped(octets), someone, NOW)


AGENCY = agency()


@pytest.mark.parametrize("content", [b"a\nb", b"a\rb", BOUNDARY.encode(), b"\xff\r\n"])
def test_only_canonical_text_is_signed(content: bytes, ec: Agency) -> None:
    with pytest.raises(ValueError, match=r"CRLF|utf-8"):
        sign_smime(content, ec.signer(), NOW, BOUNDARY)
