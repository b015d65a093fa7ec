"""When to try again, when to give up, and when to leave a destination alone. Pure.

A flow ends a task with an `Outcome`; `decide` picks between trying again and giving up,
from the failure, the number of attempts and the time of the first. The circuit breaker is
a function over `ports.Destination`: its state is stored, so all nodes share it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Family, GatewayError
from gateway.flows.ports import Destination, Randomness


@dataclass(frozen=True, slots=True)
class Done:
    """The task is finished: the destination answered as agreed."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `at`, because of `error`."""

    at: datetime
    error: GatewayError


@dataclass(frozen=True, slots=True)
class Dead:
    """Give up for good, because of `error`."""

    error: GatewayError


Outcome = Done | Retry | Dead


@dataclass(frozen=True, slots=True)
class Schedule:
    """The retry schedule of the exchange profile.

    The pause before attempt n+1 doubles from `first` to at most `longest`, less a random
    part of at most `jitter` (0..1) of it. Nothing is tried after `horizon`; a last attempt
    is made at its end. `crashes`: after so many attempts a fault of our own gives up, so
    that one poisoned message does not hold its order key for the whole horizon. `outage`:
    the longest pause while something of our own is down (signer, store): nobody else is
    spared by waiting longer.
    """

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    jitter: float = 0.5
    horizon: timedelta = timedelta(days=7)
    crashes: int = 10
    outage: timedelta = timedelta(seconds=15)


def decide(
    error: GatewayError,
    *,
    attempts: int,
    first_at: datetime,
    now: datetime,
    chance: float,
    schedule: Schedule,
) -> Retry | Dead:
    """Return when to try again, or Dead.

    attempts: how often it was tried before this failure (0 for the first). chance: in
    [0, 1), see `fraction`. The error's `retry_after` is a lower bound, as far as the
    horizon reaches. Dead when the error is permanent or the horizon has passed.
    """
    end = first_at + schedule.horizon
    crashed = error.family is Family.INTERNAL and attempts + 1 >= schedule.crashes
    if not error.retriable or crashed or now >= end:
        return Dead(error)
    asked = timedelta(seconds=min(error.retry_after or 0.0, schedule.horizon.total_seconds()))
    pause = _pause(attempts, chance, schedule)
    if error.family is Family.UNAVAILABLE:
        pause = min(pause, schedule.outage)
    return Retry(min(now + max(pause, asked), end), error)


def _pause(attempts: int, chance: float, schedule: Schedule) -> timedelta:
    full = _doubled(schedule.first, attempts, schedule.longest)
    return full * (1.0 - schedule.jitter * chance)


def _doubled(first: timedelta, times: int, longest: timedelta) -> timedelta:
    """Return `first` doubled `times` times, at most `longest`, without overflow."""
    seconds = first.total_seconds() * 2.0 ** min(times, 64)
    return timedelta(seconds=min(seconds, longest.total_seconds()))


def fraction(randomness: Randomness) -> float:
    """Return a random number in [0, 1)."""
    return int.from_bytes(randomness(4), "big") / 2**32


class Circuit(StrEnum):
    """What the breaker allows now."""

    CLOSED = "closed"  # send
    OPEN = "open"  # leave the destination alone
    HALF_OPEN = "half-open"  # one probe may go


@dataclass(frozen=True, slots=True)
class Breaker:
    """After `threshold` failures in a row the destination is left alone for `pause`, which
    doubles with each failed probe to at most `longest`."""

    threshold: int = 5
    pause: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=5)


def circuit(health: Destination, now: datetime) -> Circuit:
    """Return what may be sent to a destination of this health."""
    if health.open_until is None:
        return Circuit.CLOSED
    return Circuit.OPEN if now < health.open_until else Circuit.HALF_OPEN


def probing(health: Destination, now: datetime, hold: timedelta) -> Destination:
    """Claim the one probe of a half-open destination: others keep out for `hold`, after
    which a probe that never reported is given up."""
    return Destination(health.failures, now + hold)


def failed(
    health: Destination, now: datetime, breaker: Breaker, retry_after: float | None = None
) -> Destination:
    """Return the health after a failure of the destination.

    retry_after: what the destination asked for (seconds) opens the breaker at once for that
    long, at most `breaker.longest`: a longer wish binds the message, not the destination.
    """
    failures = health.failures + 1
    pause = timedelta(seconds=min(retry_after or 0.0, breaker.longest.total_seconds()))
    if failures >= breaker.threshold:
        doubled = _doubled(breaker.pause, failures - breaker.threshold, breaker.longest)
        pause = max(pause, doubled)
    return Destination(failures, now + pause if pause else None)


def judged(health: Destination, outcome: Outcome, now: datetime, breaker: Breaker) -> Destination:
    """Return the health after an outcome of a task that spoke to the destination.

    A refusal for good is an answer: the destination lives. What is not the destination's
    doing (our signer, our store, a bug) leaves its health as it is.
    """
    if isinstance(outcome, Done):
        return Destination()
    error = outcome.error
    if error.family is not Family.COUNTERPART:
        return health
    if not error.retriable:
        return Destination()
    return failed(health, now, breaker, error.retry_after)
