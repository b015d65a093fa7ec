"""Keys in a token: SoftHSM over PKCS#11, used by many threads, taken away and put back."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from softhsm import MODULE, PIN, SO_PIN, SoftHsm

from gateway.errors import StateError, UnavailableError
from gateway.safexml import parse
from gateway.signing.algorithms import ECDSA_SHA256, RSA_PSS_SHA256, RSA_SHA256
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.pkcs11 import TokenSigner, token_signer
from gateway.signing.pkcs11_keys import make_key
from gateway.signing.pkcs11_library import library
from gateway.signing.pkcs11_token import KeyRef, Token
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import verify_document

NOW = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)
SUBJECT = Subject("VN", "Test", "", "vn message")
KEY = KeyRef("message", b"\x01")


def right() -> bytes:
    return PIN.encode()


def token_of(label: str, pin: Callable[[], bytes] = right, **options: float) -> Token:
    return Token(MODULE, label, pin, pause=0.0, **options)  # type: ignore[arg-type]


def made(token: Token, folder: Path, kind: KeyKind = KeyKind.P256, ref: KeyRef = KEY) -> Path:
    """Make a key in the token and its certificate, which the token signs itself."""
    issued = leaf(SUBJECT, Purpose.MESSAGE, NOW, 365, key=make_key(token, ref, kind))
    file = folder / f"{ref.label}.cert.pem"
    file.write_bytes(issued.pem)
    return file


def rule(failure: pytest.ExceptionInfo[UnavailableError]) -> str:
    assert failure.value.retry_after is not None
    return failure.value.findings[0].rule


@pytest.fixture
def token(label: str) -> Token:
    return token_of(label)


@pytest.mark.parametrize(
    ("kind", "algorithm", "name"),
    [
        (KeyKind.P256, ECDSA_SHA256, "link-ecdsa-p256"),
        (KeyKind.RSA3072, RSA_PSS_SHA256, "link-rsa-pss"),
        (KeyKind.RSA3072, RSA_SHA256, "link-rsa-pkcs1"),
    ],
)
def test_a_token_signs_a_document_that_verifies(
    token: Token, tmp_path: Path, kind: KeyKind, algorithm: str, name: str
) -> None:
    signer = token_signer(token, KEY, made(token, tmp_path, kind), algorithm)
    signed = sign_document(b"<a>\xe7\x81\xab</a>", signer, profile(name))
    pins = [PinnedKey(signer.certificate, "vn", Usage.MESSAGE)]
    policy = TrustPolicy.of(profile(name), Usage.MESSAGE, pins)
    assert verify_document(parse(signed), policy, NOW).fingerprint == signer.key_id
    if algorithm == RSA_PSS_SHA256:  # and by another implementation, with the salt we state
        public = x509.load_der_x509_certificate(signer.certificate).public_key()
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        public.verify(signer.sign(b"x"), b"x", pss, hashes.SHA256())


def test_the_key_cannot_leave_the_token_and_is_not_made_twice(token: Token) -> None:
    key = make_key(token, KEY, KeyKind.P256)
    for read in (key.private_numbers, key.private_bytes, key.exchange):
        with pytest.raises(NotImplementedError):
            read()
    for ref in (KeyRef("message", b"\x07"), KeyRef("other", b"\x01")):
        with pytest.raises(StateError, match="hsm-key"):
            make_key(token, ref, KeyKind.P256)


def test_fifty_calls_over_twenty_five_threads(token: Token, tmp_path: Path) -> None:
    signer = token_signer(token, KEY, made(token, tmp_path))
    together = threading.Barrier(25)

    def sign(number: int) -> bytes:
        if number < 25:
            together.wait(30)
        return signer.sign(b"%d" % number)  # what it returns was verified

    with ThreadPoolExecutor(25) as pool:
        values = list(pool.map(sign, range(50)))
    assert len(set(values)) == 50


def test_as_many_sessions_as_threads_stay_apart(label: str, tmp_path: Path) -> None:
    """A library that was not initialised for threads ends the process here."""
    signer = token_signer(token_of(label, sessions=25), KEY, made(token_of(label), tmp_path))
    with ThreadPoolExecutor(25) as pool:
        values = list(pool.map(lambda n: signer.sign(b"%d" % n), range(2000)))
    assert len(set(values)) == 2000


@pytest.mark.proves(
    attack="the HSM goes away while keys are in use",
    code="unavailable",
    behaviour="nothing is signed; certificate and key id stay known; when it is back, the next "
    "signature opens its sessions again, without a restart",
)
def test_a_token_that_went_away_is_used_again_when_it_is_back(
    hsm: SoftHsm, label: str, token: Token, tmp_path: Path
) -> None:
    signer = token_signer(token, KEY, made(token, tmp_path))
    signer.sign(b"before")
    known = (signer.key_id, signer.certificate, signer.algorithm)
    for _ in range(2):
        hsm.take_away(label)
        with ThreadPoolExecutor(25) as pool:
            calls = [pool.submit(signer.sign, b"away") for _ in range(50)]
        for call in calls:
            with pytest.raises(UnavailableError) as caught:
                call.result()
            assert rule(caught) == "hsm"
        assert (signer.key_id, signer.certificate, signer.algorithm) == known
        hsm.put_back(label)
        assert signer.sign(b"after")


def test_a_token_that_failed_is_left_alone_for_a_moment(
    hsm: SoftHsm, label: str, tmp_path: Path
) -> None:
    token = Token(MODULE, label, right, pause=3600.0)
    signer = token_signer(token, KEY, made(token, tmp_path))
    hsm.take_away(label)
    with pytest.raises(UnavailableError):
        signer.sign(b"x")
    hsm.put_back(label)
    with pytest.raises(UnavailableError) as caught:
        signer.sign(b"x")
    assert caught.value.findings[0].found == "failed a moment ago"


def test_a_signer_is_made_while_its_token_is_down(hsm: SoftHsm, label: str, tmp_path: Path) -> None:
    certificate = made(token_of(label), tmp_path)
    hsm.take_away(label)
    signer = token_signer(token_of(label), KEY, certificate)
    assert signer.algorithm == ECDSA_SHA256
    hsm.put_back(label)
    assert signer.sign(b"x")


@pytest.mark.proves(
    attack="a wrong PIN in the file",
    code="unavailable",
    behaviour="tried once, never again until the file changes: tokens lock after a few",
)
def test_a_pin_that_was_refused_is_not_tried_again(label: str, tmp_path: Path) -> None:
    certificate = made(token_of(label), tmp_path)
    renew()  # nobody of this process is logged in now
    pin = [b"not the pin"]
    signer = token_signer(token_of(label, lambda: pin[0]), KEY, certificate)

    def refused() -> None:
        with pytest.raises(UnavailableError) as caught:
            signer.sign(b"x")
        assert rule(caught) == "hsm-pin"

    refused()
    change_pin(label, "not the pin")
    refused()  # it would be right now: so it was not tried
    pin[0] = b"not the pin "
    refused()
    change_pin(label, PIN)
    pin[0] = right()
    assert signer.sign(b"x")


_CHANGE = """
import sys, pkcs11
module, label, so_pin, pin = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label=label).open(rw=True, so_pin=so_pin) as session:
    session.init_pin(pin)
