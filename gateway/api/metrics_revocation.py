"""How old the answers of revocation sources are, for Prometheus."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.errors import UnavailableError
from gateway.flows.ports import Clock, Store


class RevocationSources(Collector):
    """Per source (kind and host): seconds since the oldest answer that is kept was made, and
    whether the last try failed. Absent for a source that never answered, but for `up`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figures without asking the store."""
        return self._families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the store. When it is down, the figures are absent."""
        age, up = families = self._families()
        try:
            kept = self._store.read(lambda tx: tx.all_statuses())
        except UnavailableError:
            return families
        now = self._clock()
        ages: dict[tuple[str, str], float] = {}
        good: dict[tuple[str, str], bool] = {}
        for each in kept:
            name = (each.wanted.kind.value, urlsplit(each.wanted.url).netloc)
            good[name] = good.get(name, True) and not each.error
            if each.this_update is not None:
                old = (now - each.this_update).total_seconds()
                ages[name] = max(ages.get(name, 0.0), old)
        for name, seconds in ages.items():
            age.add_metric(name, seconds)
        for name, well in good.items():
            up.add_metric(name, float(well))
        return families

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        labels = ["kind", "host"]
        return (
            GaugeMetricFamily(
                "gateway_revocation_age_seconds",
                "Age of the oldest CRL or OCSP answer in use.",
                labels=labels,
            ),
            GaugeMetricFamily(
                "gateway_revocation_source_up", "0 when the last try failed.", labels=labels
            ),
        )
