"""Recovery: a ledger that may have lost its last second, set right by fal's own books."""

from collections.abc import Collection
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.budget import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.core.job import Job
from falgate.core.money import Micros
from falgate.core.posting import NOBODY, Recovered
from falgate.core.usage import spell
from falgate.store import _keys, _records
from falgate.store._reach import reaching
from falgate.store._script import Script
from falgate.store.corrections import Corrections

_RECOVER = Script("ledger_recover")
_THAW = Script("ledger_thaw")

_BOUNDARIES_MAX = 3


class Recovery:
    """One frozen ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, calendar: Calendar) -> None:
        """Book by `calendar`."""
        self._redis = redis
        self._calendar = calendar
        self._corrections = Corrections(redis, owner="")

    async def frozen(self) -> tuple[int, str]:
        """Since when buying is frozen, milliseconds, 0 while it is not; and on which server."""
        with reaching():
            since_ms, run_id = await self._redis.hmget(_keys.META, ["frozen_ms", "run_id"])
        return int(since_ms or 0), str(run_id or "")

    async def closed_since(self, upstream: str, since_ms: int) -> frozenset[str]:
        """The requests of jobs that were closed since then."""
        found: set[str] = set()
        async for page in self._corrections.closes(upstream, since_ms, await self.now_ms() + 1):
            found |= {posting.request_id for posting in page if posting.request_id}
        return frozenset(found)

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """To which job each request belongs that belongs to one, as long as jobs are kept."""
        return await self._corrections.bound(upstream, request_ids)

    async def unbound(self, upstream: str) -> list[Job]:
        """Jobs that may have been submitted and have no request id, with their inputs."""
        ids: Any
        found: Any
        with reaching():
            ids = await self._redis.zrange(_keys.open_jobs(upstream), 0, -1)
            async with self._redis.pipeline(transaction=False) as pipeline:
                for job_id in ids:
                    pipeline.hgetall(_keys.job(job_id))
                found = await pipeline.execute()
        jobs = [_records.job(fields, None) for fields in found if fields]
        return [job for job in jobs if job.state == "submitting" and not job.request_id]

    async def book(self, upstream: str, found: Recovered, amount: Micros) -> bool:
        """Charge a request that no job knows to the organisation, once; False when it is known."""
        now_ms = await self.now_ms()
        for _ in range(_BOUNDARIES_MAX):
            windows = self._calendar.windows(now_ms)
            day = next(window.id for window in windows if window.kind == "day")
            with reaching():
                reply = await _RECOVER(
                    self._redis,
                    submits=_keys.submits(upstream),
                    ledger=_keys.ledger(upstream),
                    accounts=_keys.accounts(upstream),
                    account=_keys.account(upstream, ORGANISATION),
                    usage=_keys.usage(upstream, day),
                    breakdown=_keys.breakdown(upstream, day),
                    request_id=found.request_id,
                    job_id=f"recovered-{found.request_id}",
                    amount=amount,
                    windows=msgspec.json.encode(windows).decode(),
                    account_name=ORGANISATION.name,
                    subject=spell(NOBODY, NOBODY, NOBODY, found.model, "", "recovered"),
                    more_args=_fields(found),
                )
            if reply[0] != "elsewhen":
                return bool(reply[0] == "booked")
            now_ms = int(reply[1])
        raise Unavailable("The ledger's clock does not agree with the calendar; ask again")

    async def thaw(self, run_id: str) -> bool:
        """Let buying go on; False when the server is not the one that was looked at."""
        with reaching():
            return bool(await _THAW(self._redis, meta=_keys.META, run_id=run_id))

    async def now_ms(self) -> int:
        """Redis's clock, milliseconds since 1970."""
        with reaching():
            seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000


def _fields(found: Recovered) -> list[str]:
    fields = {
        **dict.fromkeys(("team", "app", "key"), NOBODY),
        "model": found.model,
        **dict.fromkeys(("asked", "reused", "bought", "list", "saved"), "0"),
        "why": "recovered",
        "price_version": NOBODY,
    }
    return [part for field in fields.items() for part in field]
