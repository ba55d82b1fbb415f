"""fal's own books, as a list that tests write, beside a ledger in a real Redis."""
# ruff: noqa: D102 - the ports say what their methods do

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.billing.reconcile import Reconciler
from falgate.billing.store.corrections import Corrections
from falgate.fal.billing import Billed, BooksClosed, Listed
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
ENDPOINT = "fal-ai/model"
HOUR_MS = 3_600_000


class Books:
    """What fal knows and billed.

    Attributes:
        listed: Its requests.
        events: Its billing events, each with its time in milliseconds.
        closed: Whether nobody may read them.
        asked: Ids of each question about billing.
    """

    def __init__(self) -> None:
        self.listed: list[Listed] = []
        self.events: list[tuple[int, Billed]] = []
        self.closed = False
        self.asked: list[list[str]] = []

    def bill(self, request_id: str, micros: int | None, at_ms: int = 0) -> None:
        """Bill a request, or part of it."""
        dollars = None if micros is None else Decimal(micros).scaleb(-6)
        event = Billed(request_id=request_id, endpoint=ENDPOINT, dollars=dollars)
        self.events.append((at_ms, event))

    def know(self, request_id: str, sent_ms: int, sent: dict[str, Any] | None) -> None:
        """List a request."""
        self.listed.append(
            Listed(request_id=request_id, endpoint=ENDPOINT, sent_ms=sent_ms, input=sent)
        )

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        self._open()
        assert endpoint == ENDPOINT
        return tuple(it for it in self.listed if since_ms <= it.sent_ms <= until_ms)

    async def billed(self, request_ids: Sequence[str]) -> tuple[Billed, ...]:
        self._open()
        self.asked.append(list(request_ids))
        return tuple(event for _, event in self.events if event.request_id in request_ids)

    async def billed_between(
        self, endpoint: str, since_ms: int, until_ms: int
    ) -> tuple[Billed, ...]:
        self._open()
        assert endpoint == ENDPOINT
        return tuple(event for at_ms, event in self.events if since_ms <= at_ms < until_ms)

    def _open(self) -> None:
        if self.closed:
            raise BooksClosed("not now")


@pytest.fixture
def books() -> Books:
    return Books()


class Later(Jobs):
    """Jobs as they are seen so much later.

    Attributes:
        by_ms: Milliseconds.
    """

    by_ms = 0

    async def now_ms(self) -> int:
        return await super().now_ms() + self.by_ms


@pytest.fixture
def later(jobs_of: Callable[..., Jobs]) -> Later:
    """The jobs as they are seen thirty hours from now."""
    jobs = jobs_of("later", Later)
    assert isinstance(jobs, Later)
    jobs.by_ms = 30 * HOUR_MS
    return jobs


class Facts:
    """Counts what an operator should look at."""

    def __init__(self) -> None:
        self.anomalies: list[str] = []

    def anomaly(self, event: Any) -> None:
        self.anomalies.append(event.what)


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
def reconciler(redis: Redis, books: Books, later: Later, facts: Any) -> Reconciler:
    corrections = Corrections(redis, owner="one")
    return Reconciler(UPSTREAM, books, corrections, later, endpoints=[ENDPOINT], facts=facts)


@pytest.fixture
def paid(
    bring: Callable[..., Awaitable[Job]], order: Callable[..., Order]
) -> Callable[[str, int], Awaitable[None]]:
    """Makes a job that held 100 and was settled at so much; its request is "fal-<job>"."""

    async def pay(job_id: str, charge: int) -> None:
        await bring(order(job_id, f"f-{job_id}"), "paid", charge=charge)

    return pay


@pytest.fixture
def lost(
    bring: Callable[..., Awaitable[Job]], order: Callable[..., Order], jobs: Jobs
) -> Callable[[str], Awaitable[int]]:
    """Makes a job whose submit had no answer, settled in full; says when it was sent."""

    async def lose(job_id: str) -> int:
        job = await bring(order(job_id, f"f-{job_id}"), "submitting")
        await jobs.settle(job, Settlement(state="unknown", charge=job.order.held))
        return job.submitted_ms

    return lose


@pytest.fixture
def freeze(redis: Redis) -> Callable[[int], Awaitable[None]]:
    """Freezes buying, as of so long ago."""

    async def freeze(ago_ms: int) -> None:
        seconds, _ = await redis.time()
        now_ms = int(seconds) * 1000
        await redis.hset(
            keyspace.META, mapping={"frozen_ms": str(now_ms - ago_ms), "history": "abc"}
        )

    return freeze
