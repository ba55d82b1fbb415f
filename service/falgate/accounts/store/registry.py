"""Redis storage of the directory and of keys; every change is written with its audit entry."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Alias, App, Directory, Gone, Model, Team
from falgate.accounts.store.operators import Operators
from falgate.core.change import Audited, Change
from falgate.core.errors import Unavailable
from falgate.money.store.ledger import check_own
from falgate.redis import keyspace
from falgate.redis.audited import put
from falgate.redis.clock import Clock

_PAGE = 500
_RECORDS: dict[str, type[msgspec.Struct]] = {
    "team": Team,
    "app": App,
    "model": Model,
    "alias": Alias,
    "gone": Gone,
}
"""By the first word of their field, in the order in which `Directory` has them."""
_REVISION = "revision"
RECORD = "record"
"""The field of a key's hash that has the record."""


class Registry:
    """Teams, apps and keys. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, ledger_id: str = "", clock: Clock | None = None) -> None:
        """Store records in this Redis.

        Args:
            redis: The client.
            ledger_id: If given, every look-up checks that Redis still holds this ledger, and raises
                `Unavailable` otherwise. Gateways give it, so that an emptied Redis does not turn
                every key into an unknown one.
            clock: Set to Redis's time whenever a key is looked up.
        """
        self._redis = redis
        self._ledger_id = ledger_id
        self._clock = clock
        self._directory = Directory(-1, {}, {})
        self._operators = Operators(redis, ledger_id)

    @property
    def operators(self) -> Operators:
        """Return the operators."""
        return self._operators

    @property
    def known(self) -> Directory:
        """Return the directory as it was last read, which may be a while ago."""
        return self._directory

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """Return one key, Redis's time in seconds, and all teams and apps, in one round trip.

        Nothing of it is cached, so it is what every instance sees now.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hget(keyspace.apikey(key_id), RECORD)
            pipeline.hget(keyspace.DIRECTORY, _REVISION)
            pipeline.hget(keyspace.META, "id")
            pipeline.time()
            found, revision, ledger, (seconds, micros) = await pipeline.execute()
        self.check_own(ledger)
        if self._clock:
            self._clock.note(int(seconds) * 1000 + int(micros) // 1000)
        record = msgspec.json.decode(found, type=KeyRecord) if found else None
        if int(revision or 0) != self._directory.revision:
            await self._read()
        return record, int(seconds), self._directory

    async def ids(self) -> frozenset[str]:
        """Return the public ids of all keys, of apps and of operators."""
        places: Any = await self._redis.zrange(keyspace.key_order(""), 0, -1)
        return await self._operators.ids() | {_id(place) for place in places}

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Return keys, oldest first; the cost grows only with the number that is returned.

        Args:
            of: Only those of this "team" or "team/app"; "" for all.
            after: Only those after this `KeyRecord.place`.
            number: At most this many; None for all.
        """
        found: list[Any] = []
        places = await self.places(of, after=after, number=number)
        for begin in range(0, len(places), _PAGE):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for place in places[begin : begin + _PAGE]:
                    pipeline.hget(keyspace.apikey(_id(place)), RECORD)
                found += await pipeline.execute()
        return [msgspec.json.decode(each, type=KeyRecord) for each in found if each]

    async def places(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> Sequence[str]:
        """Return only the keys' places, `KeyRecord.place`; arguments as for `keys`."""
        await self._check()
        start, most = f"({after}" if after else "-", -1 if number is None else number
        found: Any = await self._redis.zrangebylex(keyspace.key_order(of), start, "+", 0, most)
        return list(found)

    async def split_keys(self) -> None:
        """Give each key of an earlier version, which kept all in one hash, a Redis key of its own.

        May be repeated, and run on several instances at once; a key that was changed since stays.
        """
        found: Any = await self._redis.hgetall(keyspace.FORMER_APIKEYS)
        if not found:
            return
        async with self._redis.pipeline(transaction=True) as pipeline:
            for key_id, encoded in found.items():
                record = msgspec.json.decode(encoded, type=KeyRecord)
                pipeline.hsetnx(keyspace.apikey(key_id), RECORD, encoded)
                for name in _lists(record):
                    pipeline.zadd(name, {record.place: 0})
            pipeline.delete(keyspace.FORMER_APIKEYS)
            await pipeline.execute()

    async def directory(self) -> Directory:
        """Return all teams and apps, reading them only if the revision has changed."""
        await self._check()
        revision = await self._redis.hget(keyspace.DIRECTORY, _REVISION)
        if int(revision or 0) != self._directory.revision:
            await self._read()
        return self._directory

    async def _read(self) -> None:
        found: Any = await self._redis.hgetall(keyspace.DIRECTORY)
        records: dict[str, dict[str, Any]] = {kind: {} for kind in _RECORDS}
        for field in sorted(found):
            kind, _, name = field.partition(":")
            if kind in _RECORDS:
                records[kind][name] = msgspec.json.decode(found[field], type=_RECORDS[kind])
        self._directory = Directory(int(found.get(_REVISION, 0)), *records.values())

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Create, change or (with None) remove a team; False if it no longer equals `was`."""
        change = Change(who=who, action="team", subject=name)
        done = await self._put(keyspace.DIRECTORY, f"team:{name}", was, now, change)
        if done and now is None:
            with suppress(Unavailable):  # the team is gone; its log will be, at the latest in days
                await self._drop_log(name)
        return done

    async def _drop_log(self, team: str) -> None:
        """Delete the log of a team's requests, which a new team of its name must not find."""
        of = [(kind, team) for kind in keyspace.LOG_KINDS]
        await self._redis.zrem(keyspace.REQUEST_LOGS, *(f"{kind}:{team}" for kind, _ in of))
        await self._redis.delete(
            *(key(*each) for each in of for key in (keyspace.request_log, keyspace.logged))
        )

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Create, change or (with None) remove an app, named "team/app"; False as for a team."""
        change = Change(who=who, action="app", subject=name)
        return await self._put(keyspace.DIRECTORY, f"app:{name}", was, now, change)

    async def put_model(self, name: str, was: Model | None, now: Model | None, who: str) -> bool:
        """Decide something about a model, or (with None) forget it; False as for a team."""
        change = Change(who=who, action="model", subject=name)
        return await self._put(keyspace.DIRECTORY, f"model:{name}", was, now, change)

    async def put_alias(self, name: str, was: Alias | None, now: Alias | None, who: str) -> bool:
        """Create, change or (with None) remove an alias; False as for a team."""
        change = Change(who=who, action="alias", subject=name)
        return await self._put(keyspace.DIRECTORY, f"alias:{name}", was, now, change)

    async def put_gone(self, name: str, was: Gone | None, now: Gone | None) -> bool:
        """Note that an upstream has a model no more, or (with None) has it; False as for a team.

        Args:
            name: See `gone_name`.
            was: What was noted.
            now: What is to be noted.
        """
        change = Change(who="falgate", action="gone", subject=name)
        return await self._put(keyspace.DIRECTORY, f"gone:{name}", was, now, change)

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Create or change a key; False as for a team. Never removed: the ledger names keys."""
        change = Change(who=who, action="key", subject=now.id)
        return await self._put(
            keyspace.apikey(now.id), RECORD, was, now, change, place=now.place, lists=_lists(now)
        )

    async def _put(
        self,
        records: str,
        field: str,
        was: msgspec.Struct | None,
        now: msgspec.Struct | None,
        change: Change,
        **listed: Any,
    ) -> bool:
        await self._check()
        revision = _REVISION if records == keyspace.DIRECTORY else ""
        done = await put(self._redis, records, field, was, now, change, revision=revision, **listed)
        if revision and not done:
            # A Redis that lost its last writes may count to the same revision with other records.
            self._directory = Directory(-1, {}, {})
        return done

    def check_own(self, found: object) -> None:
        """Check the id of the ledger that Redis holds, if the gateway's is given.

        Raises:
            Unavailable: It is another one, or there is none.
        """
        if self._ledger_id:
            check_own(found, self._ledger_id)

    async def _check(self) -> None:
        if self._ledger_id:
            self.check_own(await self._redis.hget(keyspace.META, "id"))

    async def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """Iterate over the audit log from just before the entry `before`, newest first."""
        while True:
            page: Any
            newest = before if before == "+" else f"({before}"
            page = await self._redis.xrevrange(keyspace.AUDIT, max=newest, count=_PAGE)
            for entry, fields in page:
                yield msgspec.convert({"id": entry, **fields}, Audited)
            if len(page) < _PAGE:
                return
            before = page[-1][0]

    async def now_s(self) -> int:
        """Return Redis's time, in seconds since 1970."""
        seconds, _ = await self._redis.time()
        return int(seconds)


def _id(place: str) -> str:
    """Return the id of a key by its `KeyRecord.place`."""
    return place.partition("-")[2]


def _lists(record: KeyRecord) -> Sequence[str]:
    """Return the sorted lists that contain a key: of all keys, its team's and its app's."""
    of = ("", record.team, f"{record.team}/{record.app}")
    return [keyspace.key_order(each) for each in of]
