"""Both sides of the contract do the same steps in any order, and answer the same."""

# ruff: noqa: D102 - a step of Life is what its name says

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from asking import UPSTREAM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from redis.asyncio import Redis
from sides import NEW, POOL, InMemory, OnRedis, Side, kept, on_the_line, picture, queued
from two_servers import SERVERS

from falgate.cache.pool import PoolVersion
from falgate.jobs.answer import Answer
from falgate.jobs.job import MOVES, Fenced, Job, Order
from falgate.jobs.request import CANCELLED, QueuedRequest
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import NOBODY, Held
from falgate.money.stop import Stopped

ORDERS: tuple[dict[str, Any], ...] = (
    {},
    {"number": 2},
    {"distinct": True},
    {"distinct": True, "own": True},
    {"fresh": "aside", "held": 400},
)
PICTURES = (
    picture("a"),
    picture("b", job="j0"),
    picture("c", job="j1"),
    picture("d", until_s=1),
    picture("e", master=picture("a").name),
)
NOTHING = Answer(source="hit", pictures=())


class Life:
    """What one side goes through; a step takes two numbers, and says what the side answered."""

    def __init__(self, side: Side, order: Callable[..., Order]) -> None:
        self._side, self._order = side, order
        self._orders: list[Order] = []
        self._jobs: list[Job] = []
        self._requests: dict[str, QueuedRequest] = {}
        self._stopped: dict[str, Stopped] = {}
        self._seen, self._generations = NEW, [0]

    async def do(self, name: str, x: int, y: int) -> Any:
        """Do a step; times and generations are made comparable."""
        try:
            answer = await getattr(self, name)(x, "rst"[x % 3], y)
        except Fenced:
            return "fenced"
        plain = msgspec.to_builtins(answer)
        return type(answer).__name__, self._comparable("", plain)

    def _comparable(self, name: str, value: Any) -> Any:
        if name.endswith("_ms"):
            return bool(value)
        if name in {"windows", "read_s"}:
            return None
        if name == "window":
            return value["kind"]
        if name == "generation":
            if value not in self._generations:
                self._generations.append(value)
            return self._generations.index(value)
        if isinstance(value, dict):
            return {key: self._comparable(key, each) for key, each in value.items()}
        many = isinstance(value, list | tuple)
        return [self._comparable("", each) for each in value] if many else value

    async def hold(self, x: int, request_id: str, y: int) -> Any:
        known = self._requests.get(request_id)
        digest = ("", "one", "two")[y % 3]
        keeps = queued(request_id, was_job=known.job if known else "", digest=digest)
        line = on_the_line(request_id, 10_000 * y, joins=y == 1)
        if y or not self._orders:
            self._orders.append(self._order(f"j{len(self._orders)}", **ORDERS[x]))
        waiter, seen = (NOBODY, line, keeps)[y % 3], self._seen if y % 2 else NEW
        verdict = await self._side.hold(self._orders[-1], seen, waiter)
        if isinstance(verdict, Held) and verdict.job:
            self._jobs.append(verdict.job)
        return verdict

    async def _view(self, x: int, y: int) -> Job | None:
        """One of the last jobs, as it is or as it was."""
        if not self._jobs:
            return None
        at = -1 - x % min(3, len(self._jobs))
        if y % 4:
            self._jobs[at] = await self._side.job(self._jobs[at].order.id)
        return self._jobs[at]

    async def step(self, x: int, _: str, y: int) -> Any:
        """One of the steps of a purchase."""
        job, jobs = await self._view(x, y), self._side.jobs
        if job is None:
            return None
        lease_ms = (None, 0, 20_000)[y % 3]
        ways = sorted(MOVES[job.state] & {"paid", "refused", "released", "unknown"})
        if job.state == "paid":
            pictures = (replace(PICTURES[0], job=job.order.id),)
            return await jobs.finish(job, pictures, PoolVersion(y % 3, y) if y else None)
        if job.state == "reserved" and y:
            return await jobs.mark(job)
        if job.state == "submitting" and y < 8:
            return await jobs.accept(job, f"fal-{y}", lease_ms=lease_ms)
        if ways:
            charge = (0, 60, 110)[y % 3]
            to: Any = ways[y // 3 % len(ways)]
            return await jobs.settle(job, Settlement(state=to, charge=charge), [y])
        return await jobs.renew(job, lease_ms=lease_ms)

    async def trouble(self, x: int, _: str, y: int) -> Any:
        job = await self._view(x, y)
        if job and job.state != "reserved":
            lease_ms = (None, 0, 20_000)[y % 3]
            await self._side.jobs.mark_uncertain(job, "lost", lease_ms=lease_ms)

    async def adopt(self, x: int, _: str, __: int) -> Any:
        lapsed, job = sorted(await self._side.jobs.lapsed(UPSTREAM, 99)), await self._view(x, 1)
        return lapsed, job and await self._side.jobs.adopt(job.order.id, UPSTREAM)

    async def time(self, x: int, _: str, y: int) -> Any:
        job = await self._view(x, 1)
        if job and not job.ended and y % 2:
            return await self._side.lapse(job.order.id)
        return await self._side.later(5_000 * y)

    async def look(self, x: int, request_id: str, _: int) -> Any:
        requests, found = self._side.requests, await self._side.requests.read(request_id)
        self._requests |= {request_id: found} if found else {}
        depend = [await requests.depend_on(flight) for flight in ("f", f"f.j{x}")]
        unbound = sorted(job.order.id for job in await self._side.jobs.unbound(UPSTREAM))
        return await requests.look(request_id, UPSTREAM), depend, unbound

    async def end(self, _: int, request_id: str, y: int) -> Any:
        requests = self._side.requests
        request = await requests.read(request_id) if y % 2 else self._requests.get(request_id)
        if request is None or y == 0:
            return await requests.put(kept(request_id, digest="one" * (y % 2)), "done", NOTHING)
        if y % 3 == 0:
            return await requests.leave(request.flight, request_id)
        if y % 3 == 1:
            return await requests.end(request, "cancelled", CANCELLED)
        return await requests.end(request, "done", NOTHING)

    async def tend(self, _: int, request_id: str, y: int) -> Any:
        """Look after requests, or take those over that nobody looks after."""
        if y % 2:
            lease_ms = (None, 0, 20_000)[y % 3]
            return await self._side.requests.renew(UPSTREAM, [request_id], lease_ms=lease_ms)
        adopted = await self._side.requests.adopt(UPSTREAM, 99)
        return sorted(adopted, key=lambda request: request.asked.id)

    async def places(self, _: int, request_id: str, y: int) -> Any:
        places, chosen = self._side.places, PICTURES[y % 4 :: 1 + y % 2]
        ways: list[Callable[[], Awaitable[Any]]] = [
            lambda: places.take(POOL, request_id, chosen, 1 + y % 2, lease_ms=20_000),
            lambda: places.keep(POOL, (request_id, "u"), lease_ms=10_000 * (y % 3)),
            lambda: places.follow(POOL, request_id, lease_ms=20_000),
        ]
        return await ways[y % 3](), await places.free(POOL, PICTURES, 9)

    async def stop(self, x: int, _: str, __: int) -> None:
        """An operator stops a subject, or resumes it."""
        name = ("team:t", "app:t/p", "team:u", "model:fal-ai/model", "organisation:main")[x]
        if stopped := self._stopped.pop(name, None):
            await self._side.resume(stopped)
        else:
            self._stopped[name] = await self._side.stop(name)

    async def pools(self, x: int, _: str, y: int) -> Any:
        pools, chosen = self._side.pools, PICTURES[y % 4 : y % 4 + 2]
        generation = 0 if y % 2 else self._seen.generation
        ways: list[Callable[[], Awaitable[Any]]] = [
            lambda: pools.append("f", f"j{x}", generation, chosen),
            lambda: pools.renew("f", f"j{x}", generation, (PICTURES[0], *chosen[1:])),
            lambda: pools.remove("f", [each.sha256 for each in chosen]),
        ]
        answer, pool = await ways[y % 3](), await pools.read("f")
        if y % 4:
            self._seen = PoolVersion(pool.generation, len(pool.pictures))
        return answer, pool


NAMES = [name for name in vars(Life) if name[0] != "_" and name != "do"]
STEP = st.tuples(
    st.sampled_from([*NAMES, "hold", "step", "step"]), st.integers(0, 4), st.integers(0, 11)
)


@pytest.mark.parametrize("url", SERVERS, indirect=True)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEP, min_size=30, max_size=40))
async def test_the_same_steps_are_answered_the_same(  # noqa: PLR0917 - fixtures
    steps: list[tuple[str, int, int]],
    redis: Redis,
    jobs_of: Any,
    new_memory: Any,
    order: Callable[..., Order],
    empty: Callable[[], Awaitable[None]],
) -> None:
    await empty()
    here, there = Life(InMemory(*new_memory()), order), Life(OnRedis(redis, jobs_of), order)
    for at, step in enumerate(steps):
        assert (at, step, await here.do(*step)) == (at, step, await there.do(*step))
