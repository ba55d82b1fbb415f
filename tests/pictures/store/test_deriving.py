"""Deriving, over a real Redis: once for each master, and again when its time was over first."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from callers import caller_with
from msgspec.structs import replace
from PIL import Image

from falgate.accounts.apikey import KeyRecord
from falgate.cache.decision import Decision, decide
from falgate.cache.lookup import look_up
from falgate.core.picture import Picture
from falgate.jobs import admission
from falgate.jobs.derive import derive
from falgate.models.endpoints import MODELS

MODEL = "fal-ai/gpt-image-1.5"
LATER_S = 10**10


@pytest.fixture
def ports(world: Any) -> Any:
    return SimpleNamespace(
        pools=world.pools,
        pictures=world.bank,
        catalogue=world.catalogue,
        facts=world.facts,
    )


def call(output_format: str, number: int = 1) -> admission.AdmittedRequest:
    key = KeyRecord(id="k", kind="live", digest="", team="web", app="shop", name="", created_s=0)
    body = f'{{"prompt": "a cat", "output_format": "{output_format}", "num_images": {number}}}'
    caller = caller_with(key)
    spec = MODELS[MODEL]
    return admission.admit(
        caller,
        spec,
        admission.read(caller, spec, body.encode(), "application/json"),
        upstream="fal",
        derives=True,
        headers={},
        request_id="r",
    )


async def master(ports: Any, world: Any, colour: str, mode: str = "RGB") -> Picture:
    """A PNG in the pool of PNGs."""
    buffer = io.BytesIO()
    Image.new(mode, (8, 8), colour).save(buffer, "PNG")
    kept = await ports.pictures.examine(buffer.getvalue(), 1 << 20)
    asked = call("png")
    assert await ports.catalogue.register(world.filing(kept, asked.fingerprint))
    await ports.pictures.keep(buffer.getvalue(), kept)
    picture = Picture(
        sha256=kept.sha256,
        content_type=kept.content_type,
        size_bytes=kept.size_bytes,
        width=8,
        height=8,
        opaque=kept.opaque,
        made_s=7,
        until_s=LATER_S,
    )
    generation = (await ports.pools.read(asked.fingerprint)).generation
    assert await ports.pools.append(asked.fingerprint, colour, generation, (picture,))
    return picture


async def there(ports: Any, asked: admission.AdmittedRequest) -> Decision:
    return await look_up(ports.pools, asked)


async def test_it_is_filed_as_old_as_its_master_and_pooled_once(ports: Any, world: Any) -> None:
    red = await master(ports, world, "red")
    asked = call("webp")
    nothing = await there(ports, asked)

    assert await derive(ports, asked, nothing)
    assert await derive(ports, asked, nothing), "as by somebody who looked at the same time"

    (made,) = (await there(ports, asked)).pictures
    assert (made.master, made.made_s, made.until_s) == (red.name, red.made_s, red.until_s)
    record = await world.record(made)
    assert (record.master, record.value, record.pools) == (red.name, 0, (asked.fingerprint,))
    assert (await world.record(red)).derived == (made.name,)
    assert not await derive(ports, asked, await there(ports, asked))


async def test_no_more_is_made_than_is_missing(ports: Any, world: Any) -> None:
    for colour in ("red", "green", "blue"):
        await master(ports, world, colour)
    asked = call("webp", 2)

    assert await derive(ports, asked, await there(ports, asked))

    assert len((await there(ports, asked)).pictures) == 2
    assert not await derive(ports, asked, await there(ports, asked))


async def test_what_is_transparent_is_no_jpeg(ports: Any, world: Any) -> None:
    await master(ports, world, "#ff000000", "RGBA")
    asked = call("jpeg")

    assert not await derive(ports, asked, await there(ports, asked))


async def test_what_was_over_before_its_master_is_made_again(ports: Any, world: Any) -> None:
    red = await master(ports, world, "red")
    asked = call("webp")
    await derive(ports, asked, await there(ports, asked))
    (made,) = (await there(ports, asked)).pictures
    # Its master was used meanwhile, and slides; a pinned one beside it keeps the pool.
    pinned = replace(made, sha256="0" * 64, master="", until_s=0)
    generation = (await ports.pools.read(asked.fingerprint)).generation
    await ports.pools.append(asked.fingerprint, "pinned", generation, (pinned,))
    await ports.pools.keep(asked.fingerprint, {made.sha256}, 1)
    await ports.pools.keep(call("png").fingerprint, {red.sha256}, LATER_S + 5)
    pool = await ports.pools.read(asked.fingerprint)
    assert [picture.fresh(pool.read_s) for picture in pool.pictures] == [False, True]

    two = call("webp", 2)
    assert await derive(ports, two, decide(pool, two.treatment, two.wanted))

    again = (await ports.pools.read(asked.fingerprint)).pictures
    assert [picture.until_s for picture in again] == [0, LATER_S + 5]


async def test_a_master_that_was_lost_makes_nothing(ports: Any, world: Any) -> None:
    red = await master(ports, world, "red")
    (world.folder / "pictures" / red.name).unlink()
    asked = call("webp")

    assert not await derive(ports, asked, await there(ports, asked))
