"""Who may sign what, and until when."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from signing_parties import NOW, issue

from gateway.errors import TrustError
from gateway.safexml import parse
from gateway.signing.algorithms import ECDSA_SHA256, RSA_SHA256
from gateway.signing.issue import Purpose, Subject, authority, leaf
from gateway.signing.keys import fingerprint, key_signer
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import DEMO_UNIT, PinnedKey, TrustedKey, TrustPolicy, Usage
from gateway.signing.verify import verify_document

DAY = timedelta(days=1)


def policy(der: bytes, usage: Usage = Usage.MESSAGE, name: str = "link-ecdsa-p256") -> TrustPolicy:
    return TrustPolicy.of(profile(name), usage, [PinnedKey(der, "vn", usage)])


def ask(
    trusted: TrustPolicy, der: bytes, at: datetime = NOW, method: str = ECDSA_SHA256
) -> TrustedKey:
    return trusted.key(fingerprint(der), at, method)


def refusal(trusted: TrustPolicy, der: bytes, **options: object) -> tuple[str, str]:
    with pytest.raises(TrustError) as caught:
        ask(trusted, der, **options)  # type: ignore[arg-type]
    return caught.value.code, caught.value.findings[0].rule


def test_a_pinned_key_is_trusted_for_its_party() -> None:
    made = issue()
    key = ask(policy(made.der), made.der)
    assert (key.party, key.fingerprint) == ("vn", fingerprint(made.der))


@pytest.mark.proves(
    attack="a certificate of the same authority that nobody pinned",
    code="signer-untrusted",
    rule="not-pinned",
    behaviour="refused: a chain alone is no trust",
)
def test_a_certificate_of_the_same_authority_is_not_trusted() -> None:
    """Pins, not chains: any certificate under a CA would otherwise do."""
    subject = Subject("VN", "Test", "", "ca")
    root = authority(subject, NOW - DAY, 30)
    mine, other = (leaf(subject, Purpose.MESSAGE, NOW - DAY, 30, issuer=root) for _ in range(2))
    assert refusal(policy(mine.der), other.der) == ("signer-untrusted", "not-pinned")


@pytest.mark.proves(
    attack="a pinned certificate outside of its validity",
    code="certificate-expired",
    rule="expired",
    behaviour="refused before any mathematics, to the second",
)
def test_validity_ends_and_begins_to_the_second() -> None:
    made = issue(start=NOW - DAY, days=2)
    trusted = policy(made.der)
    assert ask(trusted, made.der, at=NOW + DAY)
    late = NOW + DAY + timedelta(seconds=1)
    assert refusal(trusted, made.der, at=late) == ("certificate-expired", "expired")
    early = NOW - DAY - timedelta(seconds=1)
    assert refusal(trusted, made.der, at=early) == ("certificate-expired", "clock")
    long_before = NOW - 9 * DAY
    assert refusal(trusted, made.der, at=long_before) == ("certificate-expired", "not-yet-valid")


def test_a_pin_has_its_own_window_for_rollover() -> None:
    old, new = issue(), issue()
    pins = [
        PinnedKey(old.der, "vn", Usage.MESSAGE, not_after=NOW + DAY),
        PinnedKey(new.der, "vn", Usage.MESSAGE, not_before=NOW - DAY),
    ]
    trusted = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins)
    assert ask(trusted, old.der)
    assert ask(trusted, new.der)
    after = NOW + 2 * DAY
    assert refusal(trusted, old.der, at=after) == ("signer-untrusted", "pin-window")
    assert ask(trusted, new.der, at=after)
    before = NOW - 2 * DAY
    assert refusal(trusted, new.der, at=before) == ("signer-untrusted", "pin-window")


@pytest.mark.proves(
    attack="a pinned certificate that names another usage",
    code="signer-untrusted",
    rule="key-usage",
    behaviour="refused before any mathematics",
)
@pytest.mark.parametrize("purpose", [Purpose.RECEIPT, Purpose.TLS_CLIENT, Purpose.TLS_SERVER])
def test_a_certificate_for_something_else_is_refused_though_pinned(purpose: Purpose) -> None:
    made = issue(purpose)
    assert refusal(policy(made.der), made.der) == ("signer-untrusted", "key-usage")


@pytest.mark.proves(
    attack="a key that is pinned for another usage",
    code="signer-untrusted",
    rule="wrong-usage",
    behaviour="refused before any mathematics",
)
def test_a_pin_of_another_usage_is_named() -> None:
    made = issue(Purpose.RECEIPT)
    pins = [PinnedKey(made.der, "vn", Usage.RECEIPT)]
    trusted = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins)
    assert refusal(trusted, made.der) == ("signer-untrusted", "wrong-usage")


@pytest.mark.proves(
    attack="a key of the demo in production",
    code="signer-untrusted",
    rule="demo-key",
    behaviour="refused before any mathematics",
)
def test_demo_keys_are_refused_outside_the_demo() -> None:
    made = issue(unit=DEMO_UNIT)
    assert refusal(policy(made.der), made.der) == ("signer-untrusted", "demo-key")
    assert ask(policy(made.der, name="demo"), made.der)


def test_a_method_outside_the_profile_is_refused() -> None:
    made = issue()
    trusted = policy(made.der)
    assert refusal(trusted, made.der, method=RSA_SHA256) == ("algorithm-not-allowed", "key")


def test_a_key_on_another_curve_is_refused() -> None:
    der = certificate(ec.generate_private_key(ec.SECP384R1()))
    assert refusal(policy(der), der) == ("algorithm-not-allowed", "key")


def test_a_certificate_without_usage_extensions_is_judged_by_its_pin() -> None:
    der = certificate(ec.generate_private_key(ec.SECP256R1()))
    assert ask(policy(der), der).party == "vn"


def test_key_usage_without_digital_signature_is_refused() -> None:
    subject = Subject("VN", "Test", "", "ca")
    root = authority(subject, NOW - DAY, 30)
    assert refusal(policy(root.der), root.der) == ("signer-untrusted", "key-usage")


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bare")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def test_the_demo_key_is_refused_on_the_whole_way() -> None:
    made = issue(unit=DEMO_UNIT)
    signed = sign_document(b"<a></a>", key_signer(made.key, made.der), profile("demo"))
    assert verify_document(parse(signed), policy(made.der, name="demo"), NOW).party == "vn"
    with pytest.raises(TrustError) as caught:
        verify_document(parse(signed), policy(made.der), NOW)
    assert caught.value.findings[0].rule == "demo-key"


@pytest.mark.proves(
    attack="a certificate whose subject holds a person's number is refused",
    code="signer-untrusted",
    behaviour="the finding names its fingerprint alone",
)
def test_refusals_name_no_more_of_a_certificate_than_its_fingerprint() -> None:
    made = issue(unit=DEMO_UNIT)
    with pytest.raises(TrustError) as caught:
        ask(policy(made.der), made.der)
    assert caught.value.findings[0].found == fingerprint(made.der)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(TrustError) as caught:
        profile("sm2")
    assert "link-ecdsa-p256" in caught.value.findings[0].expected
