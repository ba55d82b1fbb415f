"""Where the money stands, as Prometheus families: read from the ledger when somebody looks."""

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric

from falgate.core.budget import Account, Position
from falgate.core.money import Micros
from falgate.core.posting import Proved, Summary

_BUDGET = (
    ("limit", "Limit of a budget with what it was raised by, micro-dollars."),
    ("spent", "Settled in the window of now, micro-dollars."),
    ("held", "Set aside for purchases under way, micro-dollars."),
    ("remaining", "What a budget has left: limit - spent - held, micro-dollars."),
)
_RECONCILED = (
    ("drift_micros", "Billed by the seller for requests of nobody here, micro-dollars."),
    ("difference_micros", "What the last look at the seller's billing corrected, micro-dollars."),
    ("pending_jobs", "Jobs that the seller's billing does not decide yet."),
    ("timestamp_seconds", "When the last look was, seconds since 1970."),
)
_PROVED = (
    ("differences", "Counters unlike the ledger when it was verified last; -1: unreadable."),
    ("verified_timestamp_seconds", "When the ledger was verified last, seconds since 1970."),
)


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """One account.

    Attributes:
        account: The organisation or a team.
        positions: In each window.
        waiting: Held by purchases that have not been submitted yet, micro-USD.
    """

    account: Account
    positions: Sequence[Position]
    waiting: Micros


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream's books.

    Attributes:
        upstream: Whose books.
        accounts: The organisation and its teams.
        house: Limit and what is used of it, micro-USD.
        open_jobs: How many.
        frozen: Whether buying is frozen until fal's books were read.
        reconciled: What the last look at the seller's billing found, if there was one.
        proved: What came of verifying the ledger, if that was done yet.
    """

    upstream: str
    accounts: Sequence[Where]
    house: tuple[Micros, Micros]
    open_jobs: int
    frozen: bool
    reconciled: Summary | None = None
    proved: Proved | None = None


def families(standings: Iterable[Standing]) -> Iterable[Metric]:
    """Every gauge of these."""
    labels = ["upstream", "level", "account", "window"]
    budgets = {
        what: GaugeMetricFamily(f"falgate_{what}_micros", about, labels=labels)
        for what, about in _BUDGET
    }
    waiting = GaugeMetricFamily(
        "falgate_waiting_micros",
        "Held by purchases that wait for their turn, micro-dollars.",
        labels=labels[:3],
    )
    house = GaugeMetricFamily(
        "falgate_house_micros",
        "What fal billed above holds, and how much of that is allowed, micro-dollars.",
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
        for where in standing.accounts:
            subject = [standing.upstream, where.account.level, where.account.id]
            waiting.add_metric(subject, where.waiting)
            for position in where.positions:
                for what, family in budgets.items():
                    value: Micros | None = getattr(position, what)
                    if value is not None:
                        family.add_metric([*subject, position.window.kind], value)
        limit, overrun = standing.house
        house.add_metric([standing.upstream, "limit"], limit)
        house.add_metric([standing.upstream, "overrun"], overrun)
        jobs.add_metric([standing.upstream], standing.open_jobs)
        frozen.add_metric([standing.upstream], int(standing.frozen))
        if (found := standing.reconciled) is not None:
            figures = (found.drift, found.difference, found.pending, found.at_ms / 1000)
            for family, figure in zip(reconciled.values(), figures, strict=True):
                family.add_metric([standing.upstream], figure)
        if standing.proved is not None:
            proof = (standing.proved.differences, standing.proved.at_ms / 1000)
            for family, figure in zip(proved.values(), proof, strict=True):
                family.add_metric([standing.upstream], figure)
    each = (budgets.values(), (waiting, house, jobs, frozen), reconciled.values(), proved.values())
    return tuple(chain.from_iterable(each))
