"""Announcements of keys: what is signed by whom, and hostile files."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.evidence.announcement import TYPE, Announcement, announce, opened
from gateway.evidence.pack import Certificate
from gateway.evidence.rows import canonical
from gateway.signing.dsse import sign_statement
from gateway.signing.issue import Issued, Purpose, Subject, leaf
from gateway.signing.keys import KeySigner, key_signer
from gateway.signing.trust import PinnedKey, Usage

NOW = datetime(2026, 5, 14, tzinfo=UTC)


@cache
def issued(usage: str, nth: int = 0) -> Issued:
    start = NOW - timedelta(days=1 + nth)
    return leaf(Subject("VN", "x", "", usage), Purpose(usage), start, 90)


def signer(usage: str = "pack", nth: int = 0) -> KeySigner:
    made = issued(usage, nth)
    return key_signer(made.key, made.der)


def certificate(usage: str, nth: int = 0) -> Certificate:
    der = base64.b64encode(issued(usage, nth).der).decode()
    return Certificate(usage, der)  # type: ignore[arg-type]


SAID = Announcement(
    party="gateway-vn",
    side="vn",
    created=NOW,
    signature="link-ecdsa-p256",
    certificates=(certificate("message"), certificate("pack")),
)
PIN = PinnedKey(issued("pack", 0).der, "gateway-vn", Usage.PACK)


def refused(content: bytes, *pins: PinnedKey) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        opened(content, pins, NOW)
    return caught.value.code, caught.value.findings[0].rule


def test_the_first_one_is_read_but_nothing_vouches_for_it() -> None:
    found = opened(announce(SAID, signer()), [], NOW)
    assert (found.announcement, found.known) == (SAID, False)


def test_a_later_one_must_be_of_the_pinned_pack_key() -> None:
    assert opened(announce(SAID, signer()), [PIN], NOW).known
    other = announce(SAID, signer(nth=1))
    assert refused(other, PIN)[0] == "signature-missing"
    brought = msgspec.structs.replace(SAID, certificates=(certificate("pack", 1),))
    assert refused(announce(brought, signer(nth=1)), PIN)[0] == "signature-missing"
    assert not opened(announce(brought, signer(nth=1)), [], NOW).known


def test_one_that_brings_no_pack_key_or_signs_with_another_usage_is_refused() -> None:
    none = msgspec.structs.replace(SAID, certificates=(certificate("message"),))
    assert refused(announce(none, signer()))[0] == "signature-missing"
    assert refused(announce(SAID, signer("message")))[0] == "signature-missing"


def test_an_ended_pack_key_announces_nothing() -> None:
    ended = PinnedKey(PIN.certificate, PIN.party, PIN.usage, not_after=NOW - timedelta(1))
    assert refused(announce(SAID, signer()), ended) == ("signer-untrusted", "pin-window")


HOSTILE: list[Callable[[dict[str, Any]], object]] = [
    lambda s: s.update(extra=1),
    lambda s: s.pop("party"),
    lambda s: s.update(party="a/b"),
    lambda s: s.update(side="la"),
    lambda s: s.update(url="http://plain.example/"),
    lambda s: s.update(url="https://"),
    lambda s: s.update(signature="unknown"),
    lambda s: s.update(signature="cn-legacy-rsa"),
    lambda s: s.update(created="2026-05-14T00:00:00"),
    lambda s: s.update(anchors=["AAAA"]),
    lambda s: s["certificates"][0].update(der="%%%%"),
    lambda s: s["certificates"][0].update(usage="tls"),
    lambda s: s.update(created="2026-05-14T00:00:00.0Z"),
]


@pytest.mark.parametrize("change", HOSTILE)
def test_a_hostile_announcement_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads(canonical(msgspec.to_builtins(SAID)))
    change(said)
    content = sign_statement(TYPE, canonical(said), [signer()])
    assert refused(content, PIN) == ("malformed", "announcement")


def test_an_envelope_of_another_type_is_refused() -> None:
    content = sign_statement("application/json", canonical(msgspec.to_builtins(SAID)), [signer()])
    assert refused(content, PIN) == ("signature-invalid", "announcement-type")


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_octets_but_an_announcement_are_taken(octets: bytes) -> None:
    refused(octets, PIN)
    refused(sign_statement(TYPE, octets, [signer()]), PIN)
