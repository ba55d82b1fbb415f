"""The ledger: its birth record, and the server that it trusts."""

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
from falgate.redis.unavailable import translate_errors

_TRUST = Script("ledger_trust")

_FORMAT = "2"
_BOOKS = "books:"
_STANDING = ("id", "history", "frozen_ms", "frozen_why")


class LedgerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger and the server that shows it.

    Attributes:
        ledger_id: "" where there is no ledger.
        trusted: The history that was looked at last, or "".
        frozen: Where buying is.
        run_id: Of the server's process.
        replid: Of its writes.
        promoted: Whether it was another's replica before, as far as it remembers.
        is_primary: Whether it is none now.
        version: Of the server.
        at_ms: Its clock.
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
        """As `_history.lua` spells it."""
        return f"{self.run_id} {self.replid}"


class LedgerStrange(Exception):
    """The ledger in Redis is not the one that was expected; the message says what to do."""


class LedgerGone(LedgerStrange):
    """Redis holds another ledger than the one that was known, or none."""


def check_own(found: object, known: str) -> None:
    """Nothing, where the ledger that Redis holds is the one that this instance started with.

    Raises:
        Unavailable: It is not: Redis was emptied or replaced, and what is missing there is unknown.
    """
    if found != known:
        what = "holds another ledger than falgate started with" if found else "was emptied"
        raise Unavailable(
            f"Redis {what}: restore its data, or start falgate anew where that is meant", 30
        )


class Ledger:
    """The books of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read them in this Redis."""
        self._redis = redis

    async def birth(self, expected: str | None, calendar: Calendar) -> str:
        """The id of the ledger, made on its first start; holds are refused under any other.

        Raises:
            LedgerGone: Another ledger than `expected`, or none.
            LedgerStrange: One of an earlier form, or one that counts its days otherwise.
        """
        found: Any
        form: Any
        counted: Any
        with translate_errors():
            if expected is None:
                born = {"format": _FORMAT, "calendar": calendar.name, "id": uuid.uuid4().hex}
                for field, value in born.items():
                    await self._redis.hsetnx(keyspace.META, field, value)
            found, form, counted = await self._redis.hmget(
                keyspace.META, ["id", "format", "calendar"]
            )
        if found is None or (expected is not None and found != expected):
            raise LedgerGone(
                "Redis holds another ledger than the one that was known here"
                if found
                else "Redis no longer holds the ledger that was known here"
            )
        if form != _FORMAT:
            raise LedgerStrange(
                f"the ledger in Redis has form {form or '1'}, and this falgate writes {_FORMAT}"
            )
        if counted != calendar.name:
            zone, _, first_day = str(counted).rpartition("/")
            raise LedgerStrange(
                f"the ledger counts its windows by {counted}, and the settings say "
                f"{calendar.name}: set FALGATE_TIMEZONE={zone} and FALGATE_WEEK_STARTS={first_day}"
            )
        return str(found)

    async def calendar(self) -> str | None:
        """The name of the calendar that it counts its windows by; None where it is not born."""
        with translate_errors():
            found: Any = await self._redis.hget(keyspace.META, "calendar")
        return None if found is None else str(found)

    async def standing(self) -> LedgerStanding:
        """The ledger and its server, in one trip."""
        with translate_errors():
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
            # Since when a replica is a primary; -1 where the server was never another's replica.
            promoted=replication.get("second_repl_offset", -1) >= 0,
            is_primary=replication["role"] == "master",
            version=server["redis_version"],
            at_ms=int(seconds) * 1000 + int(micros) // 1000,
        )

    async def trust(self, history: str, was: str, *, why: str = "") -> bool:
        """Take note that a history was looked at; False when it is not the one of now.

        Args:
            history: As it stands.
            was: The one that was trusted before.
            why: What is wrong with it, as `Frozen` has it, which freezes buying; else "".
        """
        with translate_errors():
            return bool(
                await _TRUST(self._redis, meta=keyspace.META, history=history, was=was, why=why)
            )

    async def frozen_ms(self) -> int:
        """Since when buying is frozen, Redis's time; 0 while it is not."""
        with translate_errors():
            return int(await self._redis.hget(keyspace.META, "frozen_ms") or 0)

    async def note_books(self, live: str, others: Collection[str]) -> None:
        """Remember whom live keys buy from, for commands that are not told, and all books."""
        books: dict[Any, Any] = {f"{_BOOKS}{name}": "1" for name in (live, *others)}
        with translate_errors():
            await self._redis.hset(keyspace.META, mapping={"live": live, **books})

    async def books(self) -> list[str]:
        """The names of all upstreams that a gateway has ever bought from."""
        fields: Any
        with translate_errors():
            fields = await self._redis.hkeys(keyspace.META)
        return sorted(each.removeprefix(_BOOKS) for each in fields if each.startswith(_BOOKS))

    async def written(self) -> dict[str, tuple[int, int]]:
        """How far each of the books was ever written: the last id that an entry was given."""
        names = await self.books()
        found: list[Any]
        with translate_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.xinfo_stream(keyspace.ledger(name))
                found = await pipeline.execute(raise_on_error=False)
        return {
            name: entry_id(stream["last-generated-id"])
            for name, stream in zip(names, found, strict=True)
            # Without an entry there is no stream, and that is an error to Redis.
            if isinstance(stream, dict)
        }

    async def live(self) -> str | None:
        """Whom live keys buy from, as the gateway that started last said."""
        with translate_errors():
            found = await self._redis.hget(keyspace.META, "live")
        return None if found is None else str(found)

    async def applied(self, upstream: str, setting: str) -> Micros | None:
        """What a setting said when it was applied to an upstream's books last."""
        with translate_errors():
            found = await self._redis.hget(keyspace.META, f"applied:{setting}:{upstream}")
        return None if found is None else int(found)

    async def note_applied(self, upstream: str, setting: str, amount: Micros) -> None:
        """Remember that, so that it is not applied again."""
        with translate_errors():
            await self._redis.hset(keyspace.META, f"applied:{setting}:{upstream}", str(amount))

    async def open_jobs(self, upstream: str) -> int:
        """How many jobs are not ended."""
        with translate_errors():
            return int(await self._redis.zcard(keyspace.open_jobs(upstream)))
