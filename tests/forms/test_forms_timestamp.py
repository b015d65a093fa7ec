"""RFC 3161: tokens of a real authority, and what is refused of others."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timestamp_authority import STAMPING, Pair, TimestampServer, pair
from token_maker import token

from gateway.errors import CounterpartError, GatewayError, TrustError, UnavailableError
from gateway.signing import timestamp
from gateway.transport.link import Endpoint, HttpLink
from gateway.transport.timestamps import HttpTimestamps

MESSAGE = b"what is stamped"
ROOT = pair("root")
LEAF = pair("tsa", ROOT, usage=STAMPING)
NOW = datetime.now(UTC)


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def stamped(tsa: TimestampServer) -> bytes:
    """Return a token of openssl over MESSAGE."""
    return timestamp.token_of(tsa.stamp(timestamp.request(MESSAGE, 2**64 - 1))[1])


def refused(work: Callable[[], object]) -> tuple[str, str]:
    """Return code and rule of a refusal."""
    with pytest.raises(TrustError) as caught:
        work()
    return caught.value.code, caught.value.findings[0].rule


def verify(octets: bytes, **options: object) -> timestamp.Stamp:
    return timestamp.verify(octets, MESSAGE, [ROOT.der], **options)


def test_a_token_of_openssl(tsa: TimestampServer, stamped: bytes) -> None:
    stamp = timestamp.verify(stamped, MESSAGE, [tsa.anchor], clock(), nonce=2**64 - 1)
    assert abs(stamp.time - clock()) < timedelta(minutes=1)
    assert stamp.policy == "1.2.3.4.1"
    assert stamp.certificate == tsa.leaf.der
    assert len(stamp.tsa) == 64
    assert stamp.serial > 0


def test_a_token_of_our_own_maker_is_one() -> None:
    """The refusals below are of this token, bent in one place each."""
    assert verify(token(LEAF, MESSAGE), at=clock(), nonce=7).serial == 9


@pytest.mark.proves(
    attack="a timestamp over other content",
    code="timestamp-invalid",
    rule="timestamp-imprint",
    behaviour="The token is refused; what it was to prove stays without a time.",
)
def test_another_message(tsa: TimestampServer, stamped: bytes) -> None:
    def other() -> object:
        return timestamp.verify(stamped, b"other", [tsa.anchor])

    assert refused(other) == ("timestamp-invalid", "timestamp-imprint")


@pytest.mark.proves(
    attack="an old answer of a time-stamping authority, replayed",
    code="timestamp-invalid",
    rule="timestamp-nonce",
    behaviour="The nonce is not the one that was asked with: refused, the next authority is asked.",
)
def test_another_nonce() -> None:
    assert refused(lambda: verify(token(LEAF, MESSAGE), nonce=8))[1] == "timestamp-nonce"


@pytest.mark.proves(
    attack="a timestamp of an authority that nobody agreed on",
    code="timestamp-invalid",
    rule="timestamp-authority",
    behaviour="Refused: the chain does not lead to an anchor of [timestamps].",
)
def test_an_authority_that_is_not_below_an_anchor() -> None:
    strange = pair("tsa", pair("root"), usage=STAMPING)
    assert refused(lambda: verify(token(strange, MESSAGE)))[1] == "timestamp-authority"
    assert refused(lambda: timestamp.verify(token(LEAF, MESSAGE), MESSAGE, []))[1] == (
        "timestamp-authority"
    )


@pytest.mark.proves(
    attack="a certificate of the right authority that is for TLS signs a timestamp",
    code="timestamp-invalid",
    rule="timestamp-usage",
    behaviour="Refused: timeStamping must be its only extended key usage, and critical.",
)
@pytest.mark.parametrize(
    "leaf",
    [
        pair("tsa", ROOT),
        pair("tsa", ROOT, usage=[ExtendedKeyUsageOID.SERVER_AUTH]),
        pair("tsa", ROOT, usage=[*STAMPING, ExtendedKeyUsageOID.CODE_SIGNING]),
        pair("tsa", ROOT, usage=STAMPING, critical=False),
    ],
    ids=["none", "tls", "two", "not-critical"],
)
def test_a_certificate_for_something_else(leaf: Pair) -> None:
    assert refused(lambda: verify(token(leaf, MESSAGE)))[1] == "timestamp-usage"


@pytest.mark.proves(
    attack="a timestamp from after the authority's certificate ended",
    code="timestamp-invalid",
    rule="timestamp-expired",
    behaviour="Refused; a token from before stays good for ever.",
)
def test_validity_is_that_of_the_time_in_the_token() -> None:
    ended = pair("tsa", ROOT, usage=STAMPING, days=(-20, -10))
    assert refused(lambda: verify(token(ended, MESSAGE)))[1] == "timestamp-expired"
    then = NOW - timedelta(days=15)
    assert verify(token(ended, MESSAGE, at=then), at=NOW).time.date() == then.date()


def test_an_authority_below_an_intermediate() -> None:
    """Both stand in [timestamps] anchors: a token brings its signer's certificate alone."""
    middle = pair("middle", ROOT, authority=True)
    octets = token(pair("tsa", middle, usage=STAMPING), MESSAGE)
    assert timestamp.verify(octets, MESSAGE, [ROOT.der, middle.der])
    for anchors in ([ROOT.der], [middle.der]):
        found = refused(lambda a=anchors: timestamp.verify(octets, MESSAGE, a))
        assert found[1] == "timestamp-authority"


