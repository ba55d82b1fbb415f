"""Thumbnails: made once, seen by nobody else, and gone with their picture whenever that goes."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from falgate.core.errors import StoreUnavailable
from falgate.core.picture import Kept, Picture
from falgate.pictures.catalogue import NewPicture, Record
from falgate.pictures.thumbnails import Thumbnails
from falgate.redis import picture_keys

FOLDER = "thumbnails"
HOUR_MS = 3_600_000


def drawn(width: int = 600, height: int = 300, mode: str = "RGB", form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert(mode).save(out, form)
    return out.getvalue()


@pytest.fixture
async def world(world: Any) -> AsyncIterator[Any]:
    yield world
    await world.converter.close()


async def stored(world: Any, data: bytes, pool: str = "f", **more: Any) -> Picture:
    """A picture in the store and in a pool."""
    kept: Kept = await world.bank.examine(data, 10**7)
    filing: NewPicture = world.filing(kept, pool, **more)
    assert await world.catalogue.register(filing)
    await world.bank.keep(data, kept)
    picture = Picture(
        **{name: getattr(kept, name) for name in Kept.__struct_fields__}, made_s=7, until_s=10**10
    )
    generation = (await world.pools.read(pool)).generation
    assert await world.pools.append(pool, f"job-{kept.sha256}", generation, (picture,))
    return picture


async def record(world: Any, picture: Kept) -> Record:
    found: Record | None = await world.record(picture)
    assert found is not None
    return found


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_a_thumbnail_is_small_and_keeps_the_proportions(world: Any, form: str) -> None:
    picture = await stored(world, drawn(form=form))

    data = await world.thumbnails.get(await record(world, picture), 256)

    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 128))
    larger = await world.thumbnails.get(await record(world, picture), 512)
    with Image.open(io.BytesIO(larger)) as image:
        assert image.size == (512, 256)
    assert (await record(world, picture)).holds == ()


async def test_transparency_stays_and_nothing_is_enlarged(world: Any) -> None:
    picture = await stored(world, drawn(20, 10, "LA"))

    data = await world.thumbnails.get(await record(world, picture), 256)

    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (20, 10)


async def test_it_is_made_once_and_counts_as_no_picture(world: Any) -> None:
    picture = await stored(world, drawn())
    total = await world.catalogue.total()
    asked = await record(world, picture)
    made = await asyncio.gather(*(world.thumbnails.get(asked, 256) for _ in range(5)))
    await world.converter.close()
    stopped: Any = None
    again = Thumbnails(world.store, world.thumbnails._register, stopped)

    assert len(set(made)) == 1
    assert await again.get(await record(world, picture), 256) == made[0]
    assert await world.catalogue.total() == total
    assert world.files(FOLDER) == {f"{picture.name}.256.webp"}
    assert await world.store.read(f"{picture.name}.256.webp") is None


async def test_what_is_no_picture_has_no_thumbnail(world: Any) -> None:
    broken = await world.put("not a picture")
    lost = await stored(world, drawn())
    (world.folder / "pictures" / lost.name).unlink()

    for picture in (broken, lost):
        assert await world.thumbnails.get(await record(world, picture), 256) is None
    assert world.files(FOLDER) == set()
    assert await world.redis.zcard(picture_keys.THUMBNAILS) == 0


async def test_an_evicted_picture_takes_its_thumbnails_along(world: Any) -> None:
    picture = await stored(world, drawn())
    for side_px in (256, 512):
        await world.thumbnails.get(await record(world, picture), side_px)
    await world.age(picture)

    assert await world.evictor(1).make(unused_ms=10**14, noted_ms=10**14) > 0

    assert world.files() | world.files(FOLDER) == set()


async def test_a_picture_that_no_pool_has_takes_its_thumbnails_along(world: Any) -> None:
    picture = await stored(world, drawn())
    await world.thumbnails.get(await record(world, picture), 256)
    await world.pools.empty("f")
    await world.age(picture)

    await world.maintenance().look()

    assert world.files() | world.files(FOLDER) == set()


async def test_a_picture_that_is_damaged_takes_its_thumbnails_along(world: Any) -> None:
    picture = await stored(world, drawn())
    await world.thumbnails.get(await record(world, picture), 256)
    (world.folder / "pictures" / picture.name).write_bytes(b"damaged")

    assert not await world.maintenance().check(picture.name, 10**14)

    assert world.files(FOLDER) == set()


async def test_a_deletion_that_fails_halfway_leaves_no_thumbnail(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await stored(world, drawn())
    await world.thumbnails.get(await record(world, picture), 256)

    async def broken(_: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "delete", broken)
        with pytest.raises(StoreUnavailable):
            await world.deleter.remove_now([await record(world, picture)])
    await world.redis.hdel(picture_keys.picture(picture.name), "marked_ms")
    await world.deleter.remove_now([await record(world, picture)])

    assert world.files() | world.files(FOLDER) == set()


async def test_a_thumbnail_that_is_stored_while_its_picture_goes_goes_too(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await stored(world, drawn())
    asked = await record(world, picture)
    write = world.store.put_file

    async def meanwhile(path: str, data: bytes, content_type: str) -> None:
        await world.deleter.remove_now([asked])
        await write(path, data, content_type)

    monkeypatch.setattr(world.store, "put_file", meanwhile)

    assert await world.thumbnails.get(asked, 256) is None
    assert world.files() | world.files(FOLDER) == set()
    assert await world.redis.zcard(picture_keys.THUMBNAILS) == 0


async def test_what_an_instance_left_that_died_while_storing_is_swept(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    died, alive = await stored(world, drawn()), await stored(world, drawn(300, 300))
    asked = await record(world, died)

    class Killed(BaseException):
        pass

    async def killed(*_: Any) -> bool:
        raise Killed

    register = world.thumbnails._register
    with monkeypatch.context() as patch:
        patch.setattr(register, "end", killed)
        for each in (died, alive):
            with pytest.raises(Killed):
                await world.thumbnails.get(await record(world, each), 256)
    await world.redis.delete(picture_keys.picture(died.name))  # as if deleted before the write
    assert await world.thumbnails.sweep() == 0

    for name in (died.name, alive.name):
        await world.redis.zincrby(picture_keys.THUMBNAILS, -HOUR_MS - 1, name)

    assert await world.thumbnails.sweep() == 1
    assert world.files(FOLDER) == {f"{alive.name}.256.webp"}
    assert await world.redis.zcard(picture_keys.THUMBNAILS) == 0
    assert asked.name == died.name


async def test_a_picture_that_is_being_deleted_gets_no_thumbnail(world: Any) -> None:
    picture = await stored(world, drawn())
    asked = await record(world, picture)
    await world.catalogue.mark(picture.name, forced=True)

    assert await world.thumbnails.get(asked, 256) is None
    assert world.files(FOLDER) == set()


async def test_thumbnails_are_outside_the_folder_that_is_served(world: Any) -> None:
    picture = await stored(world, drawn())
    await world.thumbnails.get(await record(world, picture), 256)

    assert world.files(FOLDER) == {f"{picture.name}.256.webp"}
    for name in (f"{picture.name}.256.webp", f"../{FOLDER}/{picture.name}.256.webp"):
        assert await world.store.size(name) is None
