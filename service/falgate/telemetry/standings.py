"""Where the money stands, as Prometheus families: read from the ledger when somebody looks."""

from collections.abc import Iterable
from itertools import chain

from prometheus_client.core import GaugeMetricFamily, Metric

from falgate.core.money import Micros
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.upstreams import in_dollars, short

_BUDGET = (
    ("limit", "Limit of a budget with what it was raised by, US dollars."),
    ("spent", "Settled in the window of now, US dollars."),
    ("held", "Set aside for purchases under way, US dollars."),
    ("remaining", "What a budget has left: limit - spent - held, US dollars."),
)
_RECONCILED = (
    ("drift_usd", "Billed by the seller for requests of nobody here, US dollars."),
    ("difference_usd", "What the last look at the seller's billing corrected, US dollars."),
    ("pending_jobs", "Jobs that the seller's billing does not decide yet."),
    ("timestamp_seconds", "When the last look was, seconds since 1970."),
)
_PROVED = (
    ("differences", "Counters unlike the ledger when it was verified last; -1: unreadable."),
    ("verified_timestamp_seconds", "When the ledger was verified last, seconds since 1970."),
)


def families(standings: Iterable[UpstreamStanding]) -> Iterable[Metric]:
    """Every gauge of these."""
    labels = ["upstream", "level", "account", "window"]
    budgets = {
        what: GaugeMetricFamily(f"falgate_{what}_usd", about, labels=labels)
        for what, about in _BUDGET
    }
    waiting = GaugeMetricFamily(
        "falgate_waiting_usd",
        "Held by purchases that wait for their turn, US dollars.",
        labels=labels[:3],
    )
    house = GaugeMetricFamily(
        "falgate_house_usd",
        "What fal billed above holds, and how much of that is allowed, US dollars.",
        labels=["upstream", "what"],
    )
    jobs = GaugeMetricFamily("falgate_jobs_open", "Jobs not ended.", labels=["upstream"])
    frozen = GaugeMetricFamily("falgate_frozen", "Whether nothing is bought until fal's books "
                               "were read.", labels=["upstream"])  # fmt: skip
    reconciled = {
        what: GaugeMetricFamily(f"falgate_reconcile_{what}", about, labels=["upstream"])
        for what, about in _RECONCILED
    }
    proved = {
        what: GaugeMetricFamily(f"falgate_ledger_{what}", about, labels=["upstream"])
        for what, about in _PROVED
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
        limit, overrun = standing.house
        house.add_metric([upstream, "limit"], in_dollars(limit))
        house.add_metric([upstream, "overrun"], in_dollars(overrun))
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
        if standing.proved is not None:
            proof = (standing.proved.differences, standing.proved.at_ms / 1000)
            for family, figure in zip(proved.values(), proof, strict=True):
                family.add_metric([upstream], figure)
    each = (budgets.values(), (waiting, house, jobs, frozen), reconciled.values(), proved.values())
    return tuple(chain.from_iterable(each))