"""


def change_pin(label: str, pin: str) -> None:
    """Set the PIN in another process: a security officer is logged in alone."""
    words = [sys.executable, "-c", _CHANGE, str(MODULE), label, SO_PIN, pin]
    subprocess.run(words, check=True)
    renew()  # SoftHSM reads the PIN of a token once


def renew() -> None:
    library(MODULE).renew(library(MODULE).generation)


def test_a_key_that_is_not_there_or_not_of_the_certificate_is_named(
    token: Token, tmp_path: Path
) -> None:
    certificate = made(token, tmp_path)
    make_key(token, KeyRef("other", b"\x02"), KeyKind.P256)
    for ref in (KeyRef("nothing"), KeyRef("other")):
        with pytest.raises(UnavailableError) as caught:
            token_signer(token, ref, certificate).sign(b"x")
        assert caught.value.findings[0].rule == "hsm-key"


def test_what_a_token_cannot_do_is_said_when_the_signer_is_made(
    token: Token, tmp_path: Path
) -> None:
    certificate = made(token, tmp_path)
    for algorithm in (RSA_SHA256, "urn:unknown"):
        with pytest.raises(UnavailableError, match="key"):
            token_signer(token, KEY, certificate, algorithm)
    with pytest.raises(UnavailableError, match="key-file"):
        token_signer(token, KEY, tmp_path / "none.pem")


@pytest.mark.proves(
    attack="an HSM that hangs",
    code="unavailable",
    behaviour="the sessions are bounded; further calls wait for one and then are refused",
)
def test_a_token_whose_sessions_are_all_taken_refuses_after_a_while(
    label: str, tmp_path: Path
) -> None:
    token = token_of(label, sessions=1, patience=0.05)
    signer: TokenSigner = token_signer(token, KEY, made(token, tmp_path))
    entered, leave = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        entered.set()
        leave.wait(30)

    holder = threading.Thread(target=lambda: token.manage(hang))
    holder.start()
    try:
        assert entered.wait(30)
        with pytest.raises(UnavailableError) as caught:
            signer.sign(b"x")
        assert rule(caught) == "hsm-busy"
    finally:
        leave.set()
        holder.join()
    assert signer.sign(b"x")


def test_callers_of_a_token_that_hangs_do_not_all_wait(label: str, tmp_path: Path) -> None:
    token = Token(MODULE, label, right, 1, pause=3600.0, patience=0.05)
    signer = token_signer(token, KEY, made(token, tmp_path))
    entered, leave = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        entered.set()
        leave.wait(30)

    holder = threading.Thread(target=lambda: token.manage(hang))
    holder.start()
    try:
        assert entered.wait(30)
        rules = []
        for _ in range(2):
            with pytest.raises(UnavailableError) as caught:
                signer.sign(b"x")
            rules.append((rule(caught), caught.value.findings[0].found))
        assert rules == [("hsm-busy", ""), ("hsm", "failed a moment ago")]
    finally:
        leave.set()
        holder.join()


def test_a_module_that_is_none_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "module.so"
    file.write_text("no library")
    with pytest.raises(UnavailableError) as caught:
        Token(file, "any", right, pause=0.0).sign(KEY, b"x")
    assert rule(caught) == "hsm"
