"""The two sides of a contract: the ports in memory and the ports on Redis, behind one face."""
# ruff: noqa: D102 - Side says what its methods do

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from asking import UPSTREAM, asked
from in_memory import LEASE_MS
from patience import PATIENCE_S
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import AppPool, PoolVersion
from falgate.cache.store.places import Places
from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.jobs import ports as jobs_ports
from falgate.jobs import ports_requests
from falgate.jobs.job import Job, Order, State
from falgate.jobs.request import QueuedRequest
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.jobs.verdicts import NOBODY, Held, NewRequest, Verdict, Waiter
from falgate.money.stop import Stop, Stopped, subject
from falgate.money.store.stops import Stops
from falgate.pictures import ports as pictures_ports
from falgate.redis import keyspace

STRANGER = "somebody:else"
POOL = AppPool("t/p", "f")
PAID = Settlement(state="paid", charge=60, delivered=1)
RELEASED = Settlement(state="released", charge=0)
TERMS = PurchaseLimits()
NEW = PoolVersion()
STOP = Stop(who="w", stopped_s=1, why="a leak")


class Side(ABC):
    """One side: its ports, its clock, and an upstream that can be busy."""

    def __init__(
        self,
        jobs: jobs_ports.Jobs,
        requests: ports_requests.Requests,
        places: pictures_ports.Places,
        pools: jobs_ports.Pools,
    ) -> None:
        self.jobs, self.requests, self.places, self.pools = jobs, requests, places, pools

    @abstractmethod
    async def later(self, ms: int) -> None:
        """Let leases, patience and names run for so long."""

    @abstractmethod
    async def lapse(self, job_id: str) -> None:
        """Let a job's lease run out, as if its owner had stopped long ago."""

    @abstractmethod
    async def fill(self) -> None:
        """Let strangers take every slot at the upstream."""

    @abstractmethod
    async def stop(self, name: str) -> Stopped:
        """Stop purchases for a subject."""

    @abstractmethod
    async def resume(self, stopped: Stopped) -> None:
        """Let purchases for a subject go on."""

    @abstractmethod
    async def give_slot(self, job_id: str) -> None:
        """Let a stranger give its slot to the first that waits, which is this one."""

    @abstractmethod
    async def told(self, step: Awaitable[object]) -> set[str]:
        """Of which jobs and requests every instance is told in a step."""

    async def hold(self, order: Order, seen: PoolVersion = NEW, waiter: Waiter = NOBODY) -> Verdict:
        """Ask for a flight and a hold."""
        return await self.jobs.hold(order, seen, TERMS, waiter)

    async def job(self, job_id: str) -> Job:
        """A job that exists."""
        found = await self.jobs.read(job_id)
        assert found is not None
        return found

    async def request(self, request_id: str) -> QueuedRequest:
        """A request that exists."""
        found = await self.requests.read(request_id)
        assert found is not None
        return found

    async def bring(self, order: Order, state: State, waiter: Waiter = NOBODY) -> Job:
        """Bring a new job to a state, by the steps of a purchase that goes well."""
        assert await self.hold(order, waiter=waiter) == Held()
        if state in {"submitting", "accepted", "paid"}:
            await self.jobs.mark(await self.job(order.id))
        if state in {"accepted", "paid"}:
            assert await self.jobs.accept(await self.job(order.id), f"fal-{order.id}")
        if state == "paid":
            await self.jobs.settle(await self.job(order.id), PAID, {"images": []})
        return await self.job(order.id)


class InMemory(Side):
    """The fakes."""

    def __init__(self, steps: Any, pools: Any, jobs: Any) -> None:
        super().__init__(jobs, jobs.requests, jobs.places, pools)
        self._steps, self._fake = steps, jobs

    async def later(self, ms: int) -> None:
        self._steps.now_ms += ms

    async def lapse(self, job_id: str) -> None:
        assert job_id in self._fake.leases_ms
        self._fake.leases_ms[job_id] = 1

    async def fill(self) -> None:
        self._fake.busy = True

    async def stop(self, name: str) -> Stopped:
        self._fake.stops[subject(name)] = STOP
        return Stopped(subject(name), STOP)

    async def resume(self, stopped: Stopped) -> None:
        del self._fake.stops[stopped.subject]

    async def give_slot(self, job_id: str) -> None:
        self._fake.give_turn(job_id)

    async def told(self, step: Awaitable[object]) -> set[str]:
        told = set[str]()
        self._steps.listeners.append(told.add)
        await step
        self._steps.listeners.remove(told.add)
        return told


