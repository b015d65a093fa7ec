"""Figures of the ledger that is kept with the counterpart."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.errors import UnavailableError
from gateway.flows.ports import Store


class LedgerAlarms(Collector):
    """Per kind: alarms of settlement that stand. Each wants a person: `gateway settle alarms`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figure without asking the store."""
        return (self._family(),)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the store. When it is down, the figure is absent."""
        family = self._family()
        try:
            standing = self._store.read(lambda tx: tx.alarms())
        except UnavailableError:
            return (family,)
        for kind, count in sorted(Counter(alarm.kind for alarm in standing).items()):
            family.add_metric([kind], count)
        return (family,)

    def _family(self) -> GaugeMetricFamily:
        words = "Alarms of settlement with the counterpart that stand."
        return GaugeMetricFamily("gateway_ledger_alarms", words, labels=["kind"])
