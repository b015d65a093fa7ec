"""A key that takes over at an instant: value and certificate are always of one key."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import UnavailableError
from gateway.flows.signers import PROBE, SignerWatch
from gateway.safexml import parse
from gateway.signing.cms_sign import sign_detached
from gateway.signing.dsse import add_signature, sign_statement, verify_cosigned
from gateway.signing.issue import Purpose, Subject, leaf
from gateway.signing.keys import KeySigner, key_signer
from gateway.signing.profiles import profile
from gateway.signing.rolling import RollingSigner, settled
from gateway.signing.sign import sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import verify_document

NOW = datetime(2026, 5, 14, tzinfo=UTC)
SHAPE = profile("link-ecdsa-p256")


def signer(name: str) -> KeySigner:
    made = leaf(Subject("VN", "Test", "", name), Purpose.MESSAGE, NOW - timedelta(days=1), 90)
    return key_signer(made.key, made.der)


PRESENT, FOLLOWING = signer("present"), signer("following")
POLICY = TrustPolicy.of(
    SHAPE,
    Usage.MESSAGE,
    [PinnedKey(each.certificate, "vn", Usage.MESSAGE) for each in (PRESENT, FOLLOWING)],
)


def rolling(looks: int) -> RollingSigner:
    """A signer whose clock passes the instant after so many looks at it."""
    seen = 0

    def clock() -> datetime:
        nonlocal seen
        seen += 1
        return NOW if seen <= looks else NOW + timedelta(seconds=1)

    return RollingSigner(PRESENT, FOLLOWING, NOW + timedelta(seconds=1), clock)


def test_the_next_key_signs_from_its_instant_on() -> None:
    one = rolling(looks=4)
    assert (one.key_id, one.certificate, one.algorithm) == (
        PRESENT.key_id,
        PRESENT.certificate,
        PRESENT.algorithm,
    )
    assert one.now is PRESENT
    assert one.now is FOLLOWING
    assert settled(one) is FOLLOWING
    assert settled(PRESENT) is PRESENT


@pytest.mark.parametrize("looks", range(6))
def test_a_document_signed_at_the_instant_verifies(looks: int) -> None:
    signed = sign_document(b"<a></a>", rolling(looks), SHAPE)
    expected = PRESENT if looks else FOLLOWING
    assert verify_document(parse(signed), POLICY, NOW).fingerprint == expected.key_id


@pytest.mark.parametrize("looks", range(6))
@pytest.mark.parametrize(
    "make",
    [
        lambda one: sign_statement("t", b"x", [one]),
        lambda one: add_signature(sign_statement("t", b"x", [PRESENT]), one),
    ],
)
def test_a_statement_signed_at_the_instant_verifies(
    make: Callable[[RollingSigner], bytes], looks: int
) -> None:
    assert set(verify_cosigned(make(rolling(looks)), POLICY, NOW).parties) == {"vn"}


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_cms_signature_names_the_key_that_made_it(looks: int) -> None:
    from gateway.signing import cms
    from gateway.signing.certificates import public_key

    content = b"x"
    parts = cms.take_apart(sign_detached(content, rolling(looks), NOW))
    cms.verify_parts(parts, content, public_key(parts.certificate))


class Down:
    """A key that cannot be reached."""

    key_id = certificate = algorithm = None

    def sign(self, message: bytes) -> bytes:
        assert message == PROBE
        raise UnavailableError("unavailable")


def test_the_watch_asks_the_key_that_signs_now_and_not_too_often() -> None:
    at = [NOW]
    asked: list[datetime] = []

    def clock() -> datetime:
        asked.append(at[0])
        return at[0]

    one = RollingSigner(PRESENT, Down(), NOW + timedelta(minutes=1), clock)  # type: ignore[arg-type]
    watch = SignerWatch({"message": one}, lambda: at[0])
    assert watch.down() == {}
    assert watch.down() == {}
    assert len(asked) == 1
    at[0] += timedelta(minutes=2)
    assert watch.down()["message"].rule == "signer"
    at[0] -= timedelta(minutes=5)  # a clock that was set back does not freeze the answer
    assert watch.down() == {}


class Hanging(Down):
    """A key whose token hangs."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()

    def sign(self, message: bytes) -> bytes:
        self.entered.set()
        self.leave.wait(30)
        raise UnavailableError("unavailable")


def test_a_token_that_hangs_takes_one_thread_of_the_watch() -> None:
    hanging = Hanging()
    watch = SignerWatch({"receipt": hanging}, lambda: NOW)  # type: ignore[dict-item]
    asking = threading.Thread(target=watch.down)
    asking.start()
    assert hanging.entered.wait(30)
    assert watch.down() == {}  # at once, with what was known
    hanging.leave.set()
    asking.join(30)
    assert set(watch.down()) == {"receipt"}
