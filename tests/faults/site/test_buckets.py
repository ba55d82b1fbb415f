"""Gateways on a bucket: shared, slow, full in the middle of a purchase, and away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from buckets import BUCKET, Bucket, Front, s3_server
from patience import PATIENCE_S


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """A bucket of a real server."""
    with s3_server() as served:
        yield served


@pytest.fixture
async def front(bucket: Bucket, site: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """What stands before it; the site's gateways keep their pictures behind that."""
    standing = Front(bucket)
    async with standing.serving():
        for name, value in bucket.env(standing.port).items():
            monkeypatch.setenv(name, value)
        site.settings["media_url"] = f"s3://{BUCKET}/{site.data.parent.name}"
        yield standing
        standing.away = True


def names(answer: httpx.Response) -> list[str]:
    return [image["file_name"] for image in answer.json()["images"]]


async def test_a_bucket_is_shared_by_all_gateways(site: Any, front: Front) -> None:
    one, two = await site.start(), await site.start()
    bought = await site.ask(one, num_images=2)
    derived = await site.ask(two, num_images=2, output_format="webp")

    assert (await site.ask(two, num_images=2)).headers["x-falgate-cache"] == "hit"
    assert derived.headers["x-falgate-cache"] == "derived"
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        for name in (*names(bought), *names(derived)):
            whole = await client.get(f"{two.url}/pictures/{name}")
            part = await client.get(f"{one.url}/pictures/{name}", headers={"Range": "bytes=0-9"})
            assert (whole.status_code, part.status_code) == (200, 206)
            assert part.content == whole.content[:10]
    assert len(front.writes) >= 4
    assert (await site.audit()).outcomes == {"paid": 1}


async def test_a_slow_store_slows_nobody_but_who_waits_for_it(site: Any, front: Front) -> None:
    gateway = await site.start()
    bought = await site.ask(gateway)
    front.delay_s = 1.0

    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        slow = asyncio.create_task(client.get(bought.json()["images"][0]["url"]))
        hits = 0
        while not slow.done():
            assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
            hits += 1

    assert slow.result().status_code == 200
    assert hits > 5
    front.delay_s = 0.2
    assert (await site.ask(gateway, "another")).headers["x-falgate-cache"] == "miss"
    assert (await site.audit()).outcomes == {"paid": 2}


async def test_into_a_full_store_nothing_is_bought(site: Any, front: Front) -> None:
    gateway = await site.start()
    await site.ask(gateway)
    front.full = True
    await asyncio.sleep(1.1)  # one look at the store serves a second's callers

    refused = await site.ask(gateway, "another")

    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
    assert (await site.audit()).outcomes == {"paid": 1}
    front.full = False
    async with asyncio.timeout(10):  # the same holds for a look that failed
        while (await site.ask(gateway, "another")).status_code != 200:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.1)


async def test_a_store_that_fills_up_in_a_purchase_keeps_what_is_paid_for_later(
    site: Any, front: Front
) -> None:
    """The caller gets fal's own URLs, the pool gets nothing until the bytes are ours."""
    gateway = await site.start()
    front.full_after = 1  # the look before the purchase still passes

    answer = await site.ask(gateway)

    assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, "miss")
    assert answer.headers["cache-status"] == "falgate; fwd=miss"
    url = answer.json()["images"][0]["url"]
    assert url.startswith(f"{site.sandbox.url}/files/")
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        assert (await client.get(url)).status_code == 200
    assert await site.states() == ["paid"]
    cached = await site.ask(gateway, headers={"Cache-Control": "only-if-cached"})
    assert cached.status_code == 504

    front.full, front.full_after = False, None
    await site.reached("finished")
    hit = await site.ask(gateway)
    assert hit.headers["x-falgate-cache"] == "hit"
    assert hit.json()["images"][0]["url"].startswith(f"{gateway.url}/pictures/")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})


async def test_while_the_store_is_away_what_is_there_is_a_hit_and_nothing_is_bought(
    site: Any, front: Front
) -> None:
    gateway = await site.start()
    await site.ask(gateway)
    front.away = True
    await asyncio.sleep(1.1)  # one look at the store serves a second's callers

    refused = await site.ask(gateway, "another")

    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
    assert (await site.audit()).outcomes == {"paid": 1}
    front.away = False
