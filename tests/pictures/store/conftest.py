"""Pictures on a disk with their catalogue and pools in a real Redis."""
# ruff: noqa: D102 - said by what they stand for

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.cache.fingerprint import prompt_digest, version
from falgate.cache.pool_info import PoolInfo
from falgate.cache.store.pools import Pools
from falgate.core.events import Anomaly
from falgate.core.picture import Kept, Picture
from falgate.models.endpoints import MODELS
from falgate.pictures.catalogue import NewPicture, Record
from falgate.pictures.convert import Converter
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.eviction import Evictor
from falgate.pictures.gallery import Gallery
from falgate.pictures.garbage import GarbageCollector
from falgate.pictures.intake import PictureIntake
from falgate.pictures.maintenance import PictureMaintenance
from falgate.pictures.storage import PictureStore
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.pictures.store.thumbnails import ThumbnailRegister
from falgate.pictures.thumbnails import Thumbnails
from falgate.redis import picture_keys

MODEL = "fal-ai/gpt-image-1.5"
LATER_S = 10**10
DAY_MS = 86_400_000


class Facts:
    """What an operator was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def anomaly(self, event: Anomaly) -> None:
        self.told.append(event.what)


class World:
    """The pictures of one gateway, put there as purchases put them."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.redis, self.folder = redis, folder
        self.catalogue, self.pools = Catalogue(redis), Pools(redis)
        self.store = PictureStore(folder.as_uri())
        self.bank = PictureIntake(self.store, Converter(95))
        self.deleter = PictureDeleter(self.catalogue, self.pools, self.bank)
        self.index = PoolIndex(redis)
        self.gallery = Gallery(self.catalogue, self.pools, self.index)
        self.converter = Converter(95)
        self.thumbnails = Thumbnails(self.store, ThumbnailRegister(redis), self.converter)
        self.facts = Facts()
        self.free_bytes_left: int | None = None

    async def free_bytes(self) -> int | None:
        return self.free_bytes_left

    def evictor(self, bytes_max: int) -> Evictor:
        facts: Any = self.facts
        return Evictor(self.catalogue, self.deleter, self, facts, bytes_max=bytes_max)

    def collector(self) -> GarbageCollector:
        return GarbageCollector(self.catalogue, self.pools, self.deleter, MODELS)

    def maintenance(self, *, bytes_max: int = 0, min_days: int = 7) -> PictureMaintenance:
        facts: Any = self.facts
        return PictureMaintenance(
            self.catalogue,
            collector=self.collector(),
            deleter=self.deleter,
            evictor=self.evictor(bytes_max),
            files=self.bank,
            thumbnails=self.thumbnails,
            index=self.index,
            facts=facts,
            min_days=min_days,
            results_kept_s=60,
        )

    def kept(self, content: str, size_bytes: int = 0) -> tuple[Kept, bytes]:
        data = content.encode().ljust(size_bytes, b".")
        return Kept(hashlib.sha256(data).hexdigest(), "image/png", len(data), 8, 8), data

    async def file(self, content: str, pool: str = "f", **more: Any) -> Kept:
        """File a picture, without its bytes."""
        kept, _ = self.kept(content, more.pop("size_bytes", 0))
        assert await self.catalogue.register(self.filing(kept, pool, **more))
        return kept

    def filing(self, kept: Kept, pool: str = "f", **more: Any) -> NewPicture:
        prompt = more.pop("prompt", "a cat")
        about = PoolInfo(
            endpoint=MODEL,
            upstream="fal",
            scope="organisation",
            variation="",
            version=more.pop("version", version(MODELS[MODEL])),
            prompt_sha256=prompt_digest(prompt),
            recorded={},
            arguments=more.pop("arguments", None),
        )
        usual: dict[str, Any] = {"value": 9_000, "app": "web/shop"}
        return NewPicture(
            kept=kept,
            prompt_sha256=about.prompt_sha256,
            fingerprint=pool,
            about=about if pool else None,
            **usual | more,
        )

    async def put(self, content: str, pool: str = "f", **more: Any) -> Picture:
        """File a picture, store it and put it into a pool."""
        size_bytes, until_s = more.pop("size_bytes", 0), more.pop("until_s", LATER_S)
        kept, data = self.kept(content, size_bytes)
        await self.file(content, pool, size_bytes=size_bytes, **more)
        await self.bank.keep(data, kept)
        picture = Picture(
            sha256=kept.sha256,
            content_type=kept.content_type,
            size_bytes=kept.size_bytes,
            width=8,
            height=8,
            made_s=7,
            until_s=until_s,
            master=more.get("master", ""),
        )
        if pool:
            generation = (await self.pools.read(pool)).generation
            assert await self.pools.append(pool, f"job-{content}", generation, (picture,))
        return picture

    async def age(self, *pictures: Kept, days: float = 30) -> None:
        """Let so much time pass for some pictures, and for the pools that they were bought for."""
        by_ms = int(days * DAY_MS)
        for picture in pictures:
            key = picture_keys.picture(picture.name)
            for field in ("used_ms", "noted_ms"):
                await self.redis.hincrby(key, field, -by_ms)
            pools: Any = await self.redis.hget(key, "pools")
            for pool in (pools or "").split():
                fields: Any = await self.redis.hkeys(picture_keys.about(pool))
                for field in fields:
                    if field.startswith("app:"):
                        await self.redis.hincrby(picture_keys.about(pool), field, -by_ms)

    async def record(self, picture: Kept) -> Record | None:
        (found,) = await self.catalogue.records((picture.name,))
        return found

    def files(self, folder: str = "pictures") -> set[str]:
        found = self.folder / folder
        return {each.name for each in found.iterdir()} if found.exists() else set()


@pytest.fixture
def world(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("falgate.pictures.deletion.HANDED_S", 0)
    return World(redis, tmp_path)


@pytest.fixture(scope="session")
def names_of() -> Callable[..., set[str]]:
    """The file names of pictures."""
    return lambda *pictures: {picture.name for picture in pictures}
