"""Budget and ledger gauges as Prometheus families, read from the ledger at scrape time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time

from prometheus_client.core import GaugeMetricFamily, Metric

from falgate.accounts.directory import Directory
from falgate.core.money import Micros
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.upstreams import in_dollars, short

_BUDGET = (
    ("limit", "Limit of a budget, including temporary raises, US dollars."),
    ("spent", "Settled in the current window, US dollars."),
    ("held", "Held for purchases under way, US dollars."),
    ("remaining", "Remainder of a budget: limit - spent - held, US dollars."),
)
_RECONCILED = (
    ("drift_usd", "Billed by fal for requests that match no job in the ledger, US dollars."),
    ("difference_usd", "Corrected by the last reconciliation, US dollars."),
    ("pending_jobs", "Jobs whose amount fal's billing does not settle yet."),
    ("timestamp_seconds", "Time of the last reconciliation, seconds since 1970."),
)
_VERIFIED = (
    ("differences", "Counters that differed from the ledger at the last check; -1: unreadable."),
    ("verified_timestamp_seconds", "Time of the last ledger check, seconds since 1970."),
)


def retirements(models: Mapping[str, date], known: Directory) -> Metric:
    """Return until when models are there: by their files, or as operators decided."""
    gauge = GaugeMetricFamily(
        "falgate_model_retires_timestamp_seconds",
        "The beginning of the day from which nothing of a model is bought, seconds since 1970.",
        labels=["model"],
    )
    decided = {model: each.retires for model, each in known.models.items() if each.retires}
    for model, day in {**models, **decided}.items():
        gauge.add_metric([model], datetime.combine(day, time.min, UTC).timestamp())
    return gauge


def gone(known: Directory) -> Metric:
    """Return since when upstreams say that they have a model no more; see `gone_name`."""
    gauge = GaugeMetricFamily(
        "falgate_model_gone_timestamp_seconds",
        "When an upstream said first that it has a model no more, seconds since 1970.",
        labels=["upstream", "model"],
    )
    for name, each in known.gone.items():
        upstream, _, model = name.partition(" ")
        gauge.add_metric([short(upstream), model], each.since_s)
    return gauge


def drifts(levels: Mapping[str, int]) -> Metric:
    """Return how far each of these models has drifted."""
    gauge = GaugeMetricFamily(
        "falgate_model_drift",
        "Whether fal's document of a described model differs: 1 in what is harmless, 2 otherwise.",
        labels=["model"],
    )
    for model, level in levels.items():
        gauge.add_metric([model], level)
    return gauge


def families(standings: Sequence[UpstreamStanding]) -> Iterable[Metric]:
    """Return all gauges of these upstreams."""
    labels = ["upstream", "level", "account", "window"]
    budgets = {
        what: GaugeMetricFamily(f"falgate_{what}_usd", about, labels=labels)
        for what, about in _BUDGET
    }
    waiting = GaugeMetricFamily(
        "falgate_waiting_usd",
        "Held by purchases that wait for an upstream slot, US dollars.",
        labels=labels[:3],
    )
    overage = GaugeMetricFamily(
        "falgate_overage_usd",
        "Billed by fal above the holds (overrun) and the limit of that, US dollars.",
        labels=["upstream", "what"],
    )
    jobs = GaugeMetricFamily("falgate_jobs_open", "Jobs that have not ended.", labels=["upstream"])
    frozen = GaugeMetricFamily("falgate_frozen", "1 while purchases are stopped until the ledger "
                               "is recovered.", labels=["upstream"])  # fmt: skip
    reconciled = {
        what: GaugeMetricFamily(f"falgate_reconcile_{what}", about, labels=["upstream"])
        for what, about in _RECONCILED
    }
    verified = {
        what: GaugeMetricFamily(f"falgate_ledger_{what}", about, labels=["upstream"])
        for what, about in _VERIFIED
    }
    for standing in standings:
        upstream = short(standing.upstream)
        for where in standing.accounts:
            subject = [upstream, where.account.level, where.account.id]
            waiting.add_metric(subject, in_dollars(where.waiting))
            for position in where.positions:
                for what, family in budgets.items():
                    value: Micros | None = getattr(position, what)
                    if value is not None:
                        family.add_metric([*subject, position.window.kind], in_dollars(value))
        limit, overrun = standing.overage
        overage.add_metric([upstream, "limit"], in_dollars(limit))
        overage.add_metric([upstream, "overrun"], in_dollars(overrun))
        jobs.add_metric([upstream], standing.open_jobs)
        frozen.add_metric([upstream], int(standing.frozen))
        if (found := standing.reconciled) is not None:
            figures = (
                in_dollars(found.drift),
                in_dollars(found.difference),
                found.pending,
                found.at_ms / 1000,
            )
            for family, figure in zip(reconciled.values(), figures, strict=True):
                family.add_metric([upstream], figure)
        if standing.verified is not None:
            proof = (standing.verified.differences, standing.verified.at_ms / 1000)
            for family, figure in zip(verified.values(), proof, strict=True):
                family.add_metric([upstream], figure)
    single = (waiting, overage, jobs, frozen, _stops(standings))
    return (*budgets.values(), *single, *reconciled.values(), *verified.values())


def _stops(standings: Sequence[UpstreamStanding]) -> GaugeMetricFamily:
    stops = GaugeMetricFamily(
        "falgate_stops",
        "For how much of each level an operator stopped purchases.",
        labels=["upstream", "level"],
    )
    for standing in standings:
        for level, number in standing.stops.items():
            stops.add_metric([short(standing.upstream), level], number)
    return stops
