"""The ledger: its birth record, and the server that it trusts."""

import uuid
from typing import Any

from redis.asyncio import Redis

from falgate.core.calendar import Calendar
from falgate.core.money import Micros
from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store._script import Script

_TRUST = Script("ledger_trust")

_FORMAT = "2"


class LedgerStrange(Exception):
    """The ledger in Redis is not the one that was expected; the message says what to do."""


class Ledger:
    """The books of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read them in this Redis."""
        self._redis = redis

    async def birth(self, expected: str | None, calendar: Calendar) -> str:
        """The id of the ledger, made on its first start; holds are refused under any other.

        Raises:
            LedgerStrange: Another ledger than `expected`, none where there was one, one of an
                earlier form, or one that counts its days otherwise.
        """
        found: Any
        form: Any
        counted: Any
        with reaching():
            if expected is None:
                born = {"format": _FORMAT, "calendar": calendar.name, "id": uuid.uuid4().hex}
                for field, value in born.items():
                    await self._redis.hsetnx(_keys.META, field, value)
            found, form, counted = await self._redis.hmget(_keys.META, ["id", "format", "calendar"])
        if found is None or (expected is not None and found != expected):
            raise LedgerStrange(
                "Redis no longer holds the ledger that this data directory was used with"
            )
        if form != _FORMAT:
            raise LedgerStrange(
                f"the ledger in Redis has form {form or '1'}, and this falgate writes {_FORMAT}"
            )
        if counted != calendar.name:
            raise LedgerStrange(
                f"the ledger counts its windows by {counted}, and the settings say {calendar.name}"
            )
        return str(found)

    async def calendar(self) -> str | None:
        """The name of the calendar that it counts its windows by; None where it is not born."""
        with reaching():
            found: Any = await self._redis.hget(_keys.META, "calendar")
        return None if found is None else str(found)

    async def restarted(self, run_id: str, was: str, *, weak: bool) -> None:
        """Take note that another server process holds the ledger now.

        Where that may have lost its last second (`weak`: what it acknowledged was not on its disk;
        or a replica was promoted), nothing more is bought until fal's own books were read.
        """
        with reaching():
            replication = await self._redis.info("replication")
            # Since when a replica is a primary; -1 where the server was never another's replica.
            promoted = replication.get("second_repl_offset", -1) >= 0
            freeze = was != "" and (weak or promoted)
            await _TRUST(
                self._redis, meta=_keys.META, run_id=run_id, was=was, freeze=str(int(freeze))
            )

    async def frozen_ms(self) -> int:
        """Since when buying is frozen, Redis's time; 0 while it is not."""
        with reaching():
            return int(await self._redis.hget(_keys.META, "frozen_ms") or 0)

    async def note_live(self, upstream: str) -> None:
        """Remember whom live keys buy from, for commands that are not told."""
        with reaching():
            await self._redis.hset(_keys.META, "live", upstream)

    async def live(self) -> str | None:
        """Whom live keys buy from, as the gateway that started last said."""
        with reaching():
            found = await self._redis.hget(_keys.META, "live")
        return None if found is None else str(found)

    async def applied(self, upstream: str, setting: str) -> Micros | None:
        """What a setting said when it was applied to an upstream's books last."""
        with reaching():
            found = await self._redis.hget(_keys.META, f"applied:{setting}:{upstream}")
        return None if found is None else int(found)

    async def note_applied(self, upstream: str, setting: str, amount: Micros) -> None:
        """Remember that, so that it is not applied again."""
        with reaching():
            await self._redis.hset(_keys.META, f"applied:{setting}:{upstream}", str(amount))

    async def open_jobs(self, upstream: str) -> int:
        """How many jobs are not ended."""
        with reaching():
            return int(await self._redis.zcard(_keys.open_jobs(upstream)))
