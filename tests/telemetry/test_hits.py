"""Hits of the fast path: each is counted and logged as any other, only later."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from falgate.core.events import Answered
from falgate.core.picture import Picture
from falgate.money.usage import COLUMN
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.hits import HitCounter, HitKind
from falgate.telemetry.metrics import IN_MEMORY, READ, Metrics
from falgate.telemetry.sampler import Sampler

Write = Callable[..., str]

MODEL = "fal-ai/gpt-image-1.5"
HIT = Answered(
    request_id="",
    model=MODEL,
    upstream="fal",
    team="web",
    app="shop",
    key="k",
    job="",
    source="hit",
    pictures=2,
    reused=2,
    billed=0,
    saved=18_000,
    quality="low",
    fingerprint="",
    route="run",
    took_s=0,
    waited_s=0,
)
PICTURE = Picture(
    sha256="0" * 64, content_type="image/png", size_bytes=1, width=1, height=1, made_s=1
)


class Books:
    """Everything that hits are added to."""

    def __init__(self, share: float = 1) -> None:
        self.tally, self.used = Counter[str](), Counter[tuple[str, str]]()
        self.metrics = Metrics((MODEL,), ("fal",))
        self.telemetry = Telemetry(self.metrics, self._tally, hits_logged=Sampler(share))
        self.counter = HitCounter(self.telemetry, self._use)

    def _tally(self, event: Answered, number: int) -> None:
        self.tally[COLUMN[event.source]] += number

    def _use(self, fingerprint: str, pictures: Sequence[Picture], app: str, number: int) -> None:
        self.used[fingerprint, app] += number * len(pictures)


def test_hits_are_counted_everywhere_once() -> None:
    books, kind = Books(), HitKind(HIT, "pool", (PICTURE, PICTURE), 3)
    books.counter.read()
    for number in range(5):
        books.counter.note(kind, b"id-%d" % number, 0.0001)
    assert not books.tally

    for _ in range(2):
        books.counter.count()

    assert books.tally == {"hits": 5}
    assert books.used == {("pool", "web/shop"): 10}
    metrics = books.metrics
    assert metrics.requests["run", "200"] == 5
    assert metrics.answers[MODEL, "hit", "web", "shop"] == 5
    assert metrics.saved["fal", "web"] == 5 * 18_000
    assert metrics.dropped[(MODEL,)] == 15
    assert sum(metrics.own_seconds.counts) == 5
    assert (metrics.fast_hits[(READ,)], metrics.fast_hits[(IN_MEMORY,)]) == (1, 4)


def test_a_scrape_has_them_all() -> None:
    books = Books()
    books.counter.note(HitKind(HIT, "pool", (PICTURE,), 0), b"id", 0.0001)
    assert b'falgate_requests_total{route="run",status="200"} 1.0' in books.metrics.render(())


@pytest.mark.parametrize(("share", "logged"), [(1, 10), (0.5, 5), (0.1, 1), (0, 0)])
def test_a_share_of_them_is_logged(share: float, logged: int) -> None:
    books, kind = Books(share), HitKind(HIT, "pool", (PICTURE,), 0)
    with capture_logs() as lines:
        for number in range(10):
            books.counter.note(kind, b"id-%d" % number, 0.0001)
        books.counter.count()
        for _ in range(10):
            books.telemetry.answered(HIT)

    fast = [line for line in lines if line["request"]]
    assert len(fast) == logged
    assert len(lines) == 2 * logged


PROGRAM = """
from falgate.core.events import Answered
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.hits import HitCounter, HitKind
from falgate.telemetry.metrics import Metrics

hit = Answered(
    request_id="id-1", model="m", upstream="fal", team="web", app="fg_live_secret", key="k", job="",
    source="hit", pictures=2, reused=2, billed=0, saved=9, quality="low",
    fingerprint="", route="run", took_s=0.0123, waited_s=0,
)
telemetry = Telemetry(Metrics(), lambda *_: None)
counter = HitCounter(telemetry, lambda *_: None)
counter.note(HitKind(hit, "pool", (), 0), b"id-1", 0.0123)
counter.count()
telemetry.answered(hit)
"""


def test_its_line_of_json_says_what_that_of_any_other_says(write: Write) -> None:
    mine, other = map(json.loads, write(PROGRAM).splitlines())

    assert len(mine["timestamp"]) == len(other["timestamp"])
    assert {**mine, "timestamp": ""} == {**other, "timestamp": ""}
    assert mine["app"] == "***"


def test_its_line_for_people_is_that_of_any_other(write: Write) -> None:
    mine, other = (line.split()[1:] for line in write(PROGRAM, people=True).splitlines())
    assert mine == other
