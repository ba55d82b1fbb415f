"""The catalogue of pictures and pools: filed before they are stored, found by what they are for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.cache.pool_info import PoolInfo
from falgate.pictures.catalogue import NewPicture, Record, StoreSize
from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_NOTE = Script("catalogue_note")
_USE = Script("catalogue_use")
_CONDEMN = Script("catalogue_condemn")
_CONFIRM = Script("catalogue_confirm")
_BURY = Script("catalogue_bury")
_PIN = Script("catalogue_pin")
_DROP = Script("catalogue_drop")

_APP = "app:"


TOTAL = ["pictures", "bytes"]
"""The fields that count what is stored."""


class Catalogue:
    """Every picture and pool of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Keep it in this Redis."""
        self._redis = redis

    async def note(self, filing: NewPicture) -> bool:
        """File a picture that is about to be stored; False while its bytes are being removed."""
        kept, about = filing.kept, filing.about
        with translate_errors():
            reply = await _NOTE(
                self._redis,
                picture=keyspace.picture(kept.name),
                pictures=keyspace.PICTURES,
                media=keyspace.MEDIA,
                master_picture=keyspace.picture(filing.master),
                about=keyspace.about(filing.fingerprint),
                pools=keyspace.POOLS,
                pools_of=keyspace.pools_of(filing.app),
                prompt=keyspace.prompt(filing.prompt_sha256),
                pictured=keyspace.pictured(filing.prompt_sha256),
                name=kept.name,
                size=kept.size_bytes,
                value=filing.value,
                app=filing.app,
                master=filing.master,
                fingerprint=filing.fingerprint,
                about_json=msgspec.json.encode(about).decode(),
                with_prompt=int(about is not None and about.arguments is not None),
                prompt_sha256=filing.prompt_sha256,
            )
        return bool(reply)

    async def use(self, uses: Mapping[str, int]) -> None:
        """Count how often pictures were handed out, by name."""
        if not uses:
            return
        with translate_errors():
            await _USE(
                self._redis,
                pictures=keyspace.PICTURES,
                more_keys=[keyspace.picture(name) for name in uses],
                more_args=[part for pair in uses.items() for part in pair],
            )

    async def condemn(
        self, name: str, *, unused_ms: int = 0, noted_ms: int = 0, forced: bool = False
    ) -> bool:
        """Say that a picture's bytes are about to be removed, unless it has to stay.

        Args:
            name: Which.
            unused_ms: It stays if it was handed out since then.
            noted_ms: It stays if its bytes were brought since then.
            forced: It goes in any case, pinned or not.
        """
        with translate_errors():
            return bool(
                await _CONDEMN(
                    self._redis,
                    picture=keyspace.picture(name),
                    unused_ms=unused_ms,
                    noted_ms=noted_ms,
                    forced=int(forced),
                )
            )

    async def confirm(self, name: str) -> bool:
        """Whether nobody has handed a condemned picture out meanwhile."""
        with translate_errors():
            return bool(await _CONFIRM(self._redis, picture=keyspace.picture(name)))

    async def bury(self, record: Record) -> bool:
        """Forget a picture whose bytes are gone."""
        with translate_errors():
            return bool(
                await _BURY(
                    self._redis,
                    picture=keyspace.picture(record.name),
                    pictures=keyspace.PICTURES,
                    media=keyspace.MEDIA,
                    name=record.name,
                    more_keys=[keyspace.pictured(sha256) for sha256 in record.prompts],
                )
            )

    async def pin(self, name: str, *, pinned: bool) -> bool:
        """Keep a picture for ever, or no longer; False where it is not filed."""
        with translate_errors():
            return bool(await _PIN(self._redis, picture=keyspace.picture(name), pinned=int(pinned)))

    async def records(self, names: Sequence[str]) -> list[Record | None]:
        """What is known of these pictures."""
        found: Any
        with translate_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.hgetall(keyspace.picture(name))
                found = await pipeline.execute()
        return [_record(name, fields) for name, fields in zip(names, found, strict=True)]

    async def cheapest(self, offset: int, number: int) -> list[str]:
        """Names of the pictures that are worth keeping least, from the `offset`-th on."""
        found: Any
        with translate_errors():
            found = await self._redis.zrange(keyspace.PICTURES, offset, offset + number - 1)
        return list(found)

    async def total(self) -> StoreSize:
        """All of them."""
        found: Any
        with translate_errors():
            found = await self._redis.hmget(keyspace.MEDIA, TOTAL)
        return as_total(found)

    async def pools(
        self, *, app: str = "", before_ms: int | None = None, number: int, after: str = ""
    ) -> list[tuple[str, int]]:
        """Fingerprints by their last purchase, the newest first, and when that was, ms.

        Args:
            app: Only those that "team/app" bought for.
            before_ms: Only those last bought for then, or before.
            number: How many at most.
            after: The last of the page before, of the same time; those of that time up to it in
                the order of names are left out.
        """
        key = keyspace.pools_of(app) if app else keyspace.POOLS
        found: list[tuple[str, int]] = []
        offset = 0
        while len(found) < number:
            page: Any
            with translate_errors():
                page = await self._redis.zrevrangebyscore(
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

    async def pictured(self, prompt_sha256: str) -> list[str]:
        """Names of the pictures that are stored of a prompt, in whatever pool or in none."""
        found: Any
        with translate_errors():
            found = await self._redis.smembers(keyspace.pictured(prompt_sha256))
        return sorted(found)

    async def pools_for(self, prompt_sha256: str) -> list[str]:
        """Fingerprints of a prompt's pools."""
        found: Any
        with translate_errors():
            found = await self._redis.smembers(keyspace.prompt(prompt_sha256))
        return sorted(found)

    async def abouts(
        self, fingerprints: Sequence[str]
    ) -> list[tuple[PoolInfo | None, dict[str, int]]]:
        """What pools are for, and who bought for them, and when, ms."""
        found: Any
        with translate_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for fingerprint in fingerprints:
                    pipeline.hgetall(keyspace.about(fingerprint))
                found = await pipeline.execute()
        return [
            (
                msgspec.json.decode(fields.get("about", "null"), type=PoolInfo | None),
                {
                    field.removeprefix(_APP): int(at_ms)
                    for field, at_ms in fields.items()
                    if field.startswith(_APP)
                },
            )
            for fields in found
        ]

    async def drop(self, fingerprint: str) -> None:
        """Forget a pool that is gone, with its prompt where that was kept."""
        ((about, apps),) = await self.abouts((fingerprint,))
        with translate_errors():
            await _DROP(
                self._redis,
                about=keyspace.about(fingerprint),
                pools=keyspace.POOLS,
                prompt=keyspace.prompt(about.prompt_sha256 if about else ""),
                fingerprint=fingerprint,
                more_keys=[keyspace.pools_of(app) for app in apps],
            )

    async def names(self) -> AsyncIterator[list[str]]:
        """All pictures, in pages: each that is there all the time comes at least once."""
        async for page in self._pages(keyspace.PICTURES):
            yield page

    async def shelves(self) -> AsyncIterator[list[str]]:
        """Fingerprints of all pools that are filed, likewise."""
        async for page in self._pages(keyspace.POOLS):
            yield page

    async def _pages(self, key: str) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            with translate_errors():
                cursor, page = await self._redis.zscan(key, cursor, count=200)
            yield [str(name) for name, _ in page]
            if not cursor:
                return

    async def sample(self, number: int) -> list[str]:
        """Names of some pictures, by chance."""
        found: Any
        with translate_errors():
            found = await self._redis.zrandmember(keyspace.PICTURES, number)
        return list(found or ())

    async def take_round(self, lease_ms: int) -> bool:
        """Whether it is the caller's turn to look after the pictures; nobody else's for so long."""
        with translate_errors():
            taken = await self._redis.set(keyspace.HOUSEKEEPER, "taken", nx=True, px=lease_ms)
        return bool(taken)

    async def now_ms(self) -> int:
        """Redis's clock."""
        return await now_ms(self._redis)


def as_total(found: Sequence[str | None]) -> StoreSize:
    """How much is stored, by the two fields that count it."""
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
    )
