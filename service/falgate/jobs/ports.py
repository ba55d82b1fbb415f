"""Ports of the request flow: what it needs of Redis, the picture store and fal.

Unless they say otherwise, async methods raise `Unavailable` without Redis; then nothing is bought.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import Directory
from falgate.accounts.limits import Exceeded, PurchaseLimits
from falgate.accounts.wrong_keys import WrongKeys
from falgate.cache.lookup import PoolReader
from falgate.cache.pool import PoolVersion
from falgate.core.account import Account
from falgate.core.events import Facts
from falgate.core.picture import Picture
from falgate.fal.billing import Billed, Listed
from falgate.fal.options import Priority
from falgate.fal.progress import Tell
from falgate.fal.replies import Result, Submission
from falgate.jobs.job import Job, Order, Trouble
from falgate.jobs.ports_inputs import Inputs, InputSending
from falgate.jobs.ports_requests import Requests
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import Verdict, Waiter
from falgate.models.spec import ModelSpec
from falgate.money.budget import Position
from falgate.money.stop import Stopped
from falgate.pictures.ports import AccessCounter, PictureRegister, Pictures, Places


class Platform(Protocol):
    """fal's own records. Methods raise `BooksClosed` if these cannot be read completely."""

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        """Return every request of an endpoint in a period."""

    async def billed(self, request_ids: Sequence[str]) -> tuple[Billed, ...]:
        """Return every billing event of these requests."""

    async def billed_between(
        self, endpoint: str, since_ms: int, until_ms: int
    ) -> tuple[Billed, ...]:
        """Return every billing event of an endpoint in a period."""


class Keys(Protocol):
    """API keys of apps. Without Redis no caller can be authenticated."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """Return a key's record, Redis's time in seconds, and the directory of teams and apps."""


class GoneModels(Protocol):
    """Models that an upstream said it has no more."""

    async def note(self, upstream: str, endpoint: str) -> Directory:
        """Note it; return what is known now."""

    async def forget(self, upstream: str, endpoint: str) -> None:
        """Forget it, because the upstream has just sold the model."""


class Rates(Protocol):
    """Limits on requests per second. Without Redis, requests are let through."""

    async def take(self, limited: Mapping[str, int]) -> Exceeded | None:
        """Count a request of each account, given its limit; if one is exceeded, count none."""


class Budgets(Protocol):
    """Budgets and what is left of them."""

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """Return an account's budgets in the current windows."""


class Stops(Protocol):
    """What operators stopped."""

    async def first(self, subjects: Sequence[Account]) -> Stopped | None:
        """Return the first of these that is stopped, if one is."""


class Pools(PoolReader, Protocol):
    """Pools, to which purchases add their pictures."""

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Add what a job bought; return None if the pool has another generation by now."""

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Replace all pictures by those of a job, if the pool is as it was read."""

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        """Remove pictures, which begins the next generation; return how many the pool had."""


class Jobs(Protocol):
    """Jobs and their money."""

    async def hold(
        self, order: Order, seen: PoolVersion, terms: PurchaseLimits, waiter: Waiter
    ) -> Verdict:
        """Claim a flight, hold its money and queue for a slot, or do none of it."""

    async def turn(self, job: Job) -> bool:
        """Return whether a reserved job has a slot at the upstream; raises `Fenced`."""

    async def mark(self, job: Job) -> Job:
        """Record that the submit is about to be sent; raises `Fenced` or `NotDurable`."""

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        """Bind fal's request id; return False if another one is bound."""

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        """Renew a job's lease; return False if the job is no longer the caller's."""

    async def mark_uncertain(
        self, job: Job, trouble: Trouble, *, lease_ms: int | None = None
    ) -> None:
        """Record that waiting is of no use now; raises `Fenced`."""

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> Job:
        """Settle the hold, once; raises `Fenced`."""

    async def finish(
        self, job: Job, pictures: Sequence[Picture], published: PoolVersion | None
    ) -> None:
        """End a paid job and its flight; raises `Fenced`."""

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        """Take over a job whose lease ran out."""

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        """Return the ids of open jobs whose lease ran out."""

    async def read(self, job_id: str) -> Job | None:
        """Return a job as it is now."""

    async def unbound(self, upstream: str) -> list[Job]:
        """Return jobs that may have been submitted and have no request id, with their inputs."""

    async def owner(self, upstream: str, request_id: str) -> str:
        """Return the id of the job that a request belongs to, or ""."""

    async def now_ms(self) -> int:
        """Return Redis's time, the only clock that decides about money."""

    def clock_ms(self) -> int:
        """Return Redis's time as estimated since it was last read."""


class Upstream(Protocol):
    """Where pictures are bought. Results are values; only `DownloadFailed` is raised."""

    @property
    def name(self) -> str:
        """Return the name, which is part of every fingerprint, job, budget and ledger."""

    async def submit(
        self,
        endpoint: str,
        body: dict[str, Any],
        job_id: str,
        *,
        start_within_s: float = 0,
        priority: Priority = "normal",
        passed: Mapping[str, str] | None = None,
    ) -> Submission:
        """Submit an order, in exactly one attempt or provably none.

        `start_within_s` is the start time-out in seconds; 0 for the usual one.
        """

    async def collect(self, spec: ModelSpec, request_id: str, tell: Tell) -> Result:
        """Follow an accepted order to its end, and report its progress."""

    async def cancel(self, endpoint: str, request_id: str) -> None:
        """Ask fal to cancel an accepted order; `collect` tells how it ends."""

    def may_fetch(self, url: str) -> bool:
        """Return whether a URL is on a host that delivers its pictures."""

    async def download(self, url: str) -> bytes:
        """Fetch a delivered picture."""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of the request flow.

    Attributes:
        models: By endpoint.
        keys: API keys of apps.
        gone: Models that an upstream said it has no more.
        rates: Limits on requests per second.
        budgets: Budgets and what is left of them.
        stops: What operators stopped.
        pools: The pools.
        catalogue: Where pictures are registered.
        uses: Counts served pictures.
        places: Which pictures are assigned to which open request.
        jobs: Jobs and their money.
        requests: Queued requests.
        pictures: The picture store.
        inputs: Reads input pictures.
        sending: Sends them with a purchase.
        upstreams: The upstream for each kind of key.
        facts: Receives events for metrics and logs.
        derives: Whether pictures are converted here at all.
        wrong_keys: Throttles addresses that present wrong keys.
    """

    models: Mapping[str, ModelSpec]
    keys: Keys
    gone: GoneModels
    rates: Rates
    budgets: Budgets
    stops: Stops
    pools: Pools
    catalogue: PictureRegister
    uses: AccessCounter
    places: Places
    jobs: Jobs
    requests: Requests
    pictures: Pictures
    inputs: Inputs
    sending: InputSending
    upstreams: Mapping[Kind, Upstream]
    facts: Facts
    derives: bool = True
    wrong_keys: WrongKeys = msgspec.field(default_factory=WrongKeys)

    def upstream(self, name: str) -> Upstream:
        """Return the upstream of a name; jobs of other upstreams never come to this instance."""
        return next(each for each in self.upstreams.values() if each.name == name)
