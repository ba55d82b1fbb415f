"""The catalogue of pictures and pools in Redis."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.cache.pool_info import PoolInfo
from falgate.pictures.catalogue import NewPicture, Record, StoreSize
from falgate.pictures.words import word_names
from falgate.redis import picture_keys
from falgate.redis.clock import now_ms
from falgate.redis.lock import take
from falgate.redis.script import Script

_REGISTER = Script("catalogue_register")
_USE = Script("catalogue_use")
_MARK = Script("catalogue_mark")
_CONFIRM = Script("catalogue_confirm")
_UNREGISTER = Script("catalogue_unregister")
_PIN = Script("catalogue_pin")
_DROP_POOL = Script("catalogue_drop_pool")

APP, _BY = "app:", "by:"
"""Beginnings of fields: an app's last purchase for a pool, and its uses of a picture."""
APPS_MAX = 20
"""How many apps' uses of one picture are counted apart."""
_CHANGED = -1

TOTAL = ["pictures", "bytes"]
"""The hash fields that count the stored pictures and their bytes."""


class Catalogue:
    """All pictures and pools of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Keep the records in this Redis."""
        self._redis = redis

    async def register(self, filing: NewPicture) -> bool:
        """Register a picture about to be stored; return False while its bytes are being deleted."""
        kept, about = filing.kept, filing.about
        words = word_names((about and about.prompt) or "")
        reply = await _REGISTER(
            self._redis,
            master_picture=picture_keys.picture(filing.master),
            name=kept.name,
            size=kept.size_bytes,
            value=filing.value,
            app=filing.app,
            master=filing.master,
            fingerprint=filing.fingerprint,
            about_json=msgspec.json.encode(about).decode(),
            with_prompt=int(about is not None and about.arguments is not None),
            prompt_sha256=filing.prompt_sha256,
            pools_of_team=picture_keys.pools_of(filing.app.partition("/")[0]),
            endpoint=about.endpoint if about else "",
            words=" ".join(words),
            more_keys=[picture_keys.pools_with(word) for word in words],
        )
        return bool(reply)

    async def use(self, uses: Mapping[tuple[str, str], int]) -> None:
        """Add access counts, by picture name and the app that was served."""
        if not uses:
            return
        await _USE(
            self._redis,
            apps_max=APPS_MAX,
            more_keys=[picture_keys.picture(name) for name, _ in uses],
            more_args=[
                part for (name, app), number in uses.items() for part in (name, number, app)
            ],
        )

    async def mark(
        self, name: str, *, unused_ms: int = 0, noted_ms: int = 0, forced: bool = False
    ) -> bool:
        """Mark a picture for deletion unless it has to stay; return whether it was marked.

        Args:
            name: The picture.
            unused_ms: It stays if it was served after this time.
            noted_ms: It stays if it was registered after this time.
            forced: Mark it in any case, pinned or not.
        """
        return bool(
            await _MARK(
                self._redis,
                picture=picture_keys.picture(name),
                unused_ms=unused_ms,
                noted_ms=noted_ms,
                forced=int(forced),
            )
        )

    async def confirm(self, name: str) -> bool:
        """Return whether a marked picture has not been served since it was marked."""
        return bool(await _CONFIRM(self._redis, picture=picture_keys.picture(name)))

    async def unregister(self, record: Record) -> bool:
        """Delete the record of a picture whose file is gone."""
        return bool(
            await _UNREGISTER(
                self._redis,
                name=record.name,
                more_keys=[picture_keys.pictures_of_prompt(sha256) for sha256 in record.prompts],
            )
        )

    async def pin(self, name: str, *, pinned: bool) -> bool:
        """Pin a picture, or unpin it; return False if it is unknown."""
        (record,) = await self.records((name,))
        done = await _PIN(
            self._redis,
            picture=picture_keys.picture(name),
            pinned=int(pinned),
            more_args=record.pools if record else (),
        )
        return bool(done)

    async def records(self, names: Sequence[str]) -> list[Record | None]:
        """Return the records of pictures; None for an unknown one."""
        found: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hgetall(picture_keys.picture(name))
            found = await pipeline.execute()
        return [_record(name, fields) for name, fields in zip(names, found, strict=True)]

    async def cheapest(self, offset: int, number: int) -> list[str]:
        """Return the names of the pictures least worth keeping, from rank `offset` on."""
        found: Any = await self._redis.zrange(picture_keys.PICTURES, offset, offset + number - 1)
        return list(found)

    async def total(self) -> StoreSize:
        """Return the number and total size of the stored pictures."""
        found: Any = await self._redis.hmget(picture_keys.MEDIA, TOTAL)
        return as_total(found)

    async def pools(
        self, *, app: str = "", before_ms: int | None = None, number: int, after: str = ""
    ) -> list[tuple[str, int]]:
        """Return pool fingerprints and the time of the last purchase, ms, newest first.

        Args:
            app: Only pools that "team/app" bought for.
            before_ms: Only pools whose last purchase was at or before this time.
            number: Maximum number.
            after: The last fingerprint of the previous page. Pools with exactly the time
                `before_ms` are skipped up to this one, because that page has listed them.
        """
        key = picture_keys.pools_of(app) if app else picture_keys.POOLS
        found: list[tuple[str, int]] = []
        offset = 0
        while len(found) < number:
            page: Any = await self._redis.zrevrangebyscore(
                key,
                "+inf" if before_ms is None else before_ms,
                "-inf",
                start=offset,
                num=number,
                withscores=True,
            )
            found += [
                (fingerprint, int(at_ms))
                for fingerprint, at_ms in page
                if not (after and at_ms == before_ms and fingerprint >= after)
            ]
            offset += len(page)
            if len(page) < number:
                break
        return found[:number]

    async def pictures_of_prompt(self, prompt_sha256: str) -> list[str]:
        """Return the names of the stored pictures of a prompt, whether in a pool or not."""
        found: Any = await self._redis.smembers(picture_keys.pictures_of_prompt(prompt_sha256))
        return sorted(found)

    async def pools_for(self, prompt_sha256: str) -> list[str]:
        """Return the fingerprints of a prompt's pools."""
        found: Any = await self._redis.smembers(picture_keys.prompt(prompt_sha256))
        return sorted(found)

    async def pool_infos(
        self, fingerprints: Sequence[str]
    ) -> list[tuple[PoolInfo | None, dict[str, int]]]:
        """Return each pool's metadata and the time of each app's last purchase, ms."""
        found: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for fingerprint in fingerprints:
                pipeline.hgetall(picture_keys.about(fingerprint))
            found = await pipeline.execute()
        return [
            (
                msgspec.json.decode(fields.get("about", "null"), type=PoolInfo | None),
                {
                    field.removeprefix(APP): int(at_ms)
                    for field, at_ms in fields.items()
                    if field.startswith(APP)
                },
            )
            for fields in found
        ]

    async def drop_pool(self, fingerprint: str) -> None:
        """Delete a pool's record, with its prompt if that was kept."""
        dropped = _CHANGED
        while dropped == _CHANGED:
            ((about, apps),) = await self.pool_infos((fingerprint,))
            words: Any = await self._redis.hget(picture_keys.about(fingerprint), "words")
            dropped = await _DROP_POOL(
                self._redis,
                prompt_sha256=about.prompt_sha256 if about else "",
                fingerprint=fingerprint,
                words=words or "",
                more_keys=[
                    *map(picture_keys.pools_of, with_teams(apps)),
                    *map(picture_keys.pools_with, (words or "").split()),
                    picture_keys.pools_for(about.endpoint if about else ""),
                    picture_keys.PINNED_POOLS,
                ],
            )

    async def names(self) -> AsyncIterator[list[str]]:
        """Yield all picture names in pages; one present throughout comes at least once."""
        async for page in self._pages(picture_keys.PICTURES):
            yield page

    async def pool_pages(self) -> AsyncIterator[list[str]]:
        """Yield the fingerprints of all recorded pools in pages, with the same guarantee."""
        async for page in self._pages(picture_keys.POOLS):
            yield page

    async def _pages(self, key: str) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            cursor, page = await self._redis.zscan(key, cursor, count=200)
            yield [str(name) for name, _ in page]
            if not cursor:
                return

    async def sample(self, number: int) -> list[str]:
        """Return the names of up to `number` random pictures."""
        found: Any = await self._redis.zrandmember(picture_keys.PICTURES, number)
        return list(found or ())

    async def take_round(self, lease_ms: int) -> bool:
        """Take the maintenance lock for `lease_ms`; return False while another instance has it."""
        return await take(self._redis, picture_keys.MAINTENANCE, "taken", lease_ms)

    async def now_ms(self) -> int:
        """Return Redis's clock."""
        return await now_ms(self._redis)


def with_teams(apps: Iterable[str]) -> list[str]:
    """Return apps, each "team/app", and the names of their teams."""
    return sorted({*apps, *(app.partition("/")[0] for app in apps)})


def as_total(found: Sequence[str | None]) -> StoreSize:
    """Build the store size from the values of the `TOTAL` fields."""
    pictures, size_bytes = (int(each or 0) for each in found)
    return StoreSize(pictures, size_bytes)


def _record(name: str, fields: dict[str, str]) -> Record | None:
    if not fields:
        return None
    return Record(
        name=name,
        size_bytes=int(fields["size"]),
        value=int(fields["value"]),
        app=fields["app"],
        prompts=tuple(fields["prompts"].split()),
        pools=tuple(fields["pools"].split()),
        derived=tuple(fields["derived"].split()),
        master=fields["master"],
        pinned=fields.get("pinned") == "1",
        noted_ms=int(fields["noted_ms"]),
        used_ms=int(fields["used_ms"]),
        uses=int(fields["uses"]),
        uses_by={
            field.removeprefix(_BY): int(uses)
            for field, uses in fields.items()
            if field.startswith(_BY)
        },
        holds=tuple(fields["holds"].split()) if "holds" in fields else None,
    )
