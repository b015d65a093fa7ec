"""Signers, key files, and the keys of the demo."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from signing_parties import NOW, issue

from gateway.errors import UnavailableError
from gateway.safexml import parse
from gateway.signing.algorithms import ECDSA_SHA256, RSA_PSS_SHA256, RSA_SHA256
from gateway.signing.demo_keys import DECLARED, DemoKeys, generate
from gateway.signing.issue import KeyKind
from gateway.signing.keys import (
    Signer,
    fingerprint,
    key_signer,
    load_certificate,
    load_signer,
    write_key,
)
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage, is_demo
from gateway.signing.verify import verify_document

PASSWORD = b"only for this test"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoKeys:
    return generate(tmp_path_factory.mktemp("keys"), NOW, PASSWORD)


def rule(failure: pytest.ExceptionInfo[UnavailableError]) -> str:
    return failure.value.findings[0].rule


def test_a_key_file_is_encrypted_and_its_owners_alone(tmp_path: Path) -> None:
    made = issue()
    write_key(made.key, tmp_path / "k.pem", PASSWORD)
    text = (tmp_path / "k.pem").read_bytes()
    assert text.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE((tmp_path / "k.pem").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_key(made.key, tmp_path / "k.pem", PASSWORD)


def test_a_signer_is_read_from_its_files(tmp_path: Path) -> None:
    made = issue()
    write_key(made.key, tmp_path / "k.pem", PASSWORD)
    (tmp_path / "c.pem").write_bytes(made.pem)
    signer: Signer = load_signer(tmp_path / "k.pem", tmp_path / "c.pem", PASSWORD)
    assert (signer.key_id, signer.algorithm) == (fingerprint(made.der), ECDSA_SHA256)
    assert "PRIVATE" not in repr(signer)
    for password in (b"wrong", None):
        with pytest.raises(UnavailableError) as caught:
            load_signer(tmp_path / "k.pem", tmp_path / "c.pem", password)
        assert rule(caught) == "key-file"
    with pytest.raises(UnavailableError) as caught:
        load_signer(tmp_path / "none.pem", tmp_path / "c.pem", PASSWORD)
    assert rule(caught) == "key-file"


def test_a_certificate_of_another_key_is_refused() -> None:
    with pytest.raises(UnavailableError) as caught:
        key_signer(issue().key, issue().der)
    assert rule(caught) == "key-certificate-pair"


def test_only_known_kinds_of_keys_sign() -> None:
    made = issue(kind=KeyKind.RSA3072)
    assert key_signer(made.key, made.der).algorithm == RSA_PSS_SHA256
    assert key_signer(made.key, made.der, RSA_SHA256).algorithm == RSA_SHA256
    for algorithm in (ECDSA_SHA256, "urn:unknown"):
        with pytest.raises(UnavailableError) as caught:
            key_signer(made.key, made.der, algorithm)
        assert rule(caught) == "key"


class Token:
    """A signer that holds no key itself, as a hardware module would be one."""

    def __init__(self, inner: Signer) -> None:
        self.key_id, self.certificate = inner.key_id, inner.certificate
        self.algorithm, self._sign = inner.algorithm, inner.sign
        self.asked: list[bytes] = []

    def sign(self, message: bytes) -> bytes:
        self.asked.append(message)
        return self._sign(message)


def test_only_the_signer_signs() -> None:
    made = issue()
    token = Token(key_signer(made.key, made.der))
    signed = sign_document(b"<a></a>", token, profile("link-ecdsa-p256"))
    assert len(token.asked) == 1
    assert token.asked[0].startswith(b"<ds:SignedInfo ")
    pins = [PinnedKey(made.der, "vn", Usage.MESSAGE)]
    policy = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins)
    assert verify_document(parse(signed), policy, NOW).party == "vn"


def test_the_declaration_names_every_key_of_both_sides(demo: DemoKeys) -> None:
    names = {name.partition("/")[2] for name in demo.leaves}
    assert {f"{side}/{name}" for side in ("vn", "cn") for name in names} == set(demo.leaves)
    assert {"message", "receipt", "statement", "link-server", "link-client"} <= names
    assert {f"{s}/{a}" for s in ("vn", "cn") for a in ("signing", "link", "agencies", "operations")}
    assert len({files.certificate.read_bytes() for files in demo.leaves.values()}) == len(
        demo.leaves
    )


def test_every_key_of_the_demo_is_marked_and_valid_now(demo: DemoKeys) -> None:
    for files in demo.leaves.values():
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        assert is_demo(certificate)
        assert certificate.not_valid_before_utc <= NOW <= certificate.not_valid_after_utc
        assert files.key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_a_demo_key_signs_in_the_demo_profile_only(demo: DemoKeys) -> None:
    files = demo.leaves["vn/message"]
    signer = load_signer(files.key, files.certificate, PASSWORD)
    signed = sign_document(b"<a></a>", signer, profile("demo"))
    pins = [PinnedKey(load_certificate(files.certificate.read_bytes()), "vn", Usage.MESSAGE)]
    policy = TrustPolicy.of(profile("demo"), Usage.MESSAGE, pins)
    assert verify_document(parse(signed), policy, NOW).party == "vn"


def test_tls_certificates_work_in_a_tls_context(demo: DemoKeys) -> None:
    for name in ("vn/link-server", "cn/link-client"):
        files = demo.leaves[name]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key, PASSWORD.decode())
        context.load_verify_locations(demo.authorities["vn/link"])


def test_each_authority_issues_for_its_listener_alone(demo: DemoKeys) -> None:
    link = x509.load_pem_x509_certificate(demo.authorities["vn/link"].read_bytes())
    for name, files in demo.leaves.items():
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        try:
            certificate.verify_directly_issued_by(link)
        except Exception:  # noqa: BLE001 - two classes say the same
            issued_here = False
        else:
            issued_here = True
        assert issued_here == (name in ("vn/link-server", "vn/link-client"))


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    generate(tmp_path, NOW, None)
    with pytest.raises(FileExistsError):
        generate(tmp_path, NOW, None)


def test_the_repository_holds_no_private_key() -> None:
    for file in DECLARED.parent.rglob("*"):
        assert b"PRIVATE KEY" not in file.read_bytes()


def test_an_unencrypted_key_needs_no_password(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(key, tmp_path / "k.pem", None)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert (tmp_path / "k.pem").read_bytes() == plain
