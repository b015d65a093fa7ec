"""What is counted, for Prometheus. Labels are few and bounded; never a number plate."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.errors import UnavailableError
from gateway.flows.ports import Clock, Store

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of a process's listeners."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._refusals = Counter(
            "gateway_refusals_total",
            "Refusals, by listener and error code.",
            ("listener", "code"),
            registry=registry,
        )
        self._graced = Counter(
            "gateway_revocation_grace_total",
            "Messages taken although the status of their signer's certificate was stale.",
            ("listener",),
            registry=registry,
        )
        self._seconds = Histogram(
            "gateway_answer_seconds",
            "Answers by listener and HTTP status, and the time from a request's head to them.",
            ("listener", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._held = Gauge(
            "gateway_requests_held",
            "Requests that are inside: running, or waiting for a thread.",
            ("listener",),
            registry=registry,
        )
        self._known: dict[tuple[str, int], Histogram] = {}

    def answered(self, listener: str, status: int, seconds: float) -> None:
        """Count an answer and its time."""
        known = self._known.get((listener, status))
        if known is None:
            known = self._seconds.labels(listener, str(status))
            self._known[listener, status] = known
        known.observe(seconds)

    def refused(self, listener: str, code: str) -> None:
        """Count a refusal by its code."""
        self._refusals.labels(listener, code).inc()

    def graced(self, listener: str) -> None:
        """Count a message that was taken on a stale status."""
        self._graced.labels(listener).inc()

    def watch_held(self, listener: str, held: Callable[[], float]) -> None:
        """Report how many requests a listener holds."""
        self._held.labels(listener).set_function(held)


class Backlog(Collector):
    """Per destination: tasks that wait, the age of the oldest, tasks given up."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figures without asking the store."""
        return self._families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the store. When it is down, the figures are absent."""
        waiting, age, dead = families = self._families()
        try:
            backlog = self._store.read(lambda tx: tx.backlog())
        except UnavailableError:
            return families
        now = self._clock()
        for destination, (count, oldest, buried) in backlog.items():
            waiting.add_metric([destination], count)
            age.add_metric([destination], _age(now, oldest))
            dead.add_metric([destination], buried)
        return families

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        labels = ["destination"]
        return (
            GaugeMetricFamily("gateway_backlog_tasks", "Tasks that wait.", labels=labels),
            GaugeMetricFamily(
                "gateway_backlog_oldest_seconds", "Age of the oldest waiting task.", labels=labels
            ),
            GaugeMetricFamily("gateway_dead_tasks", "Tasks that were given up.", labels=labels),
        )


class SignersUp(Collector):
    """Per purpose: whether our key can sign."""

    def __init__(self, purposes: Sequence[str], silent: Callable[[], Collection[str]]) -> None:
        """silent: the purposes of those that cannot sign now."""
        self._purposes = purposes
        self._silent = silent

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figure without asking the keys."""
        return (self._family(),)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the keys."""
        family, silent = self._family(), self._silent()
        for purpose in self._purposes:
            family.add_metric([purpose], float(purpose not in silent))
        return (family,)

    def _family(self) -> GaugeMetricFamily:
        words = "1 when our key can sign, 0 when it cannot be reached."
        return GaugeMetricFamily("gateway_signer_up", words, labels=["purpose"])


def _age(now: datetime, oldest: datetime | None) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
