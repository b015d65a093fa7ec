"""SM2: known answers, three implementations against each other, and hostile values."""

import ast
import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gmalg
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sm2_parties import (
    KNOWN_SCALAR,
    gmalg_signs,
    gmalg_verifies,
    openssl_signs,
    openssl_verifies,
)

import gateway
from gateway.errors import UnavailableError
from gateway.signing import sm2, sm2_libcrypto, sm2_oracle
from gateway.signing.algorithms import ALGORITHMS, SM2_SM3, der_of, raw_of
from gateway.signing.sm2 import Sm2PublicKey
from gateway.signing.sm2_curve import GX, GY, SIZE, USER_ID, N, P, pair, sm3

KEY = sm2.generate()
POINT = KEY.public.point
MESSAGE = "报文 of a test".encode()


def verifies(key: Sm2PublicKey, value: bytes, message: bytes, user_id: bytes = USER_ID) -> bool:
    """Ask libcrypto and plain Python, which must agree."""
    try:
        key.verify(value, message, user_id)
        good = True
    except InvalidSignature:
        good = False
    if user_id:
        assert sm2_oracle.verify(key.point, value, message, user_id) is good
    return good


# --- known answers ------------------------------------------------------------------------

K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
R = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
S = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"


def test_sm3_has_its_known_answer() -> None:
    """GB/T 32905, A.1."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_signature_of_the_standard_verifies() -> None:
    """GB/T 32918.5, A.2."""
    key = sm2.public_key(bytes(gmalg.SM2().generate_pk(KNOWN_SCALAR)))
    assert verifies(key, bytes.fromhex(R + S), b"message digest")
    assert gmalg_signs(KNOWN_SCALAR, b"message digest", k=K).hex() == R + S


def test_the_library_is_tested_at_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    sm2.tested.cache_clear()
    monkeypatch.setattr(sm2_oracle, "verify", lambda *_: False)
    with pytest.raises(UnavailableError) as caught:
        KEY.sign(MESSAGE)
    assert caught.value.findings[0].rule == "sm2-self-test"
    monkeypatch.undo()
    assert verifies(KEY.public, KEY.sign(MESSAGE), MESSAGE)


# --- other implementations ----------------------------------------------------------------


def test_gmalg_verifies_ours_and_we_verify_its() -> None:
    scalar, point = map(bytes, gmalg.SM2().generate_keypair())
    value = KEY.sign(MESSAGE)
    assert gmalg_verifies(POINT, value, MESSAGE)
    assert not gmalg_verifies(POINT, value, MESSAGE + b".")
    assert verifies(sm2.public_key(point), gmalg_signs(scalar, MESSAGE), MESSAGE)


@pytest.mark.parametrize("user_id", [USER_ID, b"ALICE123@YAHOO.COM", b"x"])
def test_openssl_verifies_ours_and_we_verify_its(tmp_path: Path, user_id: bytes) -> None:
    value = KEY.sign(MESSAGE, user_id)
    assert openssl_verifies(tmp_path, KEY, value, MESSAGE, user_id)
    assert not openssl_verifies(tmp_path, KEY, value, MESSAGE, b"other")
    der = openssl_signs(tmp_path, MESSAGE, user_id)
    theirs = sm2.load_private((tmp_path / "key.pem").read_bytes(), None)
    assert verifies(theirs.public, raw_of(der, SIZE), MESSAGE, user_id)
    assert not verifies(theirs.public, raw_of(der, SIZE), MESSAGE, user_id + b"!")


@settings(max_examples=30, deadline=None)
@given(message=st.binary(max_size=300), user_id=st.binary(min_size=1, max_size=40))
@example(message=b"", user_id=USER_ID)
@example(message=b"\0" * 1000, user_id=b"\0" * 1000)
def test_what_is_signed_verifies_in_all(message: bytes, user_id: bytes) -> None:
    value = KEY.sign(message, user_id)
    assert len(value) == 2 * SIZE
    assert verifies(KEY.public, value, message, user_id)
    assert gmalg_verifies(POINT, value, message, user_id)
    assert raw_of(der_of(value), SIZE) == value


@settings(max_examples=60, deadline=None)
@given(part=st.sampled_from(["value", "message", "user id"]), at=st.integers(0, 511))
def test_no_flipped_bit_verifies(part: str, at: int) -> None:
    parts = {"value": VALUE, "message": MESSAGE, "user id": USER_ID}
    octets = bytearray(parts[part])
    at %= 8 * len(octets)
    octets[at // 8] ^= 1 << (at % 8)
    parts[part] = bytes(octets)
    assert not verifies(KEY.public, parts["value"], parts["message"], parts["user id"])


VALUE = KEY.sign(MESSAGE)


def test_no_bit_of_a_value_can_be_flipped() -> None:
    for at in range(8 * len(VALUE)):
        changed = bytearray(VALUE)
        changed[at // 8] ^= 1 << (at % 8)
        with pytest.raises(InvalidSignature):
            KEY.public.verify(bytes(changed), MESSAGE)


def test_two_signatures_of_one_message_differ() -> None:
    assert KEY.sign(MESSAGE) != KEY.sign(MESSAGE)


# --- hostile values -----------------------------------------------------------------------


def number(value: int) -> bytes:
    return value.to_bytes(SIZE, "big")


HALF = VALUE[SIZE:]
HOSTILE = {
    "nothing": b"",
    "cut": VALUE[:-1],
    "long": VALUE + b"\0",
    "all zero": bytes(64),
    "r zero": bytes(32) + HALF,
    "s zero": VALUE[:32] + bytes(32),
    "r is n": number(N) + HALF,
    "s is n": VALUE[:32] + number(N),
    "r + n": number((int.from_bytes(VALUE[:32], "big") + N) % 2**256) + HALF,
    "s is n - r": VALUE[:32] + number(N - int.from_bytes(VALUE[:32], "big")),
    "all ones": b"\xff" * 64,
    "swapped": HALF + VALUE[:32],
    "huge": b"\xff" * 100_000,
    "der": der_of(VALUE),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.proves(
    attack="SM2: r or s is zero, n or more, too long, too short",
    code="signature-invalid",
    rule="signature-value",
    behaviour="refused before libcrypto sees it; plain Python agrees",
)
def test_values_out_of_range_are_refused(value: bytes) -> None:
    assert not verifies(KEY.public, value, MESSAGE)


def test_the_longest_user_id() -> None:
    assert verifies(KEY.public, KEY.sign(MESSAGE, b"x" * 8190), MESSAGE, b"x" * 8190)


@pytest.mark.parametrize(
    "name", ["nothing", "cut", "long", "r zero", "s zero", "r is n", "s is n", "all ones", "der"]
)
def test_only_numbers_in_range_are_read(name: str) -> None:
    with pytest.raises(ValueError, match="range"):
        pair(HOSTILE[name])
    assert pair(VALUE) == tuple(int.from_bytes(part, "big") for part in (VALUE[:32], HALF))


@pytest.mark.parametrize("user_id", [b"", b"x" * 8191])
def test_a_user_id_has_a_length_that_z_can_hold(user_id: bytes) -> None:
    with pytest.raises(InvalidSignature):
        KEY.public.verify(VALUE, MESSAGE, user_id)
    with pytest.raises(ValueError, match="user id"):
        KEY.sign(MESSAGE, user_id)


BASE = number(GX) + number(GY)
POINTS = {
    "empty": b"",
    "infinity": b"\0",
    "compressed": b"\x02" + number(GX),
    "hybrid": b"\x06" + BASE,
    "cut": b"\x04" + BASE[:-1],
    "long": b"\x04" + BASE + b"\0",
    "zero": b"\x04" + bytes(64),
    "not on the curve": b"\x04" + number(GX) + number(GY ^ 1),
    "on the twist": b"\x04" + number(GX) + number(GX),
    "x + p": b"\x04" + b"\xff" * 32 + number(GY),
    "x is p": b"\x04" + number(P) + number(GY),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_a_point_that_is_not_on_the_curve_is_no_key(point: bytes) -> None:
    with pytest.raises(ValueError, match="point"):
        sm2.public_key(point)
    assert not sm2_oracle.verify(point, VALUE, MESSAGE, USER_ID)


DER = der_of(VALUE)
NOT_DER = {
    "nothing": b"",
    "cut": DER[:-1],
    "half": DER[: len(DER) // 2],
    "long": DER + b"\0",
    "no sequence": b"\x31" + DER[1:],
    "long length": b"\x30\x81" + DER[1:],
    "padded number": b"\x30\x07\x02\x02\x00\x01\x02\x01\x01",
    "negative": b"\x30\x06\x02\x01\xff\x02\x01\x01",
    "huge numbers": der_of(b"\x7f" * 4000),
    "33 octets": der_of(b"\0" * 31 + b"\x01" + b"\0" * 32 + b"\x01" * 64),
    "indefinite": b"\x30\x80" + DER[2:] + b"\0\0",
}


@pytest.mark.parametrize("der", NOT_DER.values(), ids=NOT_DER.keys())
@pytest.mark.proves(
    attack="SM2 or ECDSA: a value in DER that is cut, padded, negative or huge",
    code="signature-invalid",
    rule="signature-value",
    behaviour="refused: one spelling of a value is taken",
)
def test_only_der_is_der(der: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says
        raw_of(der, SIZE)


# --- the library --------------------------------------------------------------------------


@pytest.fixture
def fresh_library() -> Iterator[None]:
    sm2_libcrypto.library.cache_clear()
    yield
    sm2_libcrypto.library.cache_clear()


@pytest.mark.usefixtures("fresh_library")
@pytest.mark.proves(
    attack="SM2: libcrypto is missing or older than 3",
    code="unavailable",
    rule="sm2-library",
    behaviour="nothing is signed or accepted with SM2; the finding says what to install",
)
@pytest.mark.parametrize("named", ["libnothing.so.9", "libc.so.6", "/"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(sm2_libcrypto.LIBRARY_VARIABLE, named)
    with pytest.raises(UnavailableError) as caught:
        sm2.generate()
    (finding,) = caught.value.findings
    assert (finding.rule, finding.found) == ("sm2-library", "none")
    assert "libcrypto >= 3" in finding.expected


@pytest.mark.usefixtures("fresh_library")
def test_an_old_library_or_one_without_sm2_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2_libcrypto, "OLDEST", 0x7FFFFFFF)
    with pytest.raises(UnavailableError) as caught:
        sm2_libcrypto.library()
    assert caught.value.findings[0].found != "none"
    monkeypatch.undo()
    assert isinstance(sm2_libcrypto.library(), ctypes.CDLL)


def test_the_oracle_cannot_sign_and_only_the_self_test_asks_it() -> None:
    package = Path(gateway.__file__).parent
    importers = {
        file.name
        for file in package.rglob("*.py")
        if file.name != "sm2_oracle.py" and "sm2_oracle" in file.read_text("utf-8")
    }
    assert importers == {"sm2.py"}
    tree = ast.parse((package / "signing" / "sm2_oracle.py").read_text("utf-8"))
    public = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name[0] != "_"}
    assert public == {"verify"}


# --- keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, b"only for this test", "mật khẩu".encode()])
def test_a_key_comes_back_from_its_pem(password: bytes | None) -> None:
    pem = KEY.pem(password)
    assert pem.startswith(b"-----BEGIN ENCRYPTED" if password else b"-----BEGIN PRIVATE")
    again = sm2.load_private(pem, password)
    assert again.public == KEY.public
    assert verifies(KEY.public, again.sign(MESSAGE), MESSAGE)


def test_a_key_shows_nothing_of_itself() -> None:
    assert "andle" not in repr(KEY)
    assert repr(KEY) == f"Sm2PrivateKey(public={KEY.public!r})"


def test_what_is_no_key_is_refused() -> None:
    sealed, plain = KEY.pem(b"geheim"), KEY.pem(None)
    cases = [(sealed, None), (sealed, b"wrong"), (plain, b"without need"), (b"", None)]
    cases += [(plain[: len(plain) // 2], None), (plain.replace(b"M", b"N"), None)]
    cases += [(sealed, b"x" * 5000)]
    for pem, password in cases:
        with pytest.raises(ValueError, match=r"key|password"):
            sm2.load_private(pem, password)


def test_another_curve_is_no_sm2_key() -> None:
    from signing_parties import issue, private_pem

    with pytest.raises(ValueError, match="SM2"):
        sm2.load_private(private_pem(issue()), None)


def test_the_row_of_the_table_takes_sm2_keys_only() -> None:
    row = ALGORITHMS[SM2_SM3]
    assert row.fits(KEY.public)
    assert not row.fits(POINT)
    row.verify(KEY.public, row.sign(KEY, MESSAGE, b"id"), MESSAGE, b"id")


def test_threads_share_a_key() -> None:
    def work(number: int) -> bool:
        message = b"%d" % number
        return all(verifies(KEY.public, KEY.sign(message), message) for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))
