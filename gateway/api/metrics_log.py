"""What is counted of the evidence log, for Prometheus and readiness."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.errors import UnavailableError
from gateway.flows.ports import Clock, Store, Transaction

_MOST = 100
"""Heads that are looked at: more that wait are no better news."""

_FIGURES = {
    "gateway_log_leaves": "Leaves of the evidence log.",
    "gateway_log_waiting_rows": "Rows of evidence that the log has not taken yet.",
    "gateway_log_head_age_seconds": "Age of the newest signed head.",
    "gateway_log_head_uncovered_leaves": "Leaves that no signed head covers yet.",
    "gateway_log_heads_pending": "Heads that wait for their timestamp.",
    "gateway_log_heads_overdue": "Heads that have waited too long for their timestamp.",
}


class LogFigures(Collector):
    """How far the log, its heads and their timestamps are."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figures without asking the store."""
        return [GaugeMetricFamily(name, words) for name, words in _FIGURES.items()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the store. When it is down, the figures are absent."""
        try:
            values = self._store.read(self._values)
        except UnavailableError:
            return []
        pairs = zip(_FIGURES.items(), values, strict=True)
        return [GaugeMetricFamily(name, words, value) for (name, words), value in pairs]

    def _values(self, tx: Transaction) -> Sequence[float]:
        size, head = tx.log_size(), tx.latest_head()
        states = [waiting.state for waiting in tx.unstamped_heads(_MOST)]
        age = max(0.0, (self._clock() - head.at).total_seconds()) if head else 0.0
        return (
            size,
            tx.untaken_evidence(),
            age,
            size - (head.size if head else 0),
            states.count("pending"),
            states.count("overdue"),
        )


def overdue(store: Store) -> Callable[[], Sequence[str]]:
    """Return what readiness says of heads that have waited too long for their timestamp."""

    def said() -> Sequence[str]:
        heads = store.read(lambda tx: tx.unstamped_heads(_MOST))
        late = sum(head.state == "overdue" for head in heads)
        return [f"{late} heads of the log have no timestamp in time"] if late else []

    return said
