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
        self.appended: dict[tuple[str, str], PoolVersion] = {}

    async def read(self, fingerprint: str) -> Pool:
        async with self.steps.step("pool"):
            pool = self.pools.get(fingerprint, Pool())
            return replace(pool, read_s=self.steps.now_ms // 1000)

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        async with self.steps.step("append", len(pictures)):
            pool = self.pools.get(fingerprint, Pool())
            if seen := self.appended.get((fingerprint, job_id)):
                return seen
            if not generation and self.begun.get(fingerprint) == pool.generation:
                generation = pool.generation
            if pool.generation and pool.generation != generation:
                return None
            if not pool.generation:
                self.begun[fingerprint] = generation or self.steps.now_ms
            new = {p.sha256: p for p in (*pool.pictures, *pictures)}
            pool = Pool(generation or self.steps.now_ms, tuple(new.values()))
            self.pools[fingerprint] = pool
            seen = PoolVersion(pool.generation, len(pool.pictures))
            self.appended[fingerprint, job_id] = seen
            return seen

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        async with self.steps.step("renew pool", len(pictures)):
            pool = self.pools.get(fingerprint, Pool())
            if seen := self.appended.get((fingerprint, job_id)):
                return seen
            if pool.generation != generation:
                return None
            seen = PoolVersion(generation + 1, len(pictures))
            self.pools[fingerprint] = Pool(seen.generation, tuple(pictures))
            self.appended[fingerprint, job_id] = seen
            return seen

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        async with self.steps.step("remove", len(hashes)):
            pool = self.pools.get(fingerprint, Pool())
            left = tuple(p for p in pool.pictures if p.sha256 not in hashes)
            if taken := len(pool.pictures) - len(left):
                self.pools[fingerprint] = Pool(pool.generation + 1, left)
            return taken


class Filed:
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

    def add(self, fingerprint: str, pictures: Sequence[Picture]) -> None:
        self.uses.append((fingerprint, len(pictures)))