class OnRedis(Side):
    """The real stores; time passes by ageing what is written with a time."""

    def __init__(self, redis: Redis, jobs_of: Callable[..., Jobs]) -> None:
        jobs = jobs_of("one", lease_ms=LEASE_MS, slots_max=100)
        requests = Requests(redis, lease_ms=LEASE_MS, kept_s=100)
        super().__init__(jobs, requests, Places(redis), Pools(redis))
        self._redis = redis

    async def later(self, ms: int) -> None:
        leases = [keyspace.open_jobs(UPSTREAM), keyspace.pending(UPSTREAM)]
        for key in [*leases, *await self._all(keyspace.waiters("*"))]:
            scores: Any = await self._redis.zrange(key, 0, -1, withscores=True)
            for member, until_ms in scores:
                await self._redis.zadd(key, {member: max(1, until_ms - ms)})
        for key in await self._all(keyspace.idempotency("*")):
            if ended_ms := await self._redis.hget(key, "ended_ms"):
                await self._redis.hset(key, "ended_ms", str(int(ended_ms) - ms))
        for key in await self._all(keyspace.places("*", "*")):
            fields: Any = await self._redis.hgetall(key)
            for what, place in fields.items():
                until_ms, _, request_id = place.partition(":")
                if until_ms != "0":
                    aged = f"{max(1, int(until_ms) - ms)}:{request_id}"
                    await self._redis.hset(key, what, aged)

    async def _all(self, pattern: str) -> list[str]:
        return [key async for key in self._redis.scan_iter(pattern, count=1000)]

    async def lapse(self, job_id: str) -> None:
        await self._redis.zadd(keyspace.open_jobs(UPSTREAM), {job_id: 1}, xx=True)
        assert await self._redis.zscore(keyspace.open_jobs(UPSTREAM), job_id) == 1

    async def fill(self) -> None:
        strangers = {f"{number}:{STRANGER}": 1 for number in range(100)}
        await self._redis.zadd(keyspace.slots(UPSTREAM), strangers)

    async def stop(self, name: str) -> Stopped:
        assert await Stops(self._redis).put(subject(name), None, STOP, "w")
        return Stopped(subject(name), STOP)

    async def resume(self, stopped: Stopped) -> None:
        assert await Stops(self._redis).put(stopped.subject, stopped.stop, None, "w")

    async def give_slot(self, job_id: str) -> None:
        await self._redis.zremrangebyrank(keyspace.slots(UPSTREAM), 0, 0)
        assert await self.jobs.turn(await self.job(job_id))

    async def told(self, step: Awaitable[object]) -> set[str]:
        async with self._redis.pubsub() as channel:
            names = (keyspace.WAKE, keyspace.MOVED)
            await channel.subscribe(*names)
            for _ in names:
                await channel.get_message(timeout=PATIENCE_S)
            await step
            await self._redis.publish(keyspace.WAKE, "the end")
            told: list[str] = []
            while "the end" not in told:
                message = await channel.get_message(timeout=PATIENCE_S)
                assert message is not None
                told.append(message["data"])
            return {*told} - {"the end"}


def picture(letter: str, job: str = "", master: str = "", until_s: int = 0) -> Picture:
    """A picture that is known by one letter."""
    return Picture(
        letter * 64, "image/png", 1, 8, 8, made_s=1, job=job, master=master, until_s=until_s
    )


def kept(
    request_id: str = "r",
    *,
    was_job: str = "",
    digest: str = "",
    repeats_ms: int = 0,
    pool: tuple[Picture, ...] = (),
) -> NewRequest:
    """A request that is to be stored; with a digest it has the name that equal ones have."""
    wanted = asked(request_id, repeatable="name" if digest else "")
    return NewRequest(
        asked=wanted, was_job=was_job, digest=digest, repeats_ms=repeats_ms, pool=pool
    )


def queued(request_id: str = "r", **more: Any) -> Waiter:
    """Who waits for a flight, with a request that is to be stored."""
    return Waiter(request=request_id, keep=kept(request_id, **more))


def on_the_line(request_id: str, patience_ms: int = 60_000, *, joins: bool = False) -> Waiter:
    """Who waits for a flight on a connection."""
    return Waiter(request=request_id, patience_ms=patience_ms, joins=joins)
