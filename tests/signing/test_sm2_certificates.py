"""SM2 certificates: made, parsed, chained; and openssl as the judge."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_parties import NOW, issue
from sm2_parties import DISTID, openssl, openssl_time

from gateway.errors import TrustError, UnavailableError
from gateway.signing import certificates, sm2
from gateway.signing.algorithms import der_of
from gateway.signing.issue import Issued, KeyKind, Purpose, Subject, authority, leaf
from gateway.signing.keys import key_signer, load_key, load_signer, write_key
from gateway.signing.path import Anchors, find_path
from gateway.signing.sm2 import Sm2PublicKey
from gateway.signing.sm2_certificates import sign_certificate, sign_request
from gateway.signing.trust import TrustPolicy, Usage

START = NOW - timedelta(days=10)


def subject(name: str) -> Subject:
    return Subject("CN", "测试机构", "", name)


def an_authority(name: str, issuer: Issued | None = None, **options: Any) -> Issued:
    kind = options.pop("kind", KeyKind.SM2)
    return authority(subject(name), START, 900, issuer=issuer, kind=kind, **options)


def a_leaf(issuer: Issued, **options: Any) -> Issued:
    kind = options.pop("kind", KeyKind.SM2)
    return leaf(subject("leaf"), Purpose.MESSAGE, START, 300, issuer=issuer, kind=kind, **options)


ROOT = an_authority("root", path_length=1)
MIDDLE = an_authority("middle", ROOT)
LEAF = a_leaf(MIDDLE)
PLAIN = issue()
CUTS = st.integers(0, 2000)


def pem(folder: Path, **files: Issued) -> list[Path]:
    for name, made in files.items():
        (folder / f"{name}.pem").write_bytes(made.pem)
    return [folder / f"{name}.pem" for name in files]


def anchors(*roots: Issued, middle: tuple[Issued, ...] = ()) -> Anchors:
    return Anchors("cn", tuple(r.der for r in roots), tuple(m.der for m in middle))


def refused(made: Issued, known: Anchors) -> str:
    with pytest.raises(TrustError) as caught:
        find_path(made.der, known)
    assert caught.value.code == "signer-untrusted"
    return caught.value.findings[0].rule


# --- what is made -------------------------------------------------------------------------


def test_openssl_verifies_every_link_of_the_chain(tmp_path: Path) -> None:
    """openssl 3.0 takes the user id for the first certificate alone, so link by link."""
    root, middle, last = pem(tmp_path, root=ROOT, middle=MIDDLE, leaf=LEAF)
    at = openssl_time()
    assert "OK" in openssl("verify", *at, "-x509_strict", "-CAfile", root, root)
    assert "OK" in openssl("verify", *at, "-x509_strict", "-CAfile", root, middle)
    partial = ("-partial_chain", "-trusted", middle)
    assert "OK" in openssl("verify", *at, "-x509_strict", *partial, last)
    wrong = ("-vfyopt", "distid:other", "-attime", at[1])
    openssl("verify", *wrong, "-CAfile", root, middle, ok=False)


def test_openssl_reads_what_is_made(tmp_path: Path) -> None:
    (file,) = pem(tmp_path, leaf=LEAF)
    text = openssl("x509", "-in", file, "-noout", "-text")
    assert "Signature Algorithm: SM2-with-SM3" in text
    assert "ASN1 OID: SM2" in text
    assert "2.25.316274093105849172263440582017394861527.1" in text
    assert "Digital Signature" in text
    assert LEAF.certificate.signature_algorithm_oid.dotted_string == certificates.SM2_WITH_SM3


def test_we_verify_what_openssl_makes(tmp_path: Path) -> None:
    made, days = tmp_path / "root.pem", ("-days", "30", "-set_serial", "7")
    openssl(
        *("req", "-x509", "-newkey", "sm2", "-nodes", "-keyout", tmp_path / "root.key"),
        *("-out", made, "-subj", "/C=CN/CN=openssl root", "-sm3", "-sigopt", DISTID, *days),
        *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    openssl("genpkey", "-algorithm", "SM2", "-out", tmp_path / "leaf.key")
    request = tmp_path / "leaf.csr"
    openssl(
        *("req", "-new", "-key", tmp_path / "leaf.key", "-subj", "/C=CN/CN=leaf", "-sm3"),
        *("-sigopt", DISTID, "-out", request),
    )
    openssl(
        *("x509", "-req", "-in", request, "-CA", made, "-CAkey", tmp_path / "root.key"),
        *("-sm3", "-sigopt", DISTID, "-vfyopt", DISTID, *days, "-out", tmp_path / "leaf.pem"),
    )
    root, under = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()).public_bytes(Encoding.DER)
        for name in ("root.pem", "leaf.pem")
    )
    assert certificates.signed_by(root, root)
    assert certificates.signed_by(under, root)
    assert not certificates.signed_by(under, under)
    key = load_key((tmp_path / "leaf.key").read_bytes(), None)
    assert certificates.public_key(under) == key.public
    assert find_path(under, Anchors("cn", (root,))).chain == (under, root)


def test_openssl_takes_a_request(tmp_path: Path) -> None:
    key = sm2.generate()
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject("x").as_x509())
    made = sign_request(builder, key)
    (tmp_path / "r.pem").write_bytes(made.public_bytes(Encoding.PEM))
    said = openssl("req", "-in", tmp_path / "r.pem", "-verify", "-noout", "-vfyopt", DISTID)
    assert "verify OK" in said
    other = ("-verify", "-noout", "-vfyopt", "distid:x")
    assert "verify failure" in openssl("req", "-in", tmp_path / "r.pem", *other, ok=None)


def test_a_key_of_a_certificate() -> None:
    assert certificates.public_key(LEAF.der) == LEAF.key.public
    assert certificates.spki(LEAF.key.public) in LEAF.der
    plain = issue()
    assert not isinstance(certificates.public_key(plain.der), Sm2PublicKey)
    assert certificates.spki(plain.key.public_key()) in plain.der


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -1])
def test_what_is_no_certificate_has_no_key(cut: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says
        certificates.public_key(LEAF.der[:cut] if cut >= 0 else LEAF.der + b"\0")


@pytest.mark.proves(
    attack="a certificate whose SM2 key is not on the curve",
    code="signer-untrusted",
    rule="certificate-form",
    behaviour="it is no certificate: it can be neither pinned nor followed to an authority",
)
def test_a_point_that_is_not_on_the_curve_is_no_key() -> None:
    bent = LEAF.der.replace(LEAF.key.public.point, LEAF.key.public.point[:-1] + b"\x7f")
    assert bent != LEAF.der
    with pytest.raises(ValueError, match="curve"):
        certificates.public_key(bent)
    with pytest.raises(TrustError) as caught:
        find_path(bent, anchors(ROOT, middle=(MIDDLE,)))
    assert caught.value.findings[0].rule == "certificate-form"


def test_any_flipped_bit_breaks_the_signature_of_a_certificate() -> None:
    for at in range(60, len(LEAF.der), 7):
        bent = LEAF.der[:at] + bytes([LEAF.der[at] ^ 1]) + LEAF.der[at + 1 :]
        try:
            assert not certificates.signed_by(bent, MIDDLE.der)
        except ValueError:
            continue


def resigned(**changes: Any) -> bytes:
    """Return the leaf with other parts, signed again by its issuer; `outer` is not signed."""
    read = asn1.Certificate.load(LEAF.der)
    body = read["tbs_certificate"]
    outer = changes.pop("outer", certificates.SM2_WITH_SM3)
    for name, value in changes.items():
        body[name] = value
    read["signature_algorithm"] = {"algorithm": outer}
    read["signature_value"] = der_of(MIDDLE.key.sign(body.dump(force=True)))
    return bytes(read.dump(force=True))


ECDSA = "1.2.840.10045.4.3.2"


def test_a_certificate_says_how_and_by_whom_it_was_signed() -> None:
    assert certificates.signed_by(resigned(), MIDDLE.der)
    null = {"algorithm": certificates.SM2_WITH_SM3, "parameters": core.Null()}
    assert not certificates.signed_by(resigned(signature={"algorithm": ECDSA}), MIDDLE.der)
    assert not certificates.signed_by(resigned(outer=ECDSA), MIDDLE.der)
    both = resigned(outer=ECDSA, signature={"algorithm": ECDSA})
    assert not certificates.signed_by(both, MIDDLE.der)
    assert not certificates.signed_by(resigned(signature=null), MIDDLE.der)
    other = asn1.Name.load(subject("other").as_x509().public_bytes())
    assert not certificates.signed_by(resigned(issuer=other), MIDDLE.der)


# --- paths --------------------------------------------------------------------------------


def test_a_chain_of_three() -> None:
    path = find_path(LEAF.der, anchors(ROOT, middle=(MIDDLE,)))
    assert path.chain == (LEAF.der, MIDDLE.der, ROOT.der)


@pytest.mark.proves(
    attack="SM2: a leaf comes without its intermediate",
    code="signer-untrusted",
    rule="chain-incomplete",
    behaviour="refused and named",
)
def test_a_leaf_alone() -> None:
    assert refused(LEAF, anchors(ROOT)) == "chain-incomplete"


CA = x509.BasicConstraints(ca=True, path_length=None)
NO_CA = x509.BasicConstraints(ca=False, path_length=None)


def bent_authority(change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder]) -> Issued:
    """Make an intermediate with other extensions."""
    key = sm2.generate()
    builder = (
        x509.CertificateBuilder(ROOT.certificate.subject, subject("bent").as_x509())
        .serial_number(5)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=900))
    )
    return Issued(key, sign_certificate(change(builder), key.public, ROOT.key))


def signs(*, certificates_too: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates_too,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.5315.100.5.1"), b"\x05\0")
BENT = {
    "no basic constraints": (
        lambda b: b.add_extension(signs(certificates_too=True), True),
        "chain-authority",
    ),
    "no authority": (
        lambda b: b.add_extension(NO_CA, True).add_extension(signs(certificates_too=True), True),
        "chain-authority",
    ),
    "no keyCertSign": (
        lambda b: b.add_extension(CA, True).add_extension(signs(certificates_too=False), True),
        "chain-authority",
    ),
    "unknown critical extension": (
        lambda b: (
            b.add_extension(CA, True)
            .add_extension(signs(certificates_too=True), True)
            .add_extension(UNKNOWN, True)
        ),
        "chain-extension",
    ),
    "name constraints": (
        lambda b: (
            b.add_extension(CA, True)
            .add_extension(signs(certificates_too=True), True)
            .add_extension(x509.NameConstraints([x509.DNSName("x")], None), True)
        ),
        "chain-extension",
    ),
}


@pytest.mark.parametrize(("change", "rule"), BENT.values(), ids=BENT.keys())
@pytest.mark.proves(
    attack="SM2: an intermediate that may not issue, or says what we do not know as critical",
    code="signer-untrusted",
    behaviour="refused: chains of SM2 have our small subset of RFC 5280 alone",
)
def test_an_intermediate_that_may_not_issue(change: Any, rule: str) -> None:
    middle = bent_authority(change)
    assert refused(a_leaf(middle), anchors(ROOT, middle=(middle,))) == rule


def test_an_unknown_extension_that_is_not_critical_is_no_harm() -> None:
    """Certificates of the e-port carry private ones."""
    middle = bent_authority(
        lambda b: (
            b.add_extension(CA, True)
            .add_extension(signs(certificates_too=True), True)
            .add_extension(UNKNOWN, False)
        )
    )
    made = a_leaf(middle)
    assert len(find_path(made.der, anchors(ROOT, middle=(middle,))).chain) == 3


@pytest.mark.proves(
    attack="SM2: a path that is longer than an authority allows",
    code="signer-untrusted",
    rule="chain-depth",
    behaviour="refused: pathLenConstraint, and three authorities at most",
)
def test_the_length_of_a_path() -> None:
    below = an_authority("below", MIDDLE)
    assert refused(a_leaf(below), anchors(ROOT, middle=(MIDDLE, below))) == "chain-depth"
    chain = [an_authority("0", path_length=9)]
    for number in range(1, 4):
        chain.append(an_authority(str(number), chain[-1], path_length=9))
    known = anchors(chain[0], middle=tuple(chain[1:]))
    assert len(find_path(a_leaf(chain[2]).der, known).chain) == 4
    assert refused(a_leaf(chain[3]), known) == "chain-depth"


@pytest.mark.proves(
    attack="SM2: a certificate of another authority of the same name",
    code="signer-untrusted",
    rule="chain-signature",
    behaviour="refused: names alone do not chain",
)
def test_a_namesake_does_not_count() -> None:
    assert refused(a_leaf(an_authority("root")), anchors(ROOT)) == "chain-signature"
    own = leaf(subject("own"), Purpose.MESSAGE, START, 300, kind=KeyKind.SM2)
    assert refused(own, anchors(ROOT)) == "self-signed"


def test_an_sm2_authority_may_certify_another_kind_of_key() -> None:
    mixed = a_leaf(ROOT, kind=KeyKind.P256)
    assert certificates.signed_by(mixed.der, ROOT.der)
    assert find_path(mixed.der, anchors(ROOT)).chain == (mixed.der, ROOT.der)
    with pytest.raises(ValueError, match="SM2"):
        a_leaf(an_authority("ec", kind=KeyKind.P256))


def test_a_policy_believes_an_authority_and_a_name() -> None:
    """With revocation on: the chain is what is asked about."""
    from gateway.signing.profiles import profile
    from gateway.signing.revocation import Mode, Rule

    known = Anchors("cn", (ROOT.der,), (MIDDLE.der,), ("CN=leaf,O=测试机构,C=CN",))
    policy = TrustPolicy.of(profile("link-sm2"), Usage.MESSAGE, [], known, Rule(mode=Mode.REQUIRE))
    method = profile("link-sm2").methods[0]
    key = policy.signer(LEAF.der, NOW, method)
    assert (key.party, key.chain) == ("cn", (LEAF.der, MIDDLE.der, ROOT.der))
    with pytest.raises(TrustError) as caught:
        policy.signer(LEAF.der, NOW + timedelta(days=600), method)
    assert caught.value.findings[0].rule == "expired"


# --- signers ------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, b"only for this test"])
def test_a_signer_of_an_sm2_key_file(tmp_path: Path, password: bytes | None) -> None:
    write_key(LEAF.key, tmp_path / "k.pem", password)
    (tmp_path / "c.pem").write_bytes(LEAF.pem)
    signer = load_signer(tmp_path / "k.pem", tmp_path / "c.pem", password)
    LEAF.key.public.verify(signer.sign(b"m"), b"m")
    assert (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnavailableError) as caught:
        load_signer(tmp_path / "k.pem", tmp_path / "c.pem", b"wrong")
    assert caught.value.findings[0].rule == "key-file"
    with pytest.raises(FileExistsError):
        write_key(LEAF.key, tmp_path / "k.pem", password)


def test_openssl_opens_the_encrypted_key(tmp_path: Path) -> None:
    write_key(LEAF.key, tmp_path / "k.pem", b"geheim")
    said = openssl("pkey", "-in", tmp_path / "k.pem", "-passin", "pass:geheim", "-pubout")
    public = openssl("pkey", "-in", tmp_path / "k.pem", "-passin", "pass:geheim", "-text", "-noout")
    assert "BEGIN PUBLIC KEY" in said
    assert "ASN1 OID: SM2" in public
    openssl("pkey", "-in", tmp_path / "k.pem", "-passin", "pass:x", "-noout", ok=False)


def test_key_and_certificate_must_be_a_pair() -> None:
    for key, der in ((sm2.generate(), LEAF.der), (LEAF.key, issue().der), (issue().key, LEAF.der)):
        with pytest.raises(UnavailableError) as caught:
            key_signer(key, der)
        assert caught.value.findings[0].rule == "key-certificate-pair"


# --- hostile ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=100, deadline=None)
@given(kind=st.integers(0, 1), changes=st.lists(st.tuples(CUTS, st.integers(0, 255)), max_size=3))
def test_octets_of_a_certificate_may_be_anything(kind: int, changes: list[tuple[int, int]]) -> None:
    """Only ValueError comes out, and no other certificate passes for the signed one."""
    good, issuer = ((LEAF.der, MIDDLE.der), (PLAIN.der, PLAIN.der))[kind]
    octets = bytearray(good)
    for at, octet in changes:
        octets[at % len(octets)] = octet
    bent = bytes(octets)
    for call in (certificates.public_key, certificates.load):
        with suppress(ValueError):
            call(bent)
    with suppress(ValueError):
        assert certificates.signed_by(bent, issuer) == (bent == good)
    with suppress(ValueError):
        certificates.signed_by(good, bent)
