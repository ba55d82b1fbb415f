"""Records that operators make: teams, apps, keys and budgets, each change with its audit entry."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.apikey import KeyRecord
from falgate.core.change import Audited, Change
from falgate.core.directory import App, Directory, Team
from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store._script import Script
from falgate.store.clock import Clock
from falgate.store.ledger import check_own

_PUT = Script("registry_put")

_PAGE = 500
_SECRET = frozenset({"digest", "previous_digest"})
_REVISION = "revision"


class Registry:
    """Every record. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, ledger_id: str = "", clock: Clock | None = None) -> None:
        """Keep them in this Redis.

        Args:
            redis: It.
            ledger_id: Where it is given, what is missing beside another ledger is not missing: then
                nobody knows. A gateway has it, so that an emptied Redis makes no key unknown.
            clock: Set whenever a key is looked up.
        """
        self._redis = redis
        self._ledger_id = ledger_id
        self._clock = clock
        self._directory = Directory(-1, {}, {})

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """One key, Redis's time in seconds, and who there is: in one look, read anew each time.

        So a revocation or a new limit counts at once, on every instance.
        """
        with reaching():
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.hget(_keys.APIKEYS, key_id)
                pipeline.hget(_keys.DIRECTORY, _REVISION)
                pipeline.hget(_keys.META, "id")
                pipeline.time()
                found, revision, ledger, (seconds, micros) = await pipeline.execute()
        if self._ledger_id:
            check_own(ledger, self._ledger_id)
        if self._clock:
            self._clock.note(int(seconds) * 1000 + int(micros) // 1000)
        record = msgspec.json.decode(found, type=KeyRecord) if found else None
        if int(revision or 0) != self._directory.revision:
            await self.directory()
        return record, int(seconds), self._directory

    async def ids(self) -> frozenset[str]:
        """Public ids of all keys."""
        with reaching():
            return frozenset(map(str, await self._redis.hkeys(_keys.APIKEYS)))

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Keys, the oldest first; it costs as many as it gives.

        Args:
            of: Only those of this "team" or "team/app"; "": of all.
            after: Only those behind this `KeyRecord.place`.
            number: So many at most; None: all.
        """
        await self._check()
        start, most = f"({after}" if after else "-", -1 if number is None else number
        places: list[str] = []
        for _ in range(2):
            with reaching():
                async with self._redis.pipeline(transaction=True) as pipeline:
                    pipeline.hlen(_keys.APIKEYS)
                    pipeline.zcard(_keys.key_order(""))
                    pipeline.zrangebylex(_keys.key_order(of), start, "+", 0, most)
                    known, listed, places = await pipeline.execute()
            if listed >= known:
                break
            await self._list_all()
        found: list[Any] = []
        ids = [place.partition("-")[2] for place in places]
        for begin in range(0, len(ids), _PAGE):
            with reaching():
                found += await self._redis.hmget(_keys.APIKEYS, ids[begin : begin + _PAGE])
        return [msgspec.json.decode(each, type=KeyRecord) for each in found if each]

    async def _list_all(self) -> None:
        """List keys that were made by a version that had no such lists."""
        found: Any
        with reaching():
            found = await self._redis.hvals(_keys.APIKEYS)
            async with self._redis.pipeline(transaction=True) as pipeline:
                for each in found:
                    record = msgspec.json.decode(each, type=KeyRecord)
                    for name in _lists(record):
                        pipeline.zadd(name, {record.place: 0})
                await pipeline.execute()

    async def directory(self) -> Directory:
        """Who there is now."""
        await self._check()
        found: Any
        with reaching():
            found = await self._redis.hgetall(_keys.DIRECTORY)
        teams, apps = {}, {}
        for field in sorted(found):
            kind, _, name = field.partition(":")
            if kind == "team":
                teams[name] = msgspec.json.decode(found[field], type=Team)
            elif kind == "app":
                apps[name] = msgspec.json.decode(found[field], type=App)
        self._directory = Directory(int(found.get(_REVISION, 0)), teams, apps)
        return self._directory

    async def latest(self) -> Directory:
        """Who there is now; where that did not change since it was read, in one small look."""
        with reaching():
            revision = await self._redis.hget(_keys.DIRECTORY, _REVISION)
        if int(revision or 0) != self._directory.revision:
            await self.directory()
        return self._directory

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Make, change or (with None) remove a team; False when it is no longer as it `was`."""
        change = Change(who=who, action="team", subject=name)
        return await self.put(_keys.DIRECTORY, f"team:{name}", was, now, change)

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Likewise an app, by "team/app"."""
        change = Change(who=who, action="app", subject=name)
        return await self.put(_keys.DIRECTORY, f"app:{name}", was, now, change)

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Likewise a key. A key is never removed, because the ledger speaks of it."""
        change = Change(who=who, action="key", subject=now.id)
        return await self.put(
            _keys.APIKEYS, now.id, was, now, change, place=now.place, lists=_lists(now)
        )

    async def put(
        self,
        records: str,
        field: str,
        was: msgspec.Struct | int | None,
        now: msgspec.Struct | int | None,
        change: Change,
        *,
        place: str = "",
        lists: Sequence[str] = (),
    ) -> bool:
        """Put one record in the place of what it `was`, with its audit entry, or do nothing.

        Also for records that other files of the store keep in hashes of their own. Its `place` goes
        into these `lists`, which are sorted sets.
        """
        await self._check()
        revision = _REVISION if records == _keys.DIRECTORY else ""
        with reaching():
            done = await _PUT(
                self._redis,
                records=records,
                revision=revision,
                place=place,
                more_keys=lists,
                **changed(field, was, now, change),
            )
        return bool(done)

    async def _check(self) -> None:
        if self._ledger_id:
            with reaching():
                found = await self._redis.hget(_keys.META, "id")
            check_own(found, self._ledger_id)

    async def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """The audit log, the newest first, from just before an entry's id."""
        while True:
            page: Any
            with reaching():
                newest = before if before == "+" else f"({before}"
                page = await self._redis.xrevrange(_keys.AUDIT, max=newest, count=_PAGE)
            for entry, fields in page:
                yield msgspec.convert({"id": entry, **fields}, Audited)
            if len(page) < _PAGE:
                return
            before = page[-1][0]

    async def now_s(self) -> int:
        """Redis's clock, seconds since 1970."""
        with reaching():
            seconds, _ = await self._redis.time()
        return int(seconds)


def changed(
    field: str, was: msgspec.Struct | int | None, now: msgspec.Struct | int | None, change: Change
) -> dict[str, str]:
    """What every script takes that changes a record."""
    return {
        "audit": _keys.AUDIT,
        "field": field,
        "was": _json(was),
        "now": _json(now),
        "who": change.who,
        "action": change.action,
        "subject": change.subject,
        "why": change.why,
        "shown_was": _json(was, shown=True),
        "shown_now": _json(now, shown=True),
    }


def _lists(record: KeyRecord) -> Sequence[str]:
    """The lists that a key is in."""
    of = ("", record.team, f"{record.team}/{record.app}")
    return [_keys.key_order(each) for each in of]


def _json(record: msgspec.Struct | int | None, *, shown: bool = False) -> str:
    """A record as it is stored, or as it may be shown: without what opens a key."""
    if record is None:
        return ""
    if isinstance(record, int):
        return str(record)
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kept = {name: value for name, value in fields.items() if not (shown and name in _SECRET)}
    return msgspec.json.encode(kept).decode()
