"""The usual signature is taken apart at once, as the checks one by one take it apart."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_parties import DOCUMENT, Party

from gateway.errors import TrustError
from gateway.safexml import c14n, parse
from gateway.signing.preflight import SIGNATURE, Parts, preflight, shaped
from gateway.signing.sign import sign_document
from gateway.signing.usual import taken

PLACES = ["", " ", "<x/>", "<!-- -->", ' a="b"', ' Id="s"', "A", "=", "\n", "&#xD;", "urn:", "ds:"]


def one_by_one(content: bytes, party: Party) -> Parts:
    root = parse(content)
    found = root.find(SIGNATURE)
    assert found is not None
    return shaped(found, root, party.profile)


def told(parts: Parts) -> tuple[object, ...]:
    return parts.method, parts.digest_method, parts.digest, parts.value, parts.certificate


def test_what_we_sign_is_usual(parties: dict[str, Party]) -> None:
    for party in parties.values():
        signed = sign_document(DOCUMENT, party.signer, party.profile)
        root = parse(signed)
        at_once = preflight(root, party.profile)
        assert at_once.message == c14n(at_once.signed_info)
        assert told(at_once) == told(one_by_one(signed, party))


def test_a_namespace_that_the_root_declares_is_in_the_message(vn: Party) -> None:
    for opening in (b'<m xmlns="urn:d">', b'<m xmlns:a="urn:a" xmlns:z="urn:z" xml:lang="vi">'):
        signed = sign_document(opening + b"</m>", vn.signer, vn.profile)
        parts = preflight(parse(signed), vn.profile)
        assert parts.message in (b"", c14n(parts.signed_info))
        assert vn.verify(signed).party


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_signature_is_taken_alike_or_not_at_all(vn: Party, data: st.DataObject) -> None:
    signed = sign_document(DOCUMENT, vn.signer, vn.profile)
    start = signed.index(b"<ds:Signature")
    at = data.draw(st.sampled_from([m.start() for m in re.finditer(rb'[<>"=]|$', signed[start:])]))
    more, less = data.draw(st.sampled_from(PLACES)), data.draw(st.integers(0, 3))
    cut = start + at
    changed = signed[:cut] + more.encode() + signed[cut + less :]
    try:
        root = parse(changed)
    except Exception:  # noqa: BLE001  not well-formed: nothing to compare
        return
    try:
        at_once = preflight(root, vn.profile)
    except TrustError:
        return
    if at_once.message:
        assert at_once.message == c14n(at_once.signed_info)
        assert told(at_once) == told(one_by_one(changed, vn))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'ds:Reference URI=""', b'ds:Reference URI="#m1"'),
        (b"</ds:SignedInfo>", b"</ds:SignedInfo> "),
        (b"<ds:KeyInfo>", b'<ds:KeyInfo Id="k">'),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue>\n"),
        (b"<ds:DigestValue>", b"<ds:DigestValue>A"),
        (b"</ds:X509Data>", b"<ds:X509CRL>AA==</ds:X509CRL></ds:X509Data>"),
        (b"xmlenc#sha256", b"xmlenc#sha512"),
    ],
)
def test_another_form_is_not_taken(vn: Party, old: bytes, new: bytes) -> None:
    signed = sign_document(DOCUMENT, vn.signer, vn.profile)
    assert old in signed
    found = parse(signed.replace(old, new)).find(SIGNATURE)
    assert found is not None
    assert taken(found, vn.profile) is None


def test_the_prefix_must_be_that_of_signatures(vn: Party) -> None:
    signed = sign_document(DOCUMENT, vn.signer, vn.profile)
    with pytest.raises(TrustError):
        preflight(
            parse(signed.replace(b'2000/09/xmldsig#"><ds:SignedInfo', b'x"><ds:SignedInfo')),
            vn.profile,
        )
