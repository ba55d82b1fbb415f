"""The world of a purchase: fal, the picture store and the facts beside Redis, and processes."""
# ruff: noqa: D102 - the ports say what their methods do

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
import pytest
from callers import caller_with
from gone_models import GoneModels
from memory import PictureRegister
from msgspec.structs import replace
from no_inputs import NoInputs
from patience import PATIENCE_S
from shop import SPEC, Shop, output

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.cache_settings import CachePolicy, Identical
from falgate.accounts.directory import App, Directory, Team
from falgate.accounts.limits import Exceeded
from falgate.core.calendar import Calendar
from falgate.core.errors import Refusal, StoreUnavailable
from falgate.core.events import Anomaly, Answered, Overdrawn, Purchased, Refused
from falgate.core.picture import Kept, Picture
from falgate.fal.options import FalOptions
from falgate.jobs import admission
from falgate.jobs.answer import Answer
from falgate.jobs.job import ENDS
from falgate.jobs.ports import Ports
from falgate.jobs.reaper import Reaper
from falgate.jobs.watcher import JobWatcher
from falgate.jobs.worker import JobWorker
from falgate.requests.runtime import Runtime, runtime
from falgate.requests.sync import SyncService

KEPT_S = 30 * 86_400
REAPING: dict[str, Any] = {"every_s": 0.001, "unknown_after_s": 900}


class Pictures:
    """The picture store: anything is a picture, of the size in `sides`."""

    def __init__(self, steps: Any) -> None:
        self.stored: set[str] = set()
        self.sides, self.full, self.opaque = (8, 8), False, True
        self._steps = steps

    async def examine(self, data: bytes, _: int) -> Kept:
        sha256 = hashlib.sha256(data).hexdigest()
        content_type = "image/jpeg" if data.startswith(b"jpeg") else "image/png"
        return Kept(sha256, content_type, len(data), *self.sides, opaque=self.opaque)

    async def keep(self, _: bytes, kept: Kept) -> None:
        async with self._steps.step("keep"):
            self.stored.add(kept.name)

    async def convert(self, picture: Picture, content_type: str) -> bytes | None:
        async with self._steps.step("convert"):
            return f"{content_type[6:]} of {picture.name}".encode()

    async def ready(self) -> None:
        if self.full:
            raise StoreUnavailable


class Facts:
    """Metrics and logs: steps like others, and the events themselves."""

    def __init__(self, steps: Any) -> None:
        self.events: list[Answered | Purchased | Anomaly] = []
        self._did = steps.did

    def answered(self, event: Answered) -> None:
        self.events.append(event)
        self._did.append(f"answered {event.source} {event.billed}")

    def purchased(self, event: Purchased) -> None:
        self.events.append(event)
        self._did.append(f"purchased {event.outcome} {event.charged}")

    def anomaly(self, event: Anomaly) -> None:
        self.events.append(event)
        self._did.append(f"anomaly {event.what}")

    def failed(self, event: Refused) -> None:
        self._did.append(f"failed {event.status} {event.reason}")

    def exhausted(self, upstream: str) -> None:
        self._did.append(f"exhausted {upstream}")

    def overdrawn(self, upstream: str, shadow: Overdrawn) -> None:
        self._did.append(f"overdrawn {upstream} {shadow.account.name} {shadow.kind}")

    def unchecked(self) -> None: ...

    def dropped(self, model: str, fields: int) -> None: ...


class Rates:
    """Nobody asks too often."""

    async def take(self, _: Mapping[str, int]) -> Exceeded | None:
        return None


