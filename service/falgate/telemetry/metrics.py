"""Metrics: plain counters, turned into Prometheus families only at scrape time."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from types import MappingProxyType
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from falgate import __version__
from falgate.accounts.directory import Directory
from falgate.core.account import LEVELS
from falgate.core.calendar import KINDS
from falgate.core.events import AnomalyKind, ModelAlertKind, Place, Source
from falgate.core.refused import Reason
from falgate.telemetry.counts import Counts, Durations, Histogram, Labels, total
from falgate.telemetry.gauges import drifts, families, gone, retirements
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.stored import Stored
from falgate.telemetry.upstreams import OTHER, in_dollars, short
from falgate.webhooks.delivery import TriedAs

TEAMS_MAX, APPS_MAX = 50, 100
"""Teams and apps beyond these are counted as `other`, to bound the number of series."""

IN_MEMORY, READ = ("memory", "redis")
"""Where the fast path found a hit."""

UNLOGGED = MANY, LOST = ("many", "redis")
"""Why requests are missing in the request log: too many at once, or Redis did not answer."""

ENDS = ("paid", "refused", "released", "unknown")
"""The states in which a job's hold has been settled or released."""


class Metrics(Collector):
    """All counters of this process. Label values come from closed sets.

    Series that are known in advance start at 0: Prometheus cannot see the first event of a series
    that begins with it.

    Attributes:
        drift: How far each described model has drifted from fal's document, as last read.
        before_scrape: Called before the counters are read: they add what they have in batches.
    """

    def __init__(
        self,
        models: Iterable[str] = (),
        upstreams: Iterable[str] = (),
        troubles: Counter[Labels] | None = None,
        retiring: Mapping[str, date] = MappingProxyType({}),
    ) -> None:
        self.requests: Counter[Labels] = Counter()
        self.refusals: Counter[Labels] = Counter()
        self.own_seconds = Histogram()
        self.answers: Counter[Labels] = Counter()
        self.fast_hits: Counter[Labels] = Counter()
        self.purchases: Counter[Labels] = Counter()
        self.pictures_bought: Counter[Labels] = Counter()
        self.upstream_seconds = Histogram()
        self.booked: Counter[Labels] = Counter()
        self.saved: Counter[Labels] = Counter()
        self.anomalies: Counter[Labels] = Counter()
        self.troubles: Counter[Labels] = Counter() if troubles is None else troubles
        self.dropped: Counter[Labels] = Counter()
        self.unlogged: Counter[Labels] = Counter()
        self.overdrawn: Counter[Labels] = Counter()
        self.unchecked: Counter[Labels] = Counter()
        self.alerts: Counter[Labels] = Counter()
        self.model_alerts: Counter[Labels] = Counter()
        self.untold: Counter[Labels] = Counter()
        self.webhooks: Counter[Labels] = Counter()
        self.loop_lag_seconds = Histogram()
        self.drift: Mapping[str, int] = {}
        self.before_scrape: list[Callable[[], None]] = []
        self._models = tuple(models)
        self._retiring = retiring
        self._known = Directory(0, {}, {})
        self._upstreams = tuple(map(short, upstreams))
        self._teams: set[str] = set()
        self._apps: set[Labels] = set()
        self._process = ProcessCollector(registry=None)
        self._shown = Counts({}, {})
        self._workers = 1
        self._stored = Stored()
        self._standings: Sequence[UpstreamStanding] = ()
        self._begin()

    def know(self, directory: Directory) -> None:
        """Start the series of every team and app; note what is known of models."""
        self._known = directory
        for team in directory.teams:
            self.team(team)
        for name in directory.apps:
            team, _, app = name.partition("/")
            self.app(team, app)

    def team(self, name: str) -> str:
        """Return a team's label: its name, or `other` beyond the first `TEAMS_MAX`."""
        if name not in self._teams and len(self._teams) >= TEAMS_MAX:
            name = OTHER
        if name in self._teams:
            return name
        self._teams.add(name)
        for upstream in self._upstreams:
            self.booked[upstream, name] += 0
            self.saved[upstream, name] += 0
        for reason in get_args(Reason):
            self.refusals[name, reason] += 0
        return name

    def app(self, team: str, name: str) -> Labels:
        """Return the labels of a team and its app, or `other` beyond the first `APPS_MAX` apps."""
        labels = (self.team(team), name)
        if labels not in self._apps and len(self._apps) >= APPS_MAX:
            labels = (labels[0], OTHER)
        if labels in self._apps:
            return labels
        self._apps.add(labels)
        for model, source in product(self._models, get_args(Source)):
            self.answers[model, source, *labels] += 0
        return labels

    def _begin(self) -> None:
        """Start all series that are known in advance."""
        upstreams = self._upstreams
        known: Sequence[tuple[Counter[Labels], Iterable[Labels]]] = (
            (self.fast_hits, [(IN_MEMORY,), (READ,)]),
            (self.purchases, product(upstreams, ENDS)),
            (self.pictures_bought, product(upstreams)),
            (self.refusals, product(("",), get_args(Reason))),
            (self.anomalies, product(get_args(AnomalyKind))),
            (self.troubles, product(get_args(Place))),
            (self.overdrawn, product(upstreams, LEVELS, KINDS)),
            (self.alerts, product(upstreams, LEVELS, KINDS)),
            (self.model_alerts, product(self._models, get_args(ModelAlertKind))),
            (self.untold, product(("true", "false"))),
            (self.webhooks, product(get_args(TriedAs))),
            (self.unchecked, [()]),
            (self.dropped, product(self._models)),
            (self.unlogged, product(UNLOGGED)),
        )
        for counter, labels in known:
            for each in labels:
                counter[each] += 0

    def counts(self) -> Counts:
        """Return what this process has counted until now."""
        for add in self.before_scrape:
            add()
        return Counts(
            {name: dict(counter) for name, _, _, counter in self._counters()},
            {
                name: Durations(list(histogram.counts), histogram.sum_s)
                for name, _, histogram in self._histograms()
            },
        )

    def add(self, counted: Counts) -> None:
        """Continue from what an earlier process had counted."""
        for name, _, _, counter in self._counters():
            counter.update(counted.counters.get(name, {}))
        for name, _, histogram in self._histograms():
            if (before := counted.durations.get(name)) is not None:
                both = zip(histogram.counts, before.counts, strict=True)
                histogram.counts[:] = [mine + earlier for mine, earlier in both]
                histogram.sum_s += before.sum_s

    def render(
        self,
        standings: Sequence[UpstreamStanding],
        stored: Stored | None = None,
        counted: Sequence[Counts] = (),
        workers: int = 1,
    ) -> bytes:
        """Return Prometheus's text format of counters and of values read elsewhere.

        Args:
            standings: The ledger's gauges.
            stored: The picture store's gauges.
            counted: What all workers have counted; if empty, this process is the only one.
            workers: How many have answered, with this one.
        """
        self._shown = total(counted or [self.counts()])
        self._workers = workers
        self._standings = standings
        self._stored = stored or Stored()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics as Prometheus families."""
        build = GaugeMetricFamily("falgate_build_info", "The running version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield GaugeMetricFamily(
            "falgate_workers", "Worker processes that answered this scrape.", self._workers
        )
        yield retirements(self._retiring, self._known)
        yield gone(self._known)
        for name, about, labels, _ in self._counters():
            counter = CounterMetricFamily(name, about, labels=labels)
            as_shown = in_dollars if name.endswith("_usd") else float
            for values, count in self._shown.counters[name].items():
                counter.add_metric(values, as_shown(count))
            yield counter
        for name, about, _ in self._histograms():
            histogram = HistogramMetricFamily(name, about)
            seen = self._shown.durations[name]
            histogram.add_metric([], buckets=seen.buckets(), sum_value=seen.sum_s)
            yield histogram
        yield from self._process.collect()
        yield from families(self._standings)
        yield from self._stored.families()
        yield drifts(self.drift)

    def _histograms(self) -> Iterable[tuple[str, str, Histogram]]:
        return (
            ("falgate_own_seconds",
             "Time that falgate itself took for a request to a model, without waiting for fal.",
             self.own_seconds),
            ("falgate_upstream_seconds", "Time from the submit to fal's result.",
             self.upstream_seconds),
            ("falgate_loop_lag_seconds",
             "Delay of the event loop's timers, which every request suffers as well.",
             self.loop_lag_seconds),
        )  # fmt: skip

    def _counters(self) -> Iterable[tuple[str, str, list[str], Counter[Labels]]]:
        return (
            ("falgate_requests", "Requests answered.", ["route", "status"], self.requests),
            ("falgate_refusals", "Requests refused, by team (empty if unknown) and reason.",
             ["team", "reason"], self.refusals),
            ("falgate_answers", "Requests answered with pictures, by source.",
             ["model", "source", "team", "app"], self.answers),
            ("falgate_fast_hits", "Hits answered before the framework, by where they were found.",
             ["found"], self.fast_hits),
            ("falgate_purchases", "Jobs whose hold was settled or released, by outcome.",
             ["upstream", "outcome"], self.purchases),
            ("falgate_pictures_bought", "Pictures that fal delivered.", ["upstream"],
             self.pictures_bought),
            ("falgate_booked_usd", "US dollars charged to budgets.", ["upstream", "team"],
             self.booked),
            ("falgate_saved_usd", "List price of pictures that did not have to be bought.",
             ["upstream", "team"], self.saved),
            ("falgate_anomalies", "Anomalies that an operator may have to look at.", ["what"],
             self.anomalies),
            ("falgate_troubles", "Failures to reach fal or the picture store.", ["place"],
             self.troubles),
            ("falgate_shadow_refusals", "Purchases that a shadow budget would have refused.",
             ["upstream", "level", "window"], self.overdrawn),
            ("falgate_alerts", "Budget thresholds reached, and first refusals.",
             ["upstream", "level", "window"], self.alerts),
            ("falgate_model_alerts", "Models that end, have ended, are gone, or were changed.",
             ["model", "what"], self.model_alerts),
            ("falgate_alerts_untold", "Failed attempts to send an alert; lost: it was given up.",
             ["lost"], self.untold),
            ("falgate_webhook_deliveries", "Webhook delivery attempts, by outcome.",
             ["outcome"], self.webhooks),
            ("falgate_unchecked_requests", "Requests let through without a rate check.", [],
             self.unchecked),
            ("falgate_dropped_fields", "Unknown input fields, which were dropped.", ["model"],
             self.dropped),
            ("falgate_requests_unlogged", "Requests missing in the request log, by why.", ["why"],
             self.unlogged),
        )  # fmt: skip
