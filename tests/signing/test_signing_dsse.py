"""Statements: several signatures, one payload, known keys only."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_parties import NOW, issue

from gateway.errors import TrustError
from gateway.signing.dsse import (
    pre_authentication,
    sign_statement,
    verify_cosigned,
    verify_statement,
)
from gateway.signing.issue import KeyKind, Purpose
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

TYPE = "application/vnd.test+json"
VN, CN, STRANGER = (issue(Purpose.STATEMENT) for _ in range(3))
SIGNERS = {name: key_signer(made.key, made.der) for name, made in (("vn", VN), ("cn", CN))}
POLICY = TrustPolicy.of(
    profile("link-ecdsa-p256"),
    Usage.STATEMENT,
    [PinnedKey(VN.der, "vn", Usage.STATEMENT), PinnedKey(CN.der, "cn", Usage.STATEMENT)],
)


def refusal(content: bytes, policy: TrustPolicy = POLICY) -> str:
    with pytest.raises(TrustError) as caught:
        verify_statement(content, policy, NOW)
    return caught.value.code


def test_the_encoding_is_that_of_the_specification() -> None:
    """The example of the DSSE protocol document."""
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@settings(max_examples=50, deadline=None)
@given(payload=st.binary(max_size=200), kind=st.text(min_size=1, max_size=20))
def test_what_is_signed_comes_back(payload: bytes, kind: str) -> None:
    content = sign_statement(kind, payload, [SIGNERS["vn"]])
    assert verify_statement(content, POLICY, NOW) == (kind, payload)


def test_both_sides_sign_one_statement() -> None:
    content = sign_statement(TYPE, b"{}", [SIGNERS["vn"], SIGNERS["cn"]])
    assert verify_cosigned(content, POLICY, NOW).parties == ("vn", "cn")


def test_an_unknown_cosigner_does_not_count() -> None:
    stranger = key_signer(STRANGER.key, STRANGER.der)
    content = sign_statement(TYPE, b"{}", [stranger, SIGNERS["vn"]])
    assert verify_cosigned(content, POLICY, NOW).parties == ("vn",)
    assert refusal(sign_statement(TYPE, b"{}", [stranger])) == "signature-missing"


def test_one_bad_signature_of_a_known_key_refuses_all() -> None:
    content = json.loads(sign_statement(TYPE, b"{}", [SIGNERS["vn"], SIGNERS["cn"]]))
    content["signatures"][1]["sig"] = content["signatures"][0]["sig"]
    assert refusal(json.dumps(content).encode()) == "signature-invalid"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("payload", base64.b64encode(b"[]").decode(), "signature-invalid"),
        ("payloadType", "other", "signature-invalid"),
        ("payload", "%%%", "signature-invalid"),
        ("signatures", [], "signature-missing"),
        ("signatures", [{"keyid": "x", "sig": "x"}] * 9, "signature-scope"),
        ("extra", 1, "signature-invalid"),
    ],
)
def test_a_changed_statement_is_refused(name: str, value: object, code: str) -> None:
    content = json.loads(sign_statement(TYPE, b"{}", [SIGNERS["vn"]]))
    content[name] = value
    assert refusal(json.dumps(content).encode()) == code


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_nonsense_is_refused(content: bytes) -> None:
    assert refusal(content) == "signature-invalid"


def test_a_message_key_signs_no_statement() -> None:
    message = issue(Purpose.MESSAGE)
    pins = [PinnedKey(message.der, "vn", Usage.STATEMENT)]
    policy = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.STATEMENT, pins)
    content = sign_statement(TYPE, b"{}", [key_signer(message.key, message.der)])
    assert refusal(content, policy) == "signer-untrusted"


def test_rsa_statements_follow_the_profile() -> None:
    made = issue(Purpose.STATEMENT, kind=KeyKind.RSA3072)
    pins = [PinnedKey(made.der, "vn", Usage.STATEMENT)]
    policy = TrustPolicy.of(profile("link-rsa-pss"), Usage.STATEMENT, pins)
    content = sign_statement(TYPE, b"{}", [key_signer(made.key, made.der)])
    assert verify_statement(content, policy, NOW) == (TYPE, b"{}")