@pytest.mark.proves(
    attack="a leaf of a believed authority issues a time-stamping certificate of its own",
    code="timestamp-invalid",
    rule="timestamp-authority",
    behaviour="Refused: it is no authority.",
)
def test_a_leaf_that_issues() -> None:
    leaf = pair("tsa", ROOT, usage=STAMPING)
    below = pair("tsa 2", leaf, usage=STAMPING)
    found = refused(lambda: timestamp.verify(token(below, MESSAGE), MESSAGE, [ROOT.der, leaf.der]))
    assert found[1] == "timestamp-authority"


def test_an_anchor_that_had_ended() -> None:
    root = pair("root", days=(-20, -10))
    late = pair("tsa", root, usage=STAMPING)
    refusal = refused(lambda: timestamp.verify(token(late, MESSAGE), MESSAGE, [root.der]))
    assert refusal[1] == "timestamp-authority"


@pytest.mark.proves(
    attack="a timestamp of the future",
    code="timestamp-invalid",
    rule="timestamp-future",
    behaviour="Refused when it is more than five minutes ahead of our clock.",
)
def test_a_token_of_the_future() -> None:
    ahead = token(LEAF, MESSAGE, at=NOW + timedelta(minutes=6))
    assert refused(lambda: verify(ahead, at=NOW))[1] == "timestamp-future"
    assert verify(token(LEAF, MESSAGE, at=NOW + timedelta(minutes=4)), at=NOW)


def test_a_weak_digest() -> None:
    assert refused(lambda: verify(token(LEAF, MESSAGE, digest="sha1")))[1] == "timestamp-algorithm"


def test_the_signed_attributes_must_name_the_certificate() -> None:
    bent = token(LEAF, MESSAGE, named=ROOT.der)
    assert refused(lambda: verify(bent))[1] == "timestamp-signature"
    bent = token(LEAF, MESSAGE, content_type="data")
    assert refused(lambda: verify(bent))[1] == "timestamp-signature"


def test_a_certificate_must_be_named() -> None:
    bent = token(LEAF, MESSAGE, naming=False)
    assert refused(lambda: verify(bent))[1] == "timestamp-signature"


def test_a_signature_with_sha1() -> None:
    leaf = pair("tsa", ROOT, usage=STAMPING, key=rsa.generate_private_key(65537, 2048))
    assert verify(token(leaf, MESSAGE)).serial == 9
    assert refused(lambda: verify(token(leaf, MESSAGE, signed_with="sha1")))[1] == (
        "timestamp-algorithm"
    )


def test_two_signers() -> None:
    assert refused(lambda: verify(token(LEAF, MESSAGE, signers=2)))[1] in (
        "cms-signers",
        "timestamp-der",
    )


@pytest.mark.parametrize(
    "octets", [b"", b"\x30\x80\x00\x00", b"\x30\x03\x02\x01\x00", b"x" * 70_000]
)
def test_hostile_octets(octets: bytes) -> None:
    assert refused(lambda: timestamp.token_of(octets)) == ("timestamp-invalid", "timestamp-der")
    assert refused(lambda: verify(octets)) == ("timestamp-invalid", "timestamp-der")