class Keys:
    """Everybody's key is good."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        return key_of("live", key_id), 0, Directory(1, {"t": Team()}, {"t/a": App()})


def key_of(kind: Kind, key_id: str = "k") -> KeyRecord:
    return KeyRecord(id=key_id, kind=kind, digest="", team="t", app="a", name="", created_s=0)


class Process(NamedTuple):
    """One falgate."""

    works: Runtime
    answers: SyncService
    purchases: JobWorker
    flights: JobWatcher
    reaper: Reaper


class World:
    """Every port at once, and the processes that share them."""

    def __init__(self, memory: tuple[Any, Any, Any]) -> None:
        self.steps, self.pools, self.jobs = memory
        self.shop = Shop("fal", self.steps, self.jobs)
        self.sandbox = Shop("sandbox", self.steps, self.jobs)
        self.pictures = Pictures(self.steps)
        self.filed = PictureRegister(self.steps)
        self.inputs = NoInputs()
        self.facts = Facts(self.steps)
        self.swept = list[str]()
        self.gone = GoneModels()
        self.ports = Ports(
            models={SPEC.endpoint: SPEC},
            keys=Keys(),
            gone=self.gone,
            rates=Rates(),
            budgets=self.jobs,  # never asked: here calls are admitted already
            stops=self.jobs,
            pools=self.pools,
            catalogue=self.filed,
            uses=self.filed,
            places=self.jobs.places,
            jobs=self.jobs,
            requests=self.jobs.requests,
            pictures=self.pictures,
            inputs=self.inputs,
            sending=self.inputs,
            upstreams={"live": self.shop, "test": self.sandbox},
            facts=self.facts,
        )
        self.processes = [self.open()]

    def open(
        self, *, lease_s: float = 30.0, wait_s: float = 5.0, distinct_wait_s: float = 0.0
    ) -> Process:
        """Start one more process."""
        works = runtime(
            self.ports,
            calendar=Calendar(UTC),
            lease_s=lease_s,
            start_within_s=wait_s,
            wait_s=wait_s,
            kept_s=KEPT_S,
            distinct_wait_s=distinct_wait_s,
        )
        self.steps.listeners.append(works.wake)
        reaper = Reaper(self.ports, works.purchases, self._sweep, **REAPING)
        return Process(works, works.answers, works.purchases, works.flights, reaper)

    async def _sweep(self, upstream: str, _: int) -> int:
        self.swept.append(upstream)
        return 0

    def call(
        self,
        wanted: int = 1,
        prompt: str = "a cat",
        kind: Kind = "live",
        *,
        cache: str = "",
        identical: Identical = "share",
        request_id: str = "r",
        **options: Any,
    ) -> admission.AdmittedRequest:
        key = key_of(kind)
        body = msgspec.json.encode({"prompt": prompt, "num_images": wanted})
        caller = caller_with(key, App(cache=CachePolicy(identical=identical)))
        call = admission.admit(
            caller,
            SPEC,
            admission.read(caller, SPEC, body, "application/json"),
            upstream=self.ports.upstreams[kind].name,
            derives=True,
            headers={"cache-control": cache},
            request_id=request_id,
        )
        return replace(call, options=FalOptions(**options))

    async def ask(self, *asked: Any, at: int = 0, **more: Any) -> Answer:
        return await self.processes[at].answers.answer(self.call(*asked, **more))

    async def outcome(self, *asked: Any, at: int = 0, **more: Any) -> str:
        """What a caller hears: a source with own and foreign pictures, or a refusal."""
        try:
            answer = await self.ask(*asked, at=at, **more)
        except Refusal as refusal:
            return f"{refusal.status} {type(refusal).__name__}"
        foreign = f"+{len(answer.foreign)}" if answer.foreign else ""
        return f"{answer.source} {len(answer.pictures)}{foreign}"

    async def at_rest(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while working := [t for t in asyncio.all_tasks() if t.get_name().startswith("job ")]:
                await asyncio.wait(working)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110 - the world has no event for everything
                await asyncio.sleep(0)

    async def reached(self, step: str, times: int = 1) -> None:
        await self.until(lambda: sum(did.startswith(step) for did in self.steps.did) >= times)

    async def reap(self, after_s: int, at: int = 0) -> None:
        """Let time pass and the reaper look, until what it carried on is done."""
        self.steps.now_ms += after_s * 1000
        await self.processes[at].reaper.look("fal")
        await self.at_rest()

    def effects(self, since: int = 0) -> str:
        return ", ".join(self.steps.did[since:])

    def leaks(self) -> list[str]:
        """Where our books and fal's differ to our loss, or ours do not add up."""
        jobs, ledger = self.jobs.jobs.values(), self.jobs.ledger
        opened = [job for job in jobs if job.state in {"reserved", "submitting", "accepted"}]
        booked = {job.order.id: job.order.held for job in opened}
        booked |= {job_id: charge for job_id, _, charge in ledger}
        posts = self.shop.posts + self.sandbox.posts
        bills = {**self.shop.bills, **self.sandbox.bills}
        checks = {
            "submitted without a hold or a mark": not (self.shop.unheld + self.sandbox.unheld),
            "submitted twice": len(posts) == len(set(posts)),
            "billed above what is booked": all(bills[j] <= booked[j] for j in bills),
            "held is not what is open": self.jobs.held == sum(job.order.held for job in opened),
            "not one close for each job": sorted(entry[0] for entry in ledger)
            == sorted(job.order.id for job in jobs if job not in opened),
            "spent is not the ledger": self.jobs.spent + self.jobs.overrun
            == sum(charge for _, _, charge in ledger),
            "an ended job is still leased": not [
                job for job in jobs if job.state in ENDS and job.order.id in self.jobs.leases_ms
            ],
        }
        return [complaint for complaint, fine in checks.items() if not fine]


@pytest.fixture(scope="module", autouse=True)
def _quick(no_pauses: None) -> None:
    """Nothing here waits."""


@pytest.fixture(scope="session")
def new_world(new_memory: Callable[[], tuple[Any, Any, Any]]) -> Callable[[], World]:
    return lambda: World(new_memory())


@pytest.fixture
async def world(new_world: Callable[[], World]) -> AsyncIterator[World]:
    """One world with one process; no task of it outlives the test."""
    world = new_world()
    yield world
    for process in world.processes:
        await process.purchases.close(0)
        await process.works.driver.close()


@pytest.fixture(scope="session")
def pictures_of() -> Callable[[int, str], dict[str, Any]]:
    """An output of fal's with so many pictures."""
    return output
