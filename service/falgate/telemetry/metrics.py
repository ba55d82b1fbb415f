"""Metrics: plain counters, turned into Prometheus families only when somebody looks."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from falgate import __version__
from falgate.core.catalogue import Total
from falgate.telemetry.standings import Standing, families

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""fal answers in tens of seconds, falgate's own part takes milliseconds."""

TEAMS_MAX = 50
"""Teams beyond these are counted as `other`: a label must not grow with the organisation."""

Labels = tuple[str, ...]


class Histogram:
    """Counts of durations by the `SECONDS` that they stay within."""

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one."""
        self.counts[bisect_left(SECONDS, duration_s)] += 1
        self.sum_s += duration_s

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        total, found = 0, []
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Metrics(Collector):
    """Everything that this process counts. A label's values come from a closed set."""

    def __init__(self) -> None:
        self.requests: Counter[Labels] = Counter()
        self.own_seconds = Histogram()
        self.answers: Counter[Labels] = Counter()
        self.purchases: Counter[Labels] = Counter()
        self.pictures_bought: Counter[Labels] = Counter()
        self.upstream_seconds = Histogram()
        self.billed: Counter[Labels] = Counter()
        self.saved: Counter[Labels] = Counter()
        self.doubts: Counter[Labels] = Counter()
        self.troubles: Counter[Labels] = Counter()
        self.dropped: Counter[Labels] = Counter()
        self.overdrawn: Counter[Labels] = Counter()
        self.unchecked: Counter[Labels] = Counter()
        self.alerts: Counter[Labels] = Counter()
        self.untold: Counter[Labels] = Counter()
        self.webhooks: Counter[Labels] = Counter()
        self._teams: set[str] = set()
        self._standings: Sequence[Standing] = ()
        self._stored: Total | None = None

    def team(self, name: str) -> str:
        """A team's label: its name, as long as there are few."""
        if name in self._teams or len(self._teams) < TEAMS_MAX:
            self._teams.add(name)
            return name
        return "other"

    def render(self, standings: Sequence[Standing], stored: Total | None = None) -> bytes:
        """Prometheus's text format, of what is counted here and of what was just read elsewhere."""
        self._standings = standings
        self._stored = stored
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterable[Metric]:
        """Everything, as families."""
        build = GaugeMetricFamily(
            "falgate_build_info", "Which falgate this is.", labels=["version"]
        )
        build.add_metric([__version__], 1)
        yield build
        for name, about, labels, counts in self._counters():
            family = CounterMetricFamily(name, about, labels=labels)
            for values, count in counts.items():
                family.add_metric(values, count)
            yield family
        yield _durations(
            "falgate_own_seconds",
            "Time that falgate itself took for a request to a model, waiting for fal apart.",
            self.own_seconds,
        )
        yield _durations(
            "falgate_upstream_seconds",
            "Time from a submit to fal's result.",
            self.upstream_seconds,
        )
        yield from families(self._standings)
        if self._stored is not None:
            yield GaugeMetricFamily(
                "falgate_pictures_stored", "Pictures in the store.", self._stored.pictures
            )
            yield GaugeMetricFamily(
                "falgate_pictures_bytes", "Their length, bytes.", self._stored.size_bytes
            )

    def _counters(self) -> Iterable[tuple[str, str, list[str], Counter[Labels]]]:
        return (
            ("falgate_requests", "Requests answered.", ["route", "status"], self.requests),
            ("falgate_answers", "Answers with pictures, by where they came from.",
             ["model", "source"], self.answers),
            ("falgate_purchases", "Jobs that left the budgets' holds, by outcome.",
             ["upstream", "outcome"], self.purchases),
            ("falgate_pictures_bought", "Pictures that fal delivered.", ["upstream"],
             self.pictures_bought),
            ("falgate_billed_micros", "Micro-dollars charged to budgets.", ["upstream", "team"],
             self.billed),
            ("falgate_saved_micros", "List price of pictures that were not bought, micro-dollars.",
             ["upstream", "team"], self.saved),
            ("falgate_doubts", "Things that an operator may have to look at.", ["what"],
             self.doubts),
            ("falgate_troubles", "Failures to reach what is needed, by what it is.", ["place"],
             self.troubles),
            ("falgate_shadow_refusals", "Purchases that a shadow budget would have refused.",
             ["upstream", "level", "window"], self.overdrawn),
            ("falgate_alerts", "Thresholds of budgets that were crossed.",
             ["upstream", "level", "window"], self.alerts),
            ("falgate_alerts_untold", "Alerts that did not arrive, and whether they were given up.",
             ["lost"], self.untold),
            ("falgate_webhook_deliveries", "Webhooks that were sent, or could not be, by outcome.",
             ["outcome"], self.webhooks),
            ("falgate_unchecked_requests", "Requests whose rate could not be looked up.", [],
             self.unchecked),
            ("falgate_dropped_fields", "Unknown input fields that were dropped.", ["model"],
             self.dropped),
        )  # fmt: skip


def _durations(name: str, about: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, about)
    family.add_metric([], buckets=histogram.buckets(), sum_value=histogram.sum_s)
    return family
