"""The bilateral pack: round trip, differences, who signed, and what is refused."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DocumentError, GatewayError, TrustError
from gateway.evidence import pack_seal
from gateway.evidence.pack import (
    NEEDED,
    TYPE,
    USAGES,
    Calendar,
    Certificate,
    Holiday,
    Hours,
    Limits,
    Pack,
    Party,
    Table,
    read_pack,
    write_pack,
)
from gateway.evidence.pack_diff import diff
from gateway.evidence.pack_seal import InForce, Sides
from gateway.signing.dsse import sign_statement
from gateway.signing.issue import Issued, Purpose, Subject, leaf
from gateway.signing.keys import KeySigner, key_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import DEMO_UNIT, PinnedKey, TrustPolicy, Usage
from gateway.texts import CHANGES

NOW = datetime(2026, 5, 14, tzinfo=UTC)
DIGEST = "ab" * 32
INSTALLED = {"map:cn.mt1401/2018-06-01": DIGEST, "list:gates": DIGEST}


@cache
def issued(party: str, usage: str, unit: str = "", nth: int = 0) -> Issued:
    start = NOW - timedelta(days=10 + nth)
    return leaf(Subject("VN", party, unit, usage), Purpose(usage), start, 400)


def certificate(party: str, usage: str, **more: Any) -> Certificate:
    der = issued(party, usage).der
    return Certificate(usage, base64.b64encode(der).decode(), **more)  # type: ignore[arg-type]


def party(name: str, side: str, **more: Any) -> Party:
    made = Party(
        name=name,
        side=side,  # type: ignore[arg-type]
        url=f"https://{name}.example/exchange/v1",
        anchors=(base64.b64encode(issued(name, "tls-server").der).decode(),),
        certificates=tuple(certificate(name, usage) for usage in NEEDED),
        signature="link-ecdsa-p256",
    )
    return msgspec.structs.replace(made, **more)


def pack(**more: Any) -> Pack:
    made = Pack(
        version=3,
        created=NOW - timedelta(days=2),
        valid_from=NOW - timedelta(days=1),
        valid_to=NOW + timedelta(days=300),
        parties=(party("gateway-vn", "vn"), party("gateway-cn", "cn")),
        mappings=(Table("cn.mt1401/2018-06-01", DIGEST),),
        code_lists=(Table("gates", DIGEST),),
        limits=Limits(10_000_000, 1_048_576, 2_592_000, 300, 691_200, 7_776_000),
        calendars=(
            Calendar(
                "Huu Nghi",
                "Asia/Ho_Chi_Minh",
                (Hours((1, 2, 3, 4, 5, 6, 7), "07:00", "22:00"),),
                (Holiday(date(2027, 2, 6), "Tết Nguyên Đán"),),
            ),
        ),
    )
    return msgspec.structs.replace(made, **more)


def signer(name: str) -> KeySigner:
    made = issued(name, "pack")
    return key_signer(made.key, made.der)


def policy(name: str) -> TrustPolicy:
    pin = PinnedKey(issued(name, "pack").der, name, Usage.PACK)
    return TrustPolicy.of(profile("link-ecdsa-p256"), Usage.PACK, [pin])


SIDES = Sides("gateway-vn", "gateway-cn", policy("gateway-vn"), policy("gateway-cn"))


def sealed(made: Pack, *names: str) -> bytes:
    content = pack_seal.seal(write_pack(made), signer(names[0]))
    for name in names[1:]:
        content = pack_seal.cosign(content, signer(name))
    return content


def taken(content: bytes, in_force: InForce | None = None, **more: Any) -> Pack:
    """Judge a pack as `gateway pack apply` does."""
    stated: dict[str, Any] = {"sides": SIDES, "now": NOW, "installed": INSTALLED} | more
    found = pack_seal.opened(content, stated["sides"], stated["now"])
    digest = pack_seal.digest_of(pack_seal.payload(content))
    pack_seal.judge(found, stated["sides"], stated["now"], stated["installed"], in_force, digest)
    return found


def refused(content: bytes, *args: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        taken(content, *args, **more)
    return caught.value.code, caught.value.findings[0].rule


# what is drawn

INSTANTS = st.integers(0, 10**8).map(lambda seconds: NOW + timedelta(seconds=seconds))
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=30)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
HOURS = st.lists(
    st.builds(Hours, st.lists(st.integers(1, 7), max_size=7).map(tuple), TIMES, TIMES), max_size=2
).map(tuple)
TABLES = st.dictionaries(TEXTS, DIGESTS, max_size=4).map(
    lambda found: tuple(Table(name, digest) for name, digest in found.items())
)
HOLIDAYS = st.lists(st.builds(Holiday, st.dates(), TEXTS, HOURS), max_size=3).map(tuple)
CALENDARS = st.lists(
    st.builds(Calendar, TEXTS, st.sampled_from(["Asia/Shanghai", "Etc/GMT-7"]), HOURS, HOLIDAYS),
    max_size=2,
    unique_by=lambda calendar: calendar.gate,
).map(tuple)


@st.composite
def certificates(draw: st.DrawFn, name: str) -> tuple[Certificate, ...]:
    usages = draw(st.sets(st.sampled_from(USAGES))) | set(NEEDED)
    found = []
    for usage in sorted(usages):
        windows = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
        found.append(certificate(name, usage, not_before=windows[0], not_after=windows[1]))
    return tuple(draw(st.permutations(found)))


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    start, end = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
    numbers = st.integers(1, 10**6)
    parties = tuple(
        party(name, side, certificates=draw(certificates(name)))
        for name, side in (("gateway-vn", "vn"), ("gateway-cn", "cn"))
    )
    return pack(
        version=draw(st.integers(1, 2**31)),
        created=draw(INSTANTS),
        valid_from=start,
        valid_to=end,
        parties=parties,
        mappings=draw(TABLES),
        code_lists=draw(TABLES),
        limits=Limits(*(draw(numbers) for _ in range(6))),
        calendars=draw(CALENDARS),
    )


@settings(max_examples=60)
@given(packs())
def test_what_is_written_is_read_again_to_the_octet(made: Pack) -> None:
    octets = write_pack(made)
    assert read_pack(octets) == made
    assert write_pack(read_pack(octets)) == octets


@settings(max_examples=60)
@given(packs(), packs())
def test_two_packs_differ_exactly_when_a_change_is_said(one: Pack, other: Pack) -> None:
    assert diff(one, one) == ()
    changes = diff(one, other)
    assert bool(changes) == (one != other)
    assert {change.kind for change in changes} <= set(CHANGES)
    forth = {(c.kind, c.of, c.before, c.after) for c in changes}
    assert forth == {(c.kind, c.of, c.after, c.before) for c in diff(other, one)}


def test_the_first_pack_is_said_whole() -> None:
    said = {change.kind for change in diff(None, pack())}
    assert said == set(CHANGES) - {"order"}


LEAF: list[tuple[str, Callable[[Pack], Pack]]] = [
    ("limit", lambda p: msgspec.structs.replace(p, limits=replace_limit(p.limits))),
    ("url", lambda p: with_party(p, url="https://other.example/x")),
    ("certificate", lambda p: with_party(p, certificates=(certificate("x", "pack"),))),
    ("mapping", lambda p: msgspec.structs.replace(p, mappings=())),
    ("holiday", lambda p: msgspec.structs.replace(p, calendars=without_holidays(p))),
    ("order", lambda p: with_party(p, certificates=p.parties[0].certificates[::-1])),
]


def replace_limit(limits: Limits) -> Limits:
    return msgspec.structs.replace(limits, document_bytes=5)


def with_party(made: Pack, **more: Any) -> Pack:
    first = msgspec.structs.replace(made.parties[0], **more)
    return msgspec.structs.replace(made, parties=(first, made.parties[1]))


def without_holidays(made: Pack) -> tuple[Calendar, ...]:
    return tuple(msgspec.structs.replace(each, holidays=()) for each in made.calendars)


@pytest.mark.parametrize(("kind", "change"), LEAF, ids=[kind for kind, _ in LEAF])
def test_each_change_has_its_words_and_nothing_else_is_said(
    kind: str, change: Callable[[Pack], Pack]
) -> None:
    assert {found.kind for found in diff(pack(), change(pack()))} == {kind}


# who signed


def test_a_pack_of_both_sides_is_taken_whoever_signed_first() -> None:
    for names in (("gateway-vn", "gateway-cn"), ("gateway-cn", "gateway-vn")):
        assert taken(sealed(pack(), *names)) == pack()


def test_signing_twice_with_one_key_is_one_signature() -> None:
    content = sealed(pack(), "gateway-vn", "gateway-vn")
    assert len(json.loads(content)["signatures"]) == 1


@pytest.mark.proves(
    attack="a pack that nobody, one side, or a stranger signed",
    code="signature-missing",
    behaviour="refused; which side is missing is said",
)
def test_an_unsigned_or_one_sided_pack_is_refused() -> None:
    for name in ("gateway-vn", "gateway-cn"):
        content = sealed(pack(), name)
        assert refused(content) == ("signature-missing", "pack-one-sided")
    assert refused(sealed(pack(), "stranger")) == ("signature-missing", "no-known-key")
    unsigned = json.loads(sealed(pack(), "gateway-vn")) | {"signatures": []}
    assert refused(json.dumps(unsigned).encode()) == ("signature-missing", "no-known-key")
    both = sealed(pack(), "gateway-vn", "stranger")
    assert refused(both) == ("signature-missing", "pack-one-sided")


@pytest.mark.proves(
    attack="the payload of a signed pack is changed",
    code="signature-invalid",
    behaviour="refused",
)
def test_a_changed_pack_is_refused() -> None:
    envelope = json.loads(sealed(pack(), "gateway-vn", "gateway-cn"))
    other = write_pack(pack(version=9))
    envelope["payload"] = base64.b64encode(other).decode()
    code, _ = refused(json.dumps(envelope).encode())
    assert code == "signature-invalid"


def test_a_key_of_another_usage_cannot_sign_a_pack() -> None:
    made = issued("gateway-cn", "message")
    wrong = pack_seal.cosign(
        sealed(pack(), "gateway-vn"), key_signer(made.key, made.der, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")
    )  # fmt: skip
    pins = [
        PinnedKey(made.der, "gateway-cn", Usage.MESSAGE),
        PinnedKey(issued("gateway-cn", "pack").der, "gateway-cn", Usage.PACK),
    ]
    theirs = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.PACK, pins)
    assert refused(wrong, sides=replace(SIDES, theirs=theirs)) == (
        "signer-untrusted",
        "wrong-usage",
    )


# when, whose, which


def both(**more: Any) -> bytes:
    return sealed(pack(**more), "gateway-vn", "gateway-cn")


@pytest.mark.proves(
    attack="a pack that has ended",
    code="stale",
    behaviour="refused; its pins end with it, also in the pack that is in force",
)
def test_an_expired_pack_is_refused_and_its_pins_end_with_it() -> None:
    end = pack().valid_to
    assert refused(both(), now=end) == ("stale", "pack-expired")
    party_ = pack().parties[1]
    for pin in pack_seal.pins(pack(), party_):
        assert pin.not_after == end
        assert pin.not_before == pack().valid_from
    pins = pack_seal.pins(pack(), party_)
    messages = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins)
    name = certificate("gateway-cn", "message").fingerprint
    method = messages.method_of(name)
    assert messages.key(name, end, method).party == "gateway-cn"
    with pytest.raises(TrustError, match="pin-window"):
        messages.key(name, end + timedelta(seconds=1), method)


@pytest.mark.proves(
    attack="a pack that has not begun", code="future-dated", behaviour="refused until it begins"
)
def test_a_pack_that_has_not_begun_is_refused() -> None:
    early = pack().valid_from - timedelta(seconds=1)
    assert refused(both(), now=early) == ("future-dated", "pack-not-yet")


@pytest.mark.proves(
    attack="a good pack of other parties", code="party-mismatch", behaviour="refused"
)
def test_a_pack_of_other_parties_is_refused() -> None:
    others = (party("gateway-vn", "vn"), party("gateway-la", "cn"))
    assert refused(both(parties=others)) == ("party-mismatch", "pack-not-ours")


@pytest.mark.proves(
    attack="an older pack is given again, or one version with other content",
    code="stale",
    behaviour="refused: versions only rise, and one version has one content",
)
def test_a_pack_that_goes_back_is_refused() -> None:
    digest = pack_seal.digest_of(write_pack(pack()))
    assert refused(both(), InForce(4, "00" * 32)) == ("stale", "pack-older")
    assert refused(both(), InForce(3, "00" * 32)) == ("id-conflict", "pack-version")
    assert taken(both(), InForce(3, digest)).version == 3
    assert taken(both(), InForce(2, "00" * 32)).version == 3


@pytest.mark.proves(
    attack="a mapping table or code list that is not the one agreed on",
    code="version-unsupported",
    behaviour="the pack is refused, each table is named",
)
def test_what_is_installed_must_be_what_is_agreed() -> None:
    for installed in ({}, INSTALLED | {"list:gates": "cd" * 32}):
        with pytest.raises(DocumentError) as caught:
            taken(both(), installed=installed)
        assert caught.value.code == "version-unsupported"
        assert {f.path for f in caught.value.findings} >= {"list:gates"}


@pytest.mark.proves(
    attack="keys or the signature profile of the demo in a pack, outside the demo",
    code="signer-untrusted",
    rule="demo-key",
    behaviour="refused",
)
def test_keys_of_the_demo_are_refused_outside_the_demo() -> None:
    demo = tuple(
        Certificate(usage, base64.b64encode(issued("d", usage, DEMO_UNIT).der).decode())  # type: ignore[arg-type]
        for usage in NEEDED
    )
    for usage in range(len(NEEDED)):
        keys = [certificate("gateway-cn", each) for each in NEEDED]
        keys[usage] = demo[usage]
        parties = (pack().parties[0], party("gateway-cn", "cn", certificates=tuple(keys)))
        assert refused(both(parties=parties)) == ("signer-untrusted", "demo-key")
        assert taken(both(parties=parties), sides=replace(SIDES, demo=True))
    parties = (pack().parties[0], party("gateway-cn", "cn", signature="demo"))
    assert refused(both(parties=parties)) == ("algorithm-not-allowed", "pack-profile")


@pytest.mark.proves(
    attack="a certificate of another usage, or one that ended, stands in a pack for signing",
    code="signer-untrusted",
    rule="key-usage",
    behaviour="the pack is refused; each is named",
)
def test_keys_that_would_never_be_believed_are_refused_with_the_pack() -> None:
    def with_key(der: bytes, **window: datetime) -> tuple[str, str]:
        wrong = Certificate("message", base64.b64encode(der).decode(), **window)
        keys = [wrong, *(certificate("gateway-cn", usage) for usage in NEEDED[1:])]
        parties = (pack().parties[0], party("gateway-cn", "cn", certificates=tuple(keys)))
        return refused(both(parties=parties))

    assert with_key(issued("x", "receipt").der) == ("signer-untrusted", "key-usage")
    ended = leaf(Subject("VN", "x", "", "x"), Purpose.MESSAGE, NOW - timedelta(days=9), 3)
    assert with_key(ended.der) == ("certificate-expired", "expired")
    later = leaf(Subject("VN", "x", "", "x"), Purpose.MESSAGE, NOW + timedelta(days=3), 99)
    keys = [certificate("gateway-cn", usage) for usage in NEEDED]
    keys.append(Certificate("message", base64.b64encode(later.der).decode()))
    parties = (pack().parties[0], party("gateway-cn", "cn", certificates=tuple(keys)))
    code, rule = refused(both(parties=parties))
    assert (code, rule) == ("rule-broken", "pin-overlap")
    keys[0] = certificate("gateway-cn", "message", not_after=NOW + timedelta(days=20))
    parties = (pack().parties[0], party("gateway-cn", "cn", certificates=tuple(keys)))
    assert taken(both(parties=parties)).version == 3


# hostile files


def spoilt(change: Callable[[dict[str, Any]], object]) -> bytes:
    said: dict[str, Any] = json.loads(write_pack(pack()))
    change(said)
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def swap_usage(said: dict[str, Any]) -> None:
    """Let one key stand for two usages."""
    keys = said["parties"][0]["certificates"]
    keys[1]["der"] = keys[0]["der"]


HOSTILE: list[tuple[str, str, Callable[[dict[str, Any]], object]]] = [
    ("malformed", "pack", lambda s: s.update(extra=1)),
    ("malformed", "pack", lambda s: s.pop("limits")),
    ("malformed", "pack", lambda s: s.update(version=0)),
    ("malformed", "pack", lambda s: s.update(version="3")),
    ("malformed", "pack", lambda s: s.update(validTo="2027-01-01T00:00:00")),
    ("malformed", "pack", lambda s: s["parties"].append(s["parties"][0])),
    ("malformed", "pack", lambda s: s["parties"][0].update(url="http://plain.example/")),
    ("malformed", "pack", lambda s: s["parties"][0].update(name="../vn")),
    ("malformed", "pack", lambda s: s["mappings"][0].update(digest="AB" * 32)),
    ("malformed", "pack", lambda s: s["limits"].update(future=-1)),
    ("malformed", "pack", lambda s: s["calendars"][0]["hours"][0].update(opens="25:00")),
    ("malformed", "pack", lambda s: s["calendars"][0].update(zone="../../etc/passwd")),
    ("malformed", "pack-canonical", lambda s: s.update(created="2026-05-12T00:00:00.000Z")),
    ("rule-broken", "pack-period", lambda s: s.update(validTo=s["validFrom"])),
    ("rule-broken", "pack-parties", lambda s: s["parties"][0].update(side="cn")),
    ("rule-broken", "pack-twice", lambda s: s["mappings"].append(s["mappings"][0])),
    (
        "rule-broken",
        "pack-twice",
        lambda s: s["parties"][0]["certificates"].append(s["parties"][0]["certificates"][0]),
    ),
    ("rule-broken", "pack-usage", lambda s: s["parties"][0]["certificates"].pop()),
    ("rule-broken", "pack-profile", lambda s: s["parties"][0].update(signature="none")),
    ("rule-broken", "pack-profile", lambda s: s["parties"][0].update(signature="cn-legacy-rsa")),
    ("rule-broken", "pack-certificate", lambda s: s["parties"][0].update(anchors=["AAAA"])),
    ("rule-broken", "pack-certificate", lambda s: s["parties"][1].update(anchors=["%%%%"])),
    ("rule-broken", "pack-shared-key", swap_usage),
]


@pytest.mark.parametrize(("code", "rule", "change"), HOSTILE)
def test_a_pack_that_is_not_whole_is_refused(
    code: str, rule: str, change: Callable[[dict[str, Any]], object]
) -> None:
    octets = spoilt(change)
    with pytest.raises(DocumentError) as caught:
        read_pack(octets)
    assert (caught.value.code, caught.value.findings[0].rule) == (code, rule)
    content = sign_statement(TYPE, octets, [signer("gateway-vn"), signer("gateway-cn")])
    assert refused(content)[0] == code


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        write_pack(pack()) + b" ",
        b" " + write_pack(pack()),
        write_pack(pack())[:-1] + b',"version":3}',
        b"{" + b'"a":1,' * 200_000 + b'"b":1}',
    ],
    ids=range(9),
)
def test_what_is_no_pack_is_refused_quickly(octets: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read_pack(octets)
    assert caught.value.code in ("malformed", "too-large")
    with pytest.raises(GatewayError):
        taken(octets)


def test_an_envelope_of_something_else_is_no_pack() -> None:
    signers = [signer("gateway-vn"), signer("gateway-cn")]
    content = sign_statement("application/json", write_pack(pack()), signers)
    assert refused(content) == ("signature-invalid", "pack-type")


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_no_octets_but_a_pack_are_taken(octets: bytes) -> None:
    with pytest.raises(GatewayError):
        taken(octets)
    with pytest.raises(DocumentError):
        read_pack(octets)
