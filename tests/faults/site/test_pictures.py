"""Pictures that are lost, or come broken: never a dead link, and never in the pool."""

import asyncio
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

FAULTS = ["truncated", "junk", "error"]


def files(site: Any) -> list[Any]:
    return [path for path in (site.media / "pictures").rglob("*") if path.is_file()]


async def fetch(image: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        return await client.get(image["url"])


async def test_a_picture_that_the_store_has_lost_is_bought_again_once_it_was_asked_for(
    site: Any,
) -> None:
    gateway = await site.start()
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "miss"
    (lost,) = files(site)
    lost.unlink()

    dead = await site.ask(gateway)
    assert (dead.status_code, dead.headers["x-falgate-cache"]) == (200, "hit")
    assert (await fetch(dead.json()["images"][0])).status_code == 404
    again = await site.ask(gateway)

    assert (again.status_code, again.headers["x-falgate-cache"]) == (200, "miss")
    fetched = await fetch(again.json()["images"][0])
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/png")
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
    assert (await site.audit()).outcomes == {"paid": 2}


async def test_of_several_pictures_only_the_lost_one_is_bought_again(site: Any) -> None:
    gateway = await site.start()
    first = (await site.ask(gateway, num_images=3)).json()["images"]
    names = [image["file_name"] for image in first]
    (site.media / "pictures" / names[1]).unlink()
    assert [(await fetch(image)).status_code for image in first] == [200, 404, 200]

    again = await site.ask(gateway, num_images=3)

    assert again.headers["x-falgate-cache"] == "partial"
    there = {path.name for path in files(site)}
    answered = [image["file_name"] for image in again.json()["images"]]
    assert set(answered) <= there
    assert answered[:2] == [names[0], names[2]]
    assert [submit["input"]["num_images"] for submit in site.sandbox.books()["submits"]] == [3, 1]


async def test_pictures_that_cannot_be_fetched_are_answered_by_fals_urls_and_banked_later(
    site: Any,
) -> None:
    gateway = await site.start()
    calls = []
    for number, fault in enumerate(FAULTS, 1):
        # As often as a picture is asked for at first.
        site.sandbox.turn(fault=fault, at="media", faults=3, times=1)
        calls.append(asyncio.create_task(site.ask(gateway, fault)))
        await site.visited("submit", number)

    for answer in await asyncio.gather(*calls):
        assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, "miss")
        assert answer.json()["images"][0]["url"].startswith(f"{site.sandbox.url}/files/")
    await site.reached(*["finished" for _ in FAULTS])

    for fault in FAULTS:
        again = await site.ask(gateway, fault)
        assert again.headers["x-falgate-cache"] == "hit"
        assert again.json()["images"][0]["url"].startswith(f"{gateway.url}/pictures/")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (len(FAULTS), {"paid": len(FAULTS)})


@pytest.mark.parametrize("outcome", ["wrong_size", "wrong_format"])
async def test_a_picture_other_than_asked_is_handed_out_once_and_not_kept_for_others(
    site: Any, outcome: str
) -> None:
    gateway = await site.start()
    site.sandbox.turn(outcome=outcome, times=1)

    answers = [await site.ask(gateway) for _ in range(3)]

    assert [a.headers["x-falgate-cache"] for a in answers] == ["miss", "miss", "hit"]
    sizes = [answer.json()["images"][0]["width"] for answer in answers]
    assert sizes[1:] == [1024, 1024]
    assert (await site.audit()).outcomes == {"paid": 2}
