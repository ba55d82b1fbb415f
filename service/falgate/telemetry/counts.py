"""What processes have counted, as data that add up and that a file or a socket can carry."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

import msgspec

SECONDS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.5,
    1.0,
    5.0,
    10.0,
    20.0,
    40.0,
    80.0,
    160.0,
)
"""Bucket bounds: fal answers in tens of seconds, falgate's own part takes milliseconds."""

Labels = tuple[str, ...]


class Histogram:
    """Counts of durations per bucket of `SECONDS`."""

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(SECONDS, duration_s)] += 1
        self.sum_s += duration_s


class Durations(msgspec.Struct, frozen=True):
    """What a histogram had at some time.

    Attributes:
        counts: Per bucket.
        sum_s: Of all durations, in seconds.
    """

    counts: list[int]
    sum_s: float

    def buckets(self) -> list[tuple[str, float]]:
        """Return cumulative counts, as Prometheus expects them."""
        total, found = 0, []
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Counts(msgspec.Struct, frozen=True):
    """What a process had counted at some time, by the names of the metrics.

    Attributes:
        counters: By their labels.
        durations: Histograms.
    """

    counters: dict[str, dict[Labels, int]]
    durations: dict[str, Durations]


def total(some: Iterable[Counts]) -> Counts:
    """Add up."""
    counters: dict[str, Counter[Labels]] = {}
    durations: dict[str, Durations] = {}
    for each in some:
        for name, counted in each.counters.items():
            # Not with `+`, which would drop the series that are 0.
            counters.setdefault(name, Counter()).update(counted)
        for name, more in each.durations.items():
            known = durations.get(name) or Durations([0] * len(more.counts), 0.0)
            counts = [sum(both) for both in zip(known.counts, more.counts, strict=True)]
            durations[name] = Durations(counts, known.sum_s + more.sum_s)
    return Counts(dict(counters), durations)
