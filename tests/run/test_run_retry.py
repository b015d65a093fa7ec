"""The retry decision and the circuit breaker: properties over their whole input."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    CODES,
    CounterpartError,
    InternalError,
    StateError,
    UnavailableError,
    error,
)
from gateway.flows.ports import Destination
from gateway.flows.retry import (
    Breaker,
    Circuit,
    Dead,
    Done,
    Retry,
    Schedule,
    circuit,
    decide,
    failed,
    fraction,
    judged,
    probing,
)

START = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)
SCHEDULE = Schedule()
BREAKER = Breaker()

RETRIABLE = sorted(code for code, (_, again) in CODES.items() if again)
PERMANENT = sorted(code for code, (_, again) in CODES.items() if not again)
chances = st.floats(0, 1, exclude_max=True)
ages = st.timedeltas(timedelta(0), timedelta(days=8))


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_failures_are_not_retried(code: str) -> None:
    outcome = decide(
        error(code, retry_after=5),
        attempts=0,
        first_at=START,
        now=START,
        chance=0.0,
        schedule=SCHEDULE,
    )
    assert isinstance(outcome, Dead)


@given(
    st.sampled_from(RETRIABLE),
    st.integers(0, 10**6),
    ages,
    chances,
    st.none() | st.floats(0, 10**12),
)
def test_a_retry_is_later_than_now_within_the_horizon_and_not_before_what_was_asked(
    code: str, attempts: int, age: timedelta, chance: float, asked: float | None
) -> None:
    now, end = START + age, START + SCHEDULE.horizon
    failure = error(code, retry_after=asked)
    outcome = decide(
        failure, attempts=attempts, first_at=START, now=now, chance=chance, schedule=SCHEDULE
    )
    assert outcome.error is failure
    if isinstance(outcome, Dead):
        assert now >= end or (code == "internal" and attempts + 1 >= SCHEDULE.crashes)
        return
    assert now < outcome.at <= end
    if asked and outcome.at < end:
        assert outcome.at >= now + timedelta(seconds=asked)


@given(st.integers(0, 80), chances)
def test_pauses_double_to_the_longest_less_the_jitter(attempts: int, chance: float) -> None:
    schedule = Schedule(first=timedelta(seconds=3), longest=timedelta(seconds=100), jitter=0.25)
    outcome = decide(
        CounterpartError("unreachable"),
        attempts=attempts,
        first_at=START,
        now=START,
        chance=chance,
        schedule=schedule,
    )
    assert isinstance(outcome, Retry)
    full = min(3.0 * 2.0**attempts, 100.0)
    assert full * 0.75 - 1e-5 <= (outcome.at - START).total_seconds() <= full + 1e-5


def test_jitter_spreads_what_failed_together() -> None:
    outcomes = {
        decide(
            CounterpartError("timed-out"),
            attempts=4,
            first_at=START,
            now=START,
            chance=step / 10,
            schedule=SCHEDULE,
        )
        for step in range(10)
    }
    assert len({o.at for o in outcomes if isinstance(o, Retry)}) == 10


def test_the_last_attempt_is_at_the_end_of_the_horizon() -> None:
    end = START + SCHEDULE.horizon
    last = decide(
        CounterpartError("unreachable"),
        attempts=700,
        first_at=START,
        now=end - timedelta(seconds=1),
        chance=0.0,
        schedule=SCHEDULE,
    )
    assert isinstance(last, Retry)
    assert last.at == end
    over = decide(last.error, attempts=701, first_at=START, now=end, chance=0.0, schedule=SCHEDULE)
    assert isinstance(over, Dead)


def test_a_fault_of_our_own_gives_up_early_so_that_its_order_key_goes_on() -> None:
    def outcome(attempts: int) -> Retry | Dead:
        return decide(
            InternalError("internal"),
            attempts=attempts,
            first_at=START,
            now=START,
            chance=0.0,
            schedule=SCHEDULE,
        )

    assert isinstance(outcome(SCHEDULE.crashes - 2), Retry)
    assert isinstance(outcome(SCHEDULE.crashes - 1), Dead)


@pytest.mark.parametrize("attempts", [0, 5, 1000])
def test_while_something_of_ours_is_down_it_is_tried_again_soon(attempts: int) -> None:
    """Waiting longer would spare nobody: the counterpart is not asked."""
    outcome = decide(
        UnavailableError("unavailable", retry_after=5.0),
        attempts=attempts,
        first_at=START,
        now=START,
        chance=0.0,
        schedule=SCHEDULE,
    )
    assert isinstance(outcome, Retry)
    assert timedelta(seconds=5) <= outcome.at - START <= SCHEDULE.outage


def test_fraction_is_below_one() -> None:
    assert fraction(lambda size: b"\0" * size) == 0.0
    assert 0.99 < fraction(lambda size: b"\xff" * size) < 1.0


# the breaker


@given(st.integers(0, 10**5))
def test_the_breaker_opens_at_its_threshold_and_never_for_longer_than_agreed(count: int) -> None:
    health = failed(Destination(count), START, BREAKER)
    assert health.failures == count + 1
    if health.failures < BREAKER.threshold:
        assert circuit(health, START) is Circuit.CLOSED
    else:
        assert health.open_until is not None
        assert BREAKER.pause <= health.open_until - START <= BREAKER.longest
        assert circuit(health, START) is Circuit.OPEN
        assert circuit(health, health.open_until) is Circuit.HALF_OPEN


def test_half_open_lets_one_probe_pass_and_forgets_a_probe_that_never_reported() -> None:
    hold = timedelta(seconds=90)
    half_open = Destination(7, START)
    assert circuit(half_open, START) is Circuit.HALF_OPEN
    claimed = probing(half_open, START, hold)
    assert circuit(claimed, START) is Circuit.OPEN
    assert circuit(claimed, START + hold) is Circuit.HALF_OPEN
    assert claimed.failures == 7


def test_retry_after_opens_the_breaker_at_once() -> None:
    health = failed(Destination(), START, BREAKER, retry_after=20)
    assert health == Destination(1, START + timedelta(seconds=20))
    assert failed(Destination(), START, BREAKER, retry_after=10**9).open_until == (
        START + BREAKER.longest
    )


def test_the_longer_of_both_pauses_holds() -> None:
    tipping = Destination(BREAKER.threshold - 1)
    asked = failed(tipping, START, BREAKER, retry_after=200).open_until
    assert asked == START + timedelta(seconds=200)
    assert failed(tipping, START, BREAKER, retry_after=1).open_until == START + BREAKER.pause


@given(st.integers(0, 50), st.none() | st.timedeltas(timedelta(0), timedelta(days=1)))
def test_any_answer_closes_the_breaker(failures: int, until: timedelta | None) -> None:
    health = Destination(failures, None if until is None else START + until)
    for outcome in (Done(), Dead(CounterpartError("refused"))):
        assert judged(health, outcome, START, BREAKER) == Destination()


def test_what_is_not_the_destinations_doing_leaves_its_health() -> None:
    health = Destination(3, None)
    for failure in (InternalError("internal"), error("unavailable"), StateError("conflict")):
        assert judged(health, Retry(START, failure), START, BREAKER) == health


def test_a_failure_of_the_destination_counts_also_when_the_task_is_given_up() -> None:
    outcome = Dead(CounterpartError("unreachable"))
    assert judged(Destination(3), outcome, START, BREAKER).failures == 4
