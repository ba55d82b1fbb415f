"""The world as the flow sees it: each port says what a failing Redis, store or fal means there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.directory import Directory
from falgate.accounts.limits import Exceeded, PurchaseLimits
from falgate.accounts.wrong_keys import WrongKeys
from falgate.cache.pool import PoolVersion
from falgate.core.account import Account
from falgate.core.events import Facts
from falgate.core.picture import Picture, Pool
from falgate.fal.billing import Billed, Listed
from falgate.fal.options import Priority
from falgate.fal.progress import Tell
from falgate.fal.replies import Result, Submission
from falgate.jobs.job import Job, Order, Trouble
from falgate.jobs.ports_requests import Requests
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import Verdict, Waiter
from falgate.models.spec import ModelSpec
from falgate.money.budget import Position
from falgate.pictures.ports import AccessCounter, Filed, Pictures, Places


class Platform(Protocol):
    """The seller's own books. When they cannot be read, and to their end: `BooksClosed`."""

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        """Every request of an endpoint that came in a time."""

    async def billed(self, request_ids: Sequence[str]) -> tuple[Billed, ...]:
        """Every billing event of these requests."""

    async def billed_between(
        self, endpoint: str, since_ms: int, until_ms: int
    ) -> tuple[Billed, ...]:
        """Every billing event of an endpoint in a time."""


class Keys(Protocol):
    """Keys of apps. Without Redis: `Unavailable`, because nobody can be told from anybody."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """One key's record, the time that it is measured by in seconds, and who there is."""


class Rates(Protocol):
    """Requests by the second. Without Redis: `Unavailable`, and requests are let through."""

    async def take(self, limited: Mapping[str, int]) -> Exceeded | None:
        """Count a request of each account, by its limit a second; or of none where one is full."""


class Budgets(Protocol):
    """Where the money stands. Without Redis: `Unavailable`."""

    async def positions(self, upstream: str, charged: Account) -> list[Position]:
        """An account's, in each window of now."""


class Pools(Protocol):
    """Pools. Without Redis: `Unavailable`; taken for empty, they would be bought again."""

    async def read(self, fingerprint: str) -> Pool:
        """A pool, empty where there is none."""

    async def append(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Add what a job bought; None when the pool is of another generation."""

    async def renew(
        self, fingerprint: str, job_id: str, generation: int, pictures: Sequence[Picture]
    ) -> PoolVersion | None:
        """Put what a job bought in the place of all that was there, if that is as it was read."""

    async def remove(self, fingerprint: str, hashes: Collection[str]) -> int:
        """Take pictures out, which begins the next generation; how many it had of them."""


class Jobs(Protocol):
    """Jobs and their money. Without Redis: `Unavailable`. Nothing is bought without a hold."""

    async def hold(
        self, order: Order, seen: PoolVersion, terms: PurchaseLimits, waiter: Waiter
    ) -> Verdict:
        """Claim a flight, hold its money and stand in line for a turn, or none of it."""

    async def turn(self, job: Job) -> bool:
        """Whether a reserved job has its turn at the upstream; raises `Fenced`."""

    async def mark(self, job: Job) -> Job:
        """Write down that the submit is about to leave; raises `Fenced` or `NotDurable`."""

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        """Bind fal's request id; False when another one is bound."""

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        """Keep a job for another lease; False when it is no longer the caller's."""

    async def doubt(self, job: Job, trouble: Trouble, *, lease_ms: int | None = None) -> None:
        """Say that waiting is of no use now; raises `Fenced`."""

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> Job:
        """Move the money, once; raises `Fenced`."""

    async def finish(
        self, job: Job, pictures: Sequence[Picture], published: PoolVersion | None
    ) -> None:
        """End a paid job and its flight; raises `Fenced`."""

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        """Take over a job whose lease ran out."""

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        """Open jobs whose lease ran out."""

    async def read(self, job_id: str) -> Job | None:
        """A job as it stands."""

    async def unbound(self, upstream: str) -> list[Job]:
        """Jobs that may have been submitted and have no request id, with their inputs."""

    async def owner(self, upstream: str, request_id: str) -> str:
        """The id of the job that a request belongs to, or ""."""

    async def now_ms(self) -> int:
        """The clock that decides about money."""

    def clock_ms(self) -> int:
        """The same, carried on since the last look."""


class Upstream(Protocol):
    """Who sells pictures. Endings are values; nothing is raised but `DownloadFailed`."""

    @property
    def name(self) -> str:
        """Whose books these are: part of every fingerprint, job, budget and ledger."""

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
        """Order; exactly one attempt, or provably none. 0 s: as long as is usual."""

    async def collect(self, spec: ModelSpec, request_id: str, tell: Tell) -> Result:
        """Follow an accepted order to its end, and tell how far it is."""

    async def cancel(self, endpoint: str, request_id: str) -> None:
        """Ask that an accepted order be given up; how it ends is told by `collect`."""

    def may_fetch(self, url: str) -> bool:
        """Whether a URL is of a host that delivers its pictures."""

    async def download(self, url: str) -> bytes:
        """Fetch a delivered picture."""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the flow needs of the world.

    Attributes:
        models: By endpoint.
        keys: See `Keys`, and so on.
        rates: Requests by the second.
        budgets: Where the money stands.
        catalogue: Where pictures are filed.
        uses: Counts what is handed out.
        places: Which pictures requests under way have.
        requests: Those that are kept.
        sellers: Which upstream serves which kind of key.
        derives: Whether pictures are made here of others at all.
        wrong_keys: What each address may still get wrong.
    """

    models: Mapping[str, ModelSpec]
    keys: Keys
    rates: Rates
    budgets: Budgets
    pools: Pools
    catalogue: Filed
    uses: AccessCounter
    places: Places
    jobs: Jobs
    requests: Requests
    pictures: Pictures
    sellers: Mapping[Kind, Upstream]
    facts: Facts
    derives: bool = True
    wrong_keys: WrongKeys = msgspec.field(default_factory=WrongKeys)

    def upstream(self, name: str) -> Upstream:
        """The seller of that name; a job of any other is none of this instance's business."""
        return next(seller for seller in self.sellers.values() if seller.name == name)
