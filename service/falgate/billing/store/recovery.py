"""Redis side of recovery: corrects counters, and books requests that the ledger has lost."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec
from redis.asyncio import Redis

from falgate.billing.closed_job import NOBODY, Recovered
from falgate.billing.store.corrections import Corrections
from falgate.core.account import account, chain
from falgate.core.calendar import Calendar, month_of
from falgate.core.errors import Unavailable
from falgate.core.money import Micros
from falgate.jobs.job import Job
from falgate.jobs.store import uncertain
from falgate.money.difference import Difference
from falgate.money.frozen import Frozen
from falgate.money.store.ledger import Ledger
from falgate.money.store.torn import Torn, refuse_torn
from falgate.money.store.usage_sums import UsageSums
from falgate.money.store.verify import verify
from falgate.money.sums import MEASURES, OVERAGE
from falgate.money.usage import spell
from falgate.redis import keyspace, usage_keys
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_RECOVER = Script("ledger_recover")
_THAW = Script("ledger_thaw")
_MEND = Script("ledger_mend")

_BOUNDARIES_MAX = 3


class Recovery:
    """Recovery of the ledgers of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, calendar: Calendar, who: str = "") -> None:
        """Book by `calendar`; `who` goes into the audit log."""
        self._redis = redis
        self._who = who
        self._calendar = calendar
        self._corrections = Corrections(redis, owner="")
        self._sums = UsageSums(redis)

    async def frozen(self) -> tuple[Frozen | None, str]:
        """Return why purchases are stopped, if they are, and the server's history."""
        now = await Ledger(self._redis).standing()
        return now.frozen, now.trusted

    async def upstreams(self) -> list[str]:
        """Return the names of all upstreams; each has a ledger of its own."""
        return await Ledger(self._redis).upstreams()

    async def differences(self, upstream: str) -> tuple[Difference, ...]:
        """Return the counters that differ from an upstream's ledger.

        Raises:
            EntryStrange: An entry cannot be read.
        """
        return (await verify(self._redis, upstream)).differences

    async def undo_torn(self, upstream: str) -> None:
        """Undo or complete torn operations, which removes entries or changes counters."""
        await Torn(self._redis, upstream).undo(self._who)

    async def mend(self, upstream: str, found: Sequence[Difference]) -> bool:
        """Correct counters; False if one has changed since, which is then left alone."""
        hashes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for each in found:
            key, field = _place(upstream, each)
            hashes[key, each.account] += [field, str(each.found), str(each.ledger)]
        done = True
        # The overage account has a counter of such a name too, of no day.
        measured = {each.window for each in found if each.counter in MEASURES and each.window}
        for (key, whose), counters in hashes.items():
            done &= bool(
                await _MEND(
                    self._redis,
                    hash=key,
                    who=self._who,
                    subject=whose,
                    upstream=upstream,
                    more_args=counters,
                )
            )
        for window in sorted(measured):
            await self._sums.add_up(upstream, window.removeprefix("day:"), again=True)
        return done

    async def closed_since(self, upstream: str, since_ms: int) -> frozenset[str]:
        """Return the requests of jobs that were closed since then."""
        found: set[str] = set()
        async for page in self._corrections.closes(upstream, since_ms, await self.now_ms() + 1):
            found |= {closed.request_id for closed in page if closed.request_id}
        return frozenset(found)

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """Return the job of each request that belongs to one, as long as jobs are kept."""
        return await self._corrections.bound(upstream, request_ids)

    async def unbound(self, upstream: str) -> list[Job]:
        """Return jobs that may have been submitted and have no request id, with their inputs."""
        return await uncertain.unbound(self._redis, upstream)

    async def book(self, upstream: str, found: Recovered, amount: Micros) -> bool:
        """Charge an unknown request to the organisation and its model, once.

        Returns:
            False if the request is known by now.
        """
        charged = chain(endpoint=found.model)
        now_ms = await self.now_ms()
        for _ in range(_BOUNDARIES_MAX):
            windows = self._calendar.windows(now_ms)
            day = next(window.id for window in windows if window.kind == "day")
            reply = await _RECOVER(
                self._redis,
                upstream=upstream,
                day=day,
                month=month_of(day),
                request_id=found.request_id,
                job_id=f"recovered-{found.request_id}",
                amount=amount,
                windows=msgspec.json.encode(windows).decode(),
                charged=msgspec.json.encode([each.name for each in charged]).decode(),
                more_keys=[keyspace.account(upstream, each) for each in charged],
                subject=spell(NOBODY, NOBODY, NOBODY, found.model, "", "recovered"),
                more_args=_fields(found),
            )
            refuse_torn(reply[0])
            if reply[0] != "elsewhen":
                return bool(reply[0] == "booked")
            now_ms = int(reply[1])
        raise Unavailable("Redis's clock does not agree with the calendar; try again")

    async def thaw(self, history: str) -> bool:
        """Allow purchases again; False if the server's history is not the given one."""
        return bool(await _THAW(self._redis, history=history))

    async def now_ms(self) -> int:
        """Return Redis's time, in milliseconds since 1970."""
        return await now_ms(self._redis)


def _place(upstream: str, found: Difference) -> tuple[str, str]:
    """Return the key and the field of a counter."""
    if found.account == OVERAGE:
        return keyspace.overage(upstream), found.counter
    if found.counter in MEASURES:
        day = found.window.removeprefix("day:")
        return usage_keys.usage(upstream, day), f"{found.account}:{found.counter}"
    name = f"{found.counter}:{found.window}" if found.window else found.counter
    return keyspace.account(upstream, account(found.account)), name


def _fields(found: Recovered) -> list[str]:
    fields = {
        **dict.fromkeys(("team", "app", "key"), NOBODY),
        "model": found.model,
        "charged_model": found.model,
        **dict.fromkeys(("asked", "reused", "bought", "list", "saved"), "0"),
        "why": "recovered",
        "price_version": NOBODY,
    }
    return [part for field in fields.items() for part in field]
