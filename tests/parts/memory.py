"""What was asked of the ports in the flow's tests, and pools in memory."""
# ruff: noqa: D102 - the ports say what their methods do

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from falgate.cache.pool import PoolVersion
from falgate.core.picture import Picture, Pool
from falgate.jobs.verdicts import Verdict
from falgate.pictures.catalogue import NewPicture


class Steps:
    """What was asked of the ports, and which of it is to fail or to wait.

    Attributes:
        did: Every step that does something, in order; mere looks are left out.
        gates: A step of that name waits until its gate is set.
        listeners: Are told of a job that something happened to.
    """

    def __init__(self) -> None:
        self.did: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.listeners: list[Callable[[str], None]] = []
        self.now_ms = 1_700_000_000_000
        self.limit = 1_000
        self.verdict: Verdict | None = None
        self._failures: dict[str, list[tuple[Exception, bool] | None]] = defaultdict(list)

    def fail(
        self, name: str, error: Exception, *, after: bool = False, skip: int = 0, times: int = 1
    ) -> None:
        """Raise in a step: before its effect, or after it as when only the reply is lost."""
        self._failures[name] += [None] * skip
        self._failures[name] += [(error, after)] * times

    def mend(self) -> None:
        """Let everything work again."""
        self._failures.clear()

    @asynccontextmanager
    async def step(
        self, name: str, note: object = "", *, look: bool = False
    ) -> AsyncIterator[None]:
        """One thing that was asked of a port."""
        if not look:
            self.did.append(f"{name} {note}".rstrip())
        gate = self.gates.get(name)
        await asyncio.sleep(0)
        if gate:
            await gate.wait()
        failure = self._failures[name].pop(0) if self._failures[name] else None
        if failure and not failure[1]:
            raise failure[0]
        yield
        if failure:
            raise failure[0]

    def publish(self, job_id: str) -> None:
        """Tell every process of a job, as Redis does."""
        for listener in self.listeners:
            listener(job_id)


class Pools:
    """The pools' port."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.pools: dict[str, Pool] = {}
        self.begun: dict[str, int] = {}
        self.added: dict[str, set[str]] = {}

    async def read(self, fingerprint: str) -> Pool:
        async with self.steps.step("pool"):
            pool = self.there(fingerprint)
            return replace(pool, read_s=self.steps.now_ms // 1000)

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        async with self.steps.step("append", len(pictures)):
            pool = self.there(fingerprint)
            if job_id in self.added.get(fingerprint, ()):
                return version_of(pool)
            if not generation and self.begun.get(fingerprint) == pool.generation:
                generation = pool.generation
            if pool.generation and pool.generation != generation:
                return None
            left = [p for p in pool.pictures if p.fresh(self.steps.now_ms // 1000)]
            if not pool.generation:
                generation = self.begun[fingerprint] = self.steps.now_ms
            elif len(left) < len(pool.pictures):
                generation = self.after(generation)
            there = {p.sha256: p for p in left}
            for picture in pictures:
                there.setdefault(picture.sha256, picture)
            added = self.added.get(fingerprint, set()) | {job_id}
            return self.put(fingerprint, Pool(generation, tuple(there.values())), added)

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        async with self.steps.step("renew pool", len(pictures)):
            pool = self.there(fingerprint)
            if job_id in self.added.get(fingerprint, ()):
                return version_of(pool)
            if pool.generation != generation:
                return None
            pool = Pool(self.after(generation), tuple(pictures))
            return self.put(fingerprint, pool, {job_id})

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        async with self.steps.step("remove", len(hashes)):
            pool = self.there(fingerprint)
            left = tuple(p for p in pool.pictures if p.sha256 not in hashes)
            if taken := len(pool.pictures) - len(left):
                self.put(fingerprint, Pool(self.after(pool.generation), left), set())
            return taken

    def there(self, fingerprint: str) -> Pool:
        """A pool; it is forgotten when all of its pictures have expired."""
        pool, now_s = self.pools.get(fingerprint, Pool()), self.steps.now_ms // 1000
        if pool.pictures and not any(picture.fresh(now_s) for picture in pool.pictures):
            for known in (self.pools, self.begun, self.added):
                known.pop(fingerprint, None)
            return Pool()
        return pool

    def after(self, generation: int) -> int:
        """The next generation."""
        return max(generation + 1, self.steps.now_ms)

    def put(self, fingerprint: str, pool: Pool, added: set[str]) -> PoolVersion:
        """Write a pool, with the jobs whose steps are not to be repeated."""
        self.pools[fingerprint], self.added[fingerprint] = pool, added
        return version_of(pool)


def version_of(pool: Pool) -> PoolVersion:
    return PoolVersion(pool.generation, len(pool.pictures))


class PictureRegister:
    """The catalogue's and the uses' ports: what was filed, and what was handed out."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.filings: list[NewPicture] = []
        self.uses: list[tuple[str, int]] = []
        self.removing = 0

    async def register(self, filing: NewPicture) -> bool:
        async with self.steps.step("note", look=True):
            self.filings.append(filing)
            self.removing -= 1
            return self.removing < 0

    def add(self, fingerprint: str, pictures: Sequence[Picture], _: str) -> None:
        self.uses.append((fingerprint, len(pictures)))
