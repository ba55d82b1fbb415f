"""The ledger's identity, its calendar, and the Redis server that it trusts."""

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.core.money import Micros
from falgate.money.frozen import LOST, Frozen
from falgate.money.store.entries import entry_id
from falgate.redis import keyspace
from falgate.redis.script import Script

_TRUST = Script("ledger_trust")

_FORMAT = "2"
_BOOKS = "books:"
_STANDING = ("id", "history", "frozen_ms", "frozen_why")


class LedgerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger and the state of the server that holds it.

    Attributes:
        ledger_id: "" if there is no ledger.
        trusted: The history that was checked last, or "".
        frozen: Why purchases are stopped; None if they are not.
        run_id: Id of the server's process.
        replid: Replication id of the server's data.
        promoted: Whether the server was once a replica, as far as it remembers.
        is_primary: Whether it is a primary now.
        version: Version of the server.
        at_ms: Its clock, in milliseconds since 1970.
    """

    ledger_id: str
    trusted: str
    frozen: Frozen | None
    run_id: str
    replid: str
    promoted: bool
    is_primary: bool
    version: str
    at_ms: int

    @property
    def history(self) -> str:
        """Process and replication id, in the form of `_history.lua`."""
        return f"{self.run_id} {self.replid}"


class LedgerStrange(Exception):
    """The ledger in Redis is not the expected one; the message says what to do."""


class LedgerGone(LedgerStrange):
    """Redis holds a different ledger than expected, or none."""


def check_own(found: object, known: str) -> None:
    """Check that Redis holds the ledger that this instance started with.

    Raises:
        Unavailable: It does not: Redis was emptied or replaced, so nothing can be said about
            records that are missing.
    """
    if found != known:
        what = "holds another ledger than falgate started with" if found else "was emptied"
        raise Unavailable(
            f"Redis {what}: restore its data, or restart falgate if this is intended", 30
        )


class Ledger:
    """The ledgers of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def birth(self, expected: str | None, calendar: Calendar) -> str:
        """Return the ledger's id, created at its first start; holds are refused under any other.

        Raises:
            LedgerGone: Redis holds another ledger than `expected`, or none.
            LedgerStrange: The ledger has another format, or another calendar.
        """
        found: Any
        form: Any
        counted: Any
        if expected is None:
            born = {"format": _FORMAT, "calendar": calendar.name, "id": uuid.uuid4().hex}
            for field, value in born.items():
                await self._redis.hsetnx(keyspace.META, field, value)
        found, form, counted = await self._redis.hmget(keyspace.META, ["id", "format", "calendar"])
        if found is None or (expected is not None and found != expected):
            raise LedgerGone(
                "Redis holds another ledger than the one that was known here"
                if found
                else "Redis no longer holds the ledger that was known here"
            )
        if form != _FORMAT:
            raise LedgerStrange(
                f"the ledger in Redis has format {form or '1'}, but this version of falgate needs "
                f"{_FORMAT}"
            )
        if counted != calendar.name:
            zone, _, first_day = str(counted).rpartition("/")
            raise LedgerStrange(
                f"the ledger counts its windows by {counted}, and the settings say "
                f"{calendar.name}: set FALGATE_TIMEZONE={zone} and FALGATE_WEEK_STARTS={first_day}"
            )
        return str(found)

    async def calendar(self) -> str | None:
        """Return the name of the ledger's calendar; None if there is no ledger yet."""
        found: Any = await self._redis.hget(keyspace.META, "calendar")
        return None if found is None else str(found)

    async def standing(self) -> LedgerStanding:
        """Return the ledger and the state of its server, in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hmget(keyspace.META, _STANDING)
            pipeline.info("server")
            pipeline.info("replication")
            pipeline.time()
            kept, server, replication, (seconds, micros) = await pipeline.execute()
        ledger_id, trusted, frozen_ms, why = kept
        return LedgerStanding(
            ledger_id=ledger_id or "",
            trusted=trusted or "",
            frozen=Frozen(why or LOST, int(frozen_ms)) if frozen_ms else None,
            run_id=server["run_id"],
            replid=replication["master_replid"],
            # The offset at which a replica was promoted; -1 if the server was never a replica.
            promoted=replication.get("second_repl_offset", -1) >= 0,
            is_primary=replication["role"] == "master",
            version=server["redis_version"],
            at_ms=int(seconds) * 1000 + int(micros) // 1000,
        )

    async def trust(self, history: str, was: str, *, why: str = "") -> bool:
        """Record that a history was checked; False if the server is in another history by now.

        Args:
            history: The current history.
            was: The history that was trusted before.
            why: What is wrong, in the form of `Frozen.why`, which stops purchases; "" for nothing.
        """
        return bool(await _TRUST(self._redis, history=history, was=was, why=why))

    async def frozen_ms(self) -> int:
        """Return since when purchases are stopped, Redis's time in milliseconds; 0 if not."""
        return int(await self._redis.hget(keyspace.META, "frozen_ms") or 0)

    async def note_upstreams(self, live: str, others: Collection[str]) -> None:
        """Store the upstream of live keys, for commands without settings, and all upstreams."""
        fields: dict[Any, Any] = {f"{_BOOKS}{name}": "1" for name in (live, *others)}
        await self._redis.hset(keyspace.META, mapping={"live": live, **fields})

    async def upstreams(self) -> list[str]:
        """Return the names of all upstreams that a gateway has ever bought from."""
        fields: Any = await self._redis.hkeys(keyspace.META)
        return sorted(each.removeprefix(_BOOKS) for each in fields if each.startswith(_BOOKS))

    async def written(self) -> dict[str, tuple[int, int]]:
        """Return the last id that was ever given to an entry, for each ledger."""
        names = await self.upstreams()
        found: list[Any]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.xinfo_stream(keyspace.ledger(name))
            found = await pipeline.execute(raise_on_error=False)
        return {
            name: entry_id(stream["last-generated-id"])
            for name, stream in zip(names, found, strict=True)
            # A ledger without entries has no stream, for which Redis returns an error.
            if isinstance(stream, dict)
        }

    async def live(self) -> str | None:
        """Return the upstream of live keys, according to the gateway that started last."""
        found = await self._redis.hget(keyspace.META, "live")
        return None if found is None else str(found)

    async def applied(self, upstream: str, setting: str) -> Micros | None:
        """Return a setting's value when it was last applied to an upstream's budgets.

        A setting is applied once per value. Afterwards operators' changes hold, so that a restart
        does not undo a budget that somebody lowered because of an incident.
        """
        found = await self._redis.hget(keyspace.META, f"applied:{setting}:{upstream}")
        return None if found is None else int(found)

    async def note_applied(self, upstream: str, setting: str, amount: Micros) -> None:
        """Record that a setting's value was applied, so that it is not applied again."""
        await self._redis.hset(keyspace.META, f"applied:{setting}:{upstream}", str(amount))

    async def open_jobs(self, upstream: str) -> int:
        """Return the number of jobs that have not ended."""
        return int(await self._redis.zcard(keyspace.open_jobs(upstream)))
