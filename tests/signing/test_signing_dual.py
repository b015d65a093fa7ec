"""Two signatures of one party on one message: what covers what, and what is refused."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import xmlsec
from lxml import etree
from signing_parties import DOCUMENT, NOW, Party, issue, xmlsec_verify
from sm2_parties import sm2_party

from gateway.errors import TrustError
from gateway.safexml import c14n, parse
from gateway.signing.algorithms import ECDSA_SHA256, SM2_SM3
from gateway.signing.issue import Issued, KeyKind
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.sign import PairedSigner, sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

SHAPE = profile("link-dual")
FIRST, SECOND = issue(), issue(kind=KeyKind.SM2)
PAIR = PairedSigner(key_signer(FIRST.key, FIRST.der), key_signer(SECOND.key, SECOND.der))
PLAIN = c14n(parse(DOCUMENT))
SIGNATURE = re.compile(rb"(?s)<ds:Signature .*?</ds:Signature>")


def pins(second_party: str = "vn", second: Issued = SECOND) -> list[PinnedKey]:
    return [
        PinnedKey(FIRST.der, "vn", Usage.MESSAGE),
        PinnedKey(second.der, second_party, Usage.MESSAGE),
    ]


def party(keys: list[PinnedKey]) -> Party:
    return Party(FIRST, PAIR.first, SHAPE, TrustPolicy.of(SHAPE, Usage.MESSAGE, keys))  # type: ignore[arg-type]


VN = party(pins())
SIGNED = sign_document(PLAIN, PAIR, SHAPE)
ONE, TWO = SIGNATURE.findall(SIGNED)


def refused(content: bytes, by: Party = VN) -> tuple[str, str]:
    failure = by.refusal(content)
    return failure.code, failure.findings[0].rule


def test_both_are_verified_and_named() -> None:
    verified = VN.verify(SIGNED)
    assert c14n(verified.element) == PLAIN
    assert (verified.party, verified.algorithm) == ("vn", ECDSA_SHA256)
    assert (verified.fingerprint, verified.second) == (PAIR.key_id, PAIR.second.key_id)
    assert [chain[0] for chain in verified.chains] == [FIRST.der, SECOND.der]


def test_rsa_may_be_the_first_of_two() -> None:
    first, shape = issue(kind=KeyKind.RSA3072), profile("link-dual-rsa")
    pair = PairedSigner(key_signer(first.key, first.der), PAIR.second)
    keys = [PinnedKey(made.der, "vn", Usage.MESSAGE) for made in (first, SECOND)]
    known = replace(VN, policy=TrustPolicy.of(shape, Usage.MESSAGE, keys))
    signed = sign_document(PLAIN, pair, shape)
    assert known.verify(signed).algorithm == shape.methods[0]
    assert refused(signed)[0] == "algorithm-not-allowed"
    assert refused(signed.replace(b"thanh long", b"thanh lomg"), known)[0] == "signature-invalid"


def test_each_covers_what_the_profile_says() -> None:
    """The first is a plain signature of the document; the second covers both."""
    once = SIGNED.replace(TWO, b"")
    alone = replace(VN, profile=profile("link-ecdsa-p256"))
    alone = replace(alone, policy=TrustPolicy.of(alone.profile, Usage.MESSAGE, pins()[:1]))
    assert c14n(alone.verify(once).element) == PLAIN
    xmlsec_verify(once, FIRST)
    sm2 = profile("link-sm2")
    info = next(parse(TWO).iter("{*}DigestValue")).text
    with_first = sign_document(once, PAIR.second, sm2)
    assert info is not None
    assert info.encode() in with_first


def test_the_digest_of_the_message_is_over_neither() -> None:
    single = sign_document(PLAIN, PAIR.first, profile("link-ecdsa-p256"))
    shape = profile("link-ecdsa-p256")
    alone = replace(VN, policy=TrustPolicy.of(shape, Usage.MESSAGE, pins()[:1]))
    assert VN.verify(SIGNED).digest == alone.verify(single).digest


@pytest.mark.proves(
    attack="one of two signatures is missing where the profile asks for both",
    code="signature-missing",
    behaviour="refused before any mathematics; the rule says which one",
)
@pytest.mark.parametrize(
    ("gone", "rule"), [(ONE, "first-signature"), (TWO, "second-signature")], ids=["first", "second"]
)
def test_one_alone_is_refused(gone: bytes, rule: str) -> None:
    assert refused(SIGNED.replace(gone, b"")) == ("signature-missing", rule)
    assert refused(PLAIN) == ("signature-missing", "signature-missing")


OTHER = sign_document(PLAIN.replace(b"vn<", b"cn<"), PAIR, SHAPE)
SHAPES = {
    "swapped": SIGNED.replace(ONE + TWO, TWO + ONE),
    "the first twice": SIGNED.replace(TWO, ONE),
    "the second twice": SIGNED.replace(ONE, TWO),
    "three": SIGNED.replace(TWO, TWO + TWO),
    "the first inside": SIGNED.replace(ONE, b"").replace(b"</m:Head>", ONE + b"</m:Head>"),
    "something between": SIGNED.replace(TWO, b"<x></x>" + TWO),
    "text between": SIGNED.replace(TWO, b"x" + TWO),
    "space between": SIGNED.replace(TWO, b"\n" + TWO),
    "nested": SIGNED.replace(ONE + TWO, TWO.replace(b"<ds:KeyInfo>", ONE + b"<ds:KeyInfo>")),
    "the first of another message": SIGNED.replace(ONE, SIGNATURE.findall(OTHER)[0]),
    "the second of another message": SIGNED.replace(TWO, SIGNATURE.findall(OTHER)[1]),
    "the first made anew": SIGNED.replace(
        ONE, SIGNATURE.findall(sign_document(PLAIN, PAIR.first, profile("link-ecdsa-p256")))[0]
    ),
    "changed content": SIGNED.replace(b"thanh long", b"thanh lomg"),
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.proves(
    attack="two signatures: swapped, doubled, nested, of another message, replaced",
    code="signature-invalid",
    behaviour="refused: the second covers the first, and both have one place",
)
def test_other_shapes_are_refused(content: bytes) -> None:
    assert content != SIGNED
    assert refused(content)[0] in ("signature-invalid", "signature-scope", "algorithm-not-allowed")


@pytest.mark.proves(
    attack="two signatures by keys of two parties",
    code="party-mismatch",
    rule="two-parties",
    behaviour="refused",
)
def test_two_parties_are_refused() -> None:
    assert refused(SIGNED, party(pins("cn"))) == ("party-mismatch", "two-parties")


def test_the_second_key_must_be_known_and_valid_too() -> None:
    assert refused(SIGNED, party(pins()[:1])) == ("signer-untrusted", "not-pinned")
    old = issue(kind=KeyKind.SM2, start=NOW - timedelta(days=400), days=30)
    pair = PairedSigner(PAIR.first, key_signer(old.key, old.der))
    signed = sign_document(PLAIN, pair, SHAPE)
    assert refused(signed, party(pins(second=old))) == ("certificate-expired", "expired")


def test_the_keys_cannot_stand_for_each_other() -> None:
    """Each signature has its own methods."""
    both = PairedSigner(PAIR.first, PAIR.first)
    with pytest.raises(TrustError) as caught:
        sign_document(PLAIN, both, SHAPE)
    assert caught.value.code == "algorithm-not-allowed"
    once = sign_document(PLAIN, PAIR.first, profile("link-ecdsa-p256"))
    twice = sign_document(once, PAIR.first, profile("link-ecdsa-p256"))
    assert refused(twice)[0] == "algorithm-not-allowed"


def test_one_key_cannot_sign_for_a_profile_of_two() -> None:
    with pytest.raises(TrustError) as caught:
        sign_document(PLAIN, PAIR.first, SHAPE)
    assert caught.value.findings[0].rule == "second-signature"


def test_a_pair_is_its_first_key_to_whoever_needs_one() -> None:
    assert (PAIR.key_id, PAIR.certificate, PAIR.algorithm) == (
        PAIR.first.key_id,
        FIRST.der,
        ECDSA_SHA256,
    )
    assert PAIR.second.algorithm == SM2_SM3
    shape = profile("link-ecdsa-p256")
    alone = replace(VN, policy=TrustPolicy.of(shape, Usage.MESSAGE, pins()[:1]))
    assert alone.verify(sign_document(PLAIN, PAIR, shape)).party == "vn"


def test_any_changed_octet_is_refused() -> None:
    for at in range(0, len(SIGNED), 5):
        changed = SIGNED[:at] + bytes([SIGNED[at] ^ 0x01]) + SIGNED[at + 1 :]
        try:
            verified = VN.verify(changed)
        except Exception:  # noqa: BLE001  refused
            continue
        assert c14n(verified.element) == PLAIN


def test_a_single_profile_takes_no_second_signature() -> None:
    for single in (
        sm2_party("link-sm2"),
        replace(VN, policy=TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins()[:1])),
    ):
        assert refused(SIGNED, single) == ("signature-scope", "one-signature")


def test_another_implementation_verifies_the_first_in_the_document_without_the_second() -> None:
    xmlsec_verify(SIGNED.replace(TWO, b""), FIRST)
    with pytest.raises(xmlsec.VerificationError):
        xmlsec_verify(SIGNED.replace(TWO, b"").replace(b"vn<", b"cn<"), FIRST)
    assert len(list(etree.fromstring(SIGNED).iter("{*}Signature"))) == 2
