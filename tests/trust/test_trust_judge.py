"""What follows from a status: revoked before or after signing, fresh, stale, grace."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from revocation_authority import DAY, HOUR, NOW

from gateway.errors import TrustError
from gateway.signing.revocation import (
    PIN_ONLY,
    Kind,
    Mode,
    Rule,
    Standing,
    State,
    Status,
    best,
    judge,
)

SECOND = timedelta(seconds=1)
REQUIRE = Rule(Mode.REQUIRE)
GRACE = Rule(Mode.GRACE, grace=2 * DAY)
GOOD = Status(State.GOOD, "ab", "cd", Kind.CRL, "http://x/", "ef", NOW - HOUR, NOW + HOUR)
REVOKED = replace(GOOD, state=State.REVOKED, revoked_at=NOW - DAY, reason="superseded")


def refused(status: Status, rule: Rule, at: datetime = NOW, **times: datetime) -> tuple[str, str]:
    with pytest.raises(TrustError) as caught:
        judge(status, rule, at, **times)
    return caught.value.code, caught.value.findings[0].rule


def proves(
    attack,
    code,
    rule="",
    behaviour="refused; nothing of the message is stored but a row of evidence",
):
    return pytest.mark.proves(attack=attack, code=code, rule=rule, behaviour=behaviour)


def test_a_fresh_good_status_is_good_to_its_last_second():
    assert judge(GOOD, REQUIRE, NOW + HOUR) is Standing.GOOD
    late = NOW + HOUR + SECOND
    assert refused(GOOD, REQUIRE, late) == ("revocation-unknown", "status-stale")


@proves(
    "a status that is stale, under `grace`",
    "-",
    behaviour="taken within the agreed age; event `revocation-grace`, a row of evidence, a metric",
)
@proves(
    "a status that is staler than the agreed grace",
    "revocation-unknown",
    "status-stale",
    "refused; the sender may send the same octets again",
)
def test_grace_is_bounded_to_the_second():
    assert judge(GOOD, GRACE, NOW + HOUR + 2 * DAY) is Standing.GRACE
    late = NOW + HOUR + 2 * DAY + SECOND
    assert refused(GOOD, GRACE, late) == ("revocation-unknown", "status-stale")


def test_the_oldest_age_counts_whatever_a_source_promises():
    long = replace(GOOD, next_update=NOW + 365 * DAY)
    assert judge(long, replace(REQUIRE, max_age=HOUR), NOW) is Standing.GOOD
    assert refused(long, replace(REQUIRE, max_age=HOUR), NOW + SECOND)[1] == "status-stale"
    endless = replace(GOOD, next_update=None)
    assert judge(endless, REQUIRE, NOW + 8 * DAY - HOUR) is Standing.GOOD
    assert refused(endless, REQUIRE, NOW + 8 * DAY)[1] == "status-stale"


@proves(
    "nothing is known of the signer's status",
    "revocation-unknown",
    "status-missing",
    "refused under `require` and under `grace`; the sender may send the same octets again",
)
@pytest.mark.parametrize("rule", [REQUIRE, GRACE])
def test_without_a_status_nothing_is_taken(rule):
    missing = best([], "ab")
    assert refused(missing, rule) == ("revocation-unknown", "status-missing")


@proves(
    "the responder does not know the certificate",
    "revocation-unknown",
    "status-unknown",
    "refused, also under `grace`: a source that spoke is not a silent one",
)
@pytest.mark.parametrize("rule", [REQUIRE, GRACE])
def test_a_source_that_does_not_know_is_no_silent_one(rule):
    unknown = replace(GOOD, state=State.UNKNOWN)
    assert refused(unknown, rule) == ("revocation-unknown", "status-unknown")


@proves(
    "a signer whose certificate was revoked before it signed",
    "certificate-revoked",
    "revoked-before-signing",
)
@pytest.mark.parametrize("rule", [REQUIRE, GRACE])
def test_revoked_before_signing(rule):
    assert refused(REVOKED, rule) == ("certificate-revoked", "revoked-before-signing")
    claimed = NOW - DAY
    assert refused(REVOKED, rule, claimed=claimed)[1] == "revoked-before-signing"


@proves(
    "a revoked signer that dates its message before the revocation",
    "certificate-revoked",
    "revoked-signing-unproven",
    "refused: whoever has the key can write any date",
)
def test_a_date_that_the_signer_wrote_proves_nothing():
    early = NOW - DAY - SECOND
    assert refused(REVOKED, REQUIRE, claimed=early) == (
        "certificate-revoked",
        "revoked-signing-unproven",
    )


@proves(
    "a signer that was revoked after a proven signing time",
    "-",
    behaviour="taken; the standing `revoked-later` is kept with the message",
)
def test_revoked_after_a_proven_signing_time():
    assert judge(REVOKED, REQUIRE, NOW, proven=NOW - DAY - SECOND) is Standing.REVOKED_LATER
    assert refused(REVOKED, REQUIRE, proven=NOW - DAY)[1] == "revoked-before-signing"


@proves(
    "a key that was compromised earlier than it was revoked",
    "certificate-revoked",
    "revoked-before-signing",
    "refused from the invalidity date on, even with a proven signing time",
)
def test_a_compromised_key_counts_from_its_invalidity_date():
    since = NOW - 3 * DAY
    stolen = replace(REVOKED, reason="keyCompromise", invalid_since=since)
    assert judge(stolen, REQUIRE, NOW, proven=since - SECOND) is Standing.REVOKED_LATER
    assert refused(stolen, REQUIRE, proven=since)[1] == "revoked-before-signing"
    retired = replace(REVOKED, invalid_since=since)
    assert judge(retired, REQUIRE, NOW, proven=since) is Standing.REVOKED_LATER


def test_off_asks_nobody():
    assert judge(REVOKED, PIN_ONLY, NOW) is Standing.NOT_ASKED


def test_a_revocation_does_not_go_stale():
    assert refused(REVOKED, REQUIRE, NOW + 900 * DAY)[0] == "certificate-revoked"


def test_revoked_before_all_then_the_youngest():
    old = replace(GOOD, this_update=NOW - DAY, digest="old")
    silent = Status(State.UNKNOWN, "ab")
    unknown = replace(GOOD, state=State.UNKNOWN, this_update=NOW)
    assert best([old, GOOD, silent, unknown], "ab") is GOOD
    assert best([old, REVOKED, GOOD], "ab") is REVOKED
    assert best([unknown, silent], "ab") is unknown
    held = replace(REVOKED, reason="certificateHold", this_update=NOW - 2 * HOUR)
    assert best([GOOD, held], "ab") is GOOD
    assert best([old, held], "ab") is held


def oracle(status: Status, rule: Rule, now: datetime, proven: datetime | None) -> str:
    """What the exchange profile says (XP-TRU-021 to 024), written down once more."""
    if status.state is State.REVOKED:
        start = status.revoked_at
        if status.reason == "keyCompromise" and status.invalid_since is not None:
            start = min(status.revoked_at, status.invalid_since)
        return "revoked-later" if proven is not None and proven < start else "certificate-revoked"
    if status.this_update is None or status.state is State.UNKNOWN:
        return "revocation-unknown"
    ends = [status.this_update + rule.max_age]
    if status.next_update is not None:
        ends.append(status.next_update)
    late = (now - min(ends)).total_seconds()
    if late <= 0:
        return "good"
    allowed = rule.grace.total_seconds() if rule.mode is Mode.GRACE else 0
    return "grace" if late <= allowed else "revocation-unknown"


hours = st.integers(-72, 72).map(lambda n: NOW + n * HOUR)
maybe = st.none() | hours
statuses = st.builds(
    Status,
    state=st.sampled_from(State),
    certificate=st.just("ab"),
    kind=st.just(Kind.CRL),
    this_update=maybe,
    next_update=maybe,
    revoked_at=hours,
    reason=st.sampled_from(["", "keyCompromise", "superseded"]),
    invalid_since=maybe,
)
rules = st.builds(
    Rule,
    mode=st.sampled_from([Mode.REQUIRE, Mode.GRACE]),
    grace=st.integers(0, 48).map(lambda n: n * HOUR),
    max_age=st.integers(1, 96).map(lambda n: n * HOUR),
)


@settings(max_examples=100)
@given(status=statuses, rule=rules, now=hours, proven=maybe, claimed=maybe)
def test_the_judgement_is_that_of_the_profile(status, rule, now, proven, claimed):
    try:
        found = judge(status, rule, now, proven=proven, claimed=claimed).value
    except TrustError as refusal:
        found = refusal.code
    assert found == oracle(status, rule, now, proven)


@settings(max_examples=100)
@given(status=statuses, rule=rules, now=hours, later=st.integers(1, 200))
def test_what_time_refuses_it_never_gives_back(status, rule, now, later):
    """A status only goes stale: it never becomes good by waiting."""

    def good(at: datetime) -> bool:
        try:
            judge(status, rule, at)
        except TrustError:
            return False
        return True

    assert good(now) or not good(now + later * HOUR)