def test_truncated_and_prolonged(tsa: TimestampServer, stamped: bytes) -> None:
    for octets in (stamped[:-1], stamped[:40], stamped + b"\x00"):
        refusal = refused(lambda o=octets: timestamp.verify(o, MESSAGE, [tsa.anchor]))
        assert refusal == ("timestamp-invalid", "timestamp-der")


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bit_of_a_token_can_be_flipped(
    tsa: TimestampServer, stamped: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(stamped) - 1))
    bent = bytearray(stamped)
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TrustError):
        timestamp.verify(bytes(bent), MESSAGE, [tsa.anchor])


def asking(
    *servers: TimestampServer, anchor: bytes, **options: object
) -> tuple[HttpLink, HttpTimestamps]:
    endpoints = [Endpoint(f"tsa-{n}", server.url) for n, server in enumerate(servers)]
    link = HttpLink([replace(e, **options) for e in endpoints], clock)
    return link, HttpTimestamps(link, [e.name for e in endpoints], [anchor], os.urandom, clock)


def test_a_real_authority_is_asked_over_http(tsa: TimestampServer) -> None:
    link, authority = asking(tsa, anchor=tsa.anchor)
    with link:
        first, second = authority.stamp(MESSAGE), authority.stamp(MESSAGE)
    assert timestamp.verify(first, MESSAGE, [tsa.anchor]).serial < (
        timestamp.verify(second, MESSAGE, [tsa.anchor]).serial
    )
    assert tsa.asked[-1] != tsa.asked[-2]  # another nonce each time


def failure(server: TimestampServer, **options: object) -> GatewayError:
    link, authority = asking(server, anchor=server.anchor, **options)
    with link, pytest.raises(GatewayError) as caught:
        authority.stamp(MESSAGE)
    return caught.value


@pytest.mark.proves(
    attack="the time-stamping authority is slow",
    code="unavailable",
    behaviour="Given up at the total deadline; what waits for the time stays pending.",
)
def test_a_slow_authority(restored: TimestampServer) -> None:
    over = threading.Event()
    restored.reply = lambda _: (200, bytes(over.wait(5)))
    failed = failure(restored, deadline=timedelta(milliseconds=200))
    over.set()
    assert isinstance(failed, UnavailableError)
    assert failed.findings[0].rule == "deadline"


@pytest.mark.proves(
    attack="the time-stamping authority is down",
    code="unavailable",
    behaviour="The next authority is asked; with none left what waits stays pending.",
)
def test_an_authority_that_is_down(tsa: TimestampServer, tmp_path: Path) -> None:
    with TimestampServer(tmp_path, root=tsa.root) as gone:
        pass
    failed = failure(gone)
    assert (failed.code, failed.findings[0].rule) == ("unavailable", "econnrefused")
    link, authority = asking(gone, tsa, anchor=tsa.anchor)
    with link:
        assert timestamp.verify(authority.stamp(MESSAGE), MESSAGE, [tsa.anchor])


def test_an_answer_without_end(restored: TimestampServer) -> None:
    restored.reply = lambda _: (200, b"x" * 5000)
    failed = failure(restored, max_answer=4096)
    assert isinstance(failed, CounterpartError)
    assert (failed.code, failed.findings[0].rule) == ("bad-answer", "size")


def test_a_status_that_is_not_200(restored: TimestampServer) -> None:
    restored.reply = lambda query: (503, restored.stamp(query)[1])
    assert (failure(restored).code, failure(restored).findings[0].rule) == ("bad-answer", "status")


def test_a_refusal_of_the_authority(restored: TimestampServer) -> None:
    restored.reply = lambda _: restored.stamp(b"not a query")
    assert failure(restored).findings[0].rule == "timestamp-refused"


def test_an_answer_to_somebody_else(restored: TimestampServer) -> None:
    query = timestamp.request(MESSAGE, 1)
    restored.reply = lambda _: restored.stamp(query)
    failed = failure(restored)
    assert (failed.code, failed.findings[0].rule) == ("timestamp-invalid", "timestamp-nonce")


def test_nobody_is_configured() -> None:
    with HttpLink([], clock) as link, pytest.raises(UnavailableError):
        HttpTimestamps(link, [], [ROOT.der], os.urandom, clock).stamp(MESSAGE)
