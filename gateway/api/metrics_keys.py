"""How long certificates and the bilateral pack are good, and which TLS files were refused."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.flows.ports import Clock

_DAY = 86_400.0


class DaysLeft(Collector):
    """Per certificate of the settings, and for the pack: days until it ends, below zero since
    it ended; and per user of TLS files that its new files were refused."""

    def __init__(
        self,
        ends: Callable[[], Mapping[str, datetime]],
        refused: Callable[[], Collection[str]],
        clock: Clock,
    ) -> None:
        """ends: what it is used as -> its last instant. refused: who goes on with old files."""
        self._ends = ends
        self._refused = refused
        self._clock = clock

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figures without reading a file."""
        return self._families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read the files: they may have been replaced."""
        days, refused = families = self._families()
        now = self._clock()
        for used_as, end in self._ends().items():
            days.add_metric([used_as], (end - now).total_seconds() / _DAY)
        for user in self._refused():
            refused.add_metric([user], 1.0)
        return families

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                "gateway_certificate_days_left",
                "Days until a certificate, or the bilateral pack, ends.",
                labels=["used_as"],
            ),
            GaugeMetricFamily(
                "gateway_tls_files_refused",
                "1 while new TLS files do not load and the former ones are in use.",
                labels=["used_by"],
            ),
        )
