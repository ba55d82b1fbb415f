"""Equal requests at once, of an app that wants different pictures, on two instances."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from patience import PATIENCE_S

from falgate.redis import keyspace

MODEL = "fal-ai/gpt-image-1.5"
FREE = "0.00"


@pytest.fixture
async def gateways(site: Any) -> list[Any]:
    """Two, of an app whose equal requests are distinct; fal takes a while for each picture."""
    site.apart = False
    started: list[Any] = list(
        await asyncio.gather(*(site.start(distinct_wait_ms=2_000) for _ in range(2)))
    )
    site.sandbox.turn(work_s=1)
    await site.key()
    await site.administration().apps.change(
        "default/default", lambda app: replace(app, cache=replace(app.cache, identical="distinct"))
    )
    return started


async def ask(site: Any, gateways: list[Any], *numbers: int, **more: Any) -> list[httpx.Response]:
    """Answers to so many at once, on each instance in turn; each names how many pictures."""
    answers: list[httpx.Response] = await asyncio.gather(
        *(
            site.ask(gateways[at % len(gateways)], num_images=number, **more)
            for at, number in enumerate(numbers)
        )
    )
    return answers


def names(*answers: httpx.Response) -> list[str]:
    assert {answer.status_code for answer in answers} == {200}
    return [image["file_name"] for answer in answers for image in answer.json()["images"]]


def sources(answers: list[httpx.Response]) -> Counter[str]:
    return Counter(answer.headers["x-falgate-cache"] for answer in answers)


async def places(site: Any) -> dict[str, str]:
    """What is somebody's or was, in any pool."""
    found: dict[str, str] = {}
    async for key in site.redis.scan_iter(keyspace.places("*", "*"), count=1000):
        found |= await site.redis.hgetall(key)
    return found


async def freed(site: Any) -> None:
    """Wait until nobody has any place."""

    async def look() -> bool:
        return all(place.startswith("0:") for place in (await places(site)).values())

    await site.until(look)


async def test_each_gets_its_own_and_the_next_ones_get_the_same_for_nothing(
    site: Any, gateways: list[Any]
) -> None:
    bought = await ask(site, gateways, *[1] * 8)
    assert len(set(names(*bought))) == 8
    assert sources(bought) == {"miss": 8}
    assert FREE not in {answer.headers["x-falgate-cost-usd"] for answer in bought}

    again = await ask(site, gateways, *[1] * 8)
    assert set(names(*again)) == set(names(*bought))
    assert sources(again) == {"hit": 8}
    assert {answer.headers["x-falgate-cost-usd"] for answer in again} == {FREE}

    first = [names(*await ask(site, gateways[:1], 1)) for _ in range(2)]
    assert first[0] == first[1]
    assert (await site.audit()).accepted == 8


async def test_what_is_there_is_shared_out_and_the_rest_is_bought(
    site: Any, gateways: list[Any]
) -> None:
    before = names(*await ask(site, gateways, 3))

    answers = await ask(site, gateways, 2, 2, 1)

    assert len(set(names(*answers))) == 5
    assert set(before) < set(names(*answers))
    assert sum(int(answer.headers["x-fal-billable-units"]) for answer in answers) == 2
    assert (await site.audit()).accepted in {2, 3}


async def test_converted_files_are_shared_out_too(site: Any, gateways: list[Any]) -> None:
    await ask(site, gateways, 3, output_format="png")
    answers = await ask(site, gateways, 1, 1, 1, output_format="webp")
    assert len(set(names(*answers))) == 3
    assert sources(answers) == {"derived": 3}
    assert (await site.audit()).accepted == 1


async def test_who_sends_again_what_was_cut_off_buys_nothing(
    site: Any, gateways: list[Any]
) -> None:
    lost = [asyncio.create_task(site.ask(gateways[at])) for at in range(2)]
    await site.visited("submit", 2)
    for task in lost:
        task.cancel()  # As a client does that gives up: its connection is closed.
    await freed(site)

    answers = await ask(site, gateways[::-1], 1, 1)

    assert len(set(names(*answers))) == 2
    assert sources(answers) == {"coalesced": 2}
    assert (await site.audit()).accepted == 2


async def test_what_a_dead_instance_began_is_joined_when_its_places_are_nobodys(
    site: Any, gateways: list[Any]
) -> None:
    call = asyncio.create_task(site.ask(gateways[0]))
    await site.reached("accepted")  # before that, nobody would know what came of it
    gateways[0].end()
    await site.broken(call)
    # As it is when the lease is over.
    (key,) = [key async for key in site.redis.scan_iter(keyspace.places("*", "*"), count=1000)]
    ((job, place),) = (await site.redis.hgetall(key)).items()
    await site.redis.hset(key, job, f"1:{place.partition(':')[2]}")

    (answer,) = await ask(site, gateways[1:], 1)

    assert sources([answer]) == {"coalesced": 1}
    assert (await site.audit()).accepted == 1


async def test_an_idempotency_key_names_one_request(site: Any, gateways: list[Any]) -> None:
    same = {"headers": {"Idempotency-Key": "mine"}}
    answers = await ask(site, gateways, 1, 1, 1, **same)
    other = await ask(site, gateways, 1, headers={"Idempotency-Key": "other"})
    assert len(set(names(*answers))) == 1
    assert len({answer.headers["x-fal-request-id"] for answer in answers}) == 1
    assert names(*other) == names(*answers[:1])
    assert (await site.audit()).accepted == 1


class Queue:
    """The queue of a site's gateways, for one prompt."""

    def __init__(self, site: Any, key: str) -> None:
        self._site = site
        self._headers = {"Authorization": f"Key {key}"}

    async def submit(self, gateway: Any) -> str:
        """Submit; the request's status URL."""
        body = {"prompt": "canary-wish of the queue", "quality": "low"}
        async with httpx.AsyncClient(headers=self._headers, timeout=60) as client:
            taken = await client.post(f"{gateway.url}/queue/{MODEL}", json=body)
        assert taken.status_code == 200, taken.text
        return f"{gateway.url}/queue/fal-ai/gpt-image-1.5/requests/{taken.json()['request_id']}"

    async def status(self, url: str) -> str:
        """How it stands."""
        async with httpx.AsyncClient(headers=self._headers, timeout=60) as client:
            return str((await client.get(f"{url}/status")).json()["status"])

    async def result(self, url: str) -> httpx.Response:
        """Its pictures, once they are there."""

        async def completed() -> bool:
            return await self.status(url) == "COMPLETED"

        await self._site.until(completed)
        async with httpx.AsyncClient(headers=self._headers, timeout=60) as client:
            return await client.get(url)


async def test_queued_requests_get_each_their_own(site: Any, gateways: list[Any]) -> None:
    queue = Queue(site, await site.key())
    for _ in range(2):
        urls = await asyncio.gather(*(queue.submit(gateways[at % 2]) for at in range(3)))
        answers = await asyncio.gather(*(queue.result(url) for url in urls))
        assert len(set(names(*answers))) == 3
        await freed(site)
    assert (await site.audit()).accepted == 3


async def test_a_queued_request_that_is_followed_keeps_its_picture(
    site: Any, gateways: list[Any]
) -> None:
    queue = Queue(site, await site.key())
    site.sandbox.hold()
    first = await queue.submit(gateways[0])
    await queue.status(first)
    second = await queue.submit(gateways[1])
    site.sandbox.let_go()
    answers = await asyncio.gather(queue.result(first), queue.result(second))
    assert len(set(names(*answers))) == 2
    assert (await site.audit()).accepted == 2


async def test_a_submit_whose_reply_was_lost_is_sent_again_and_bought_once(
    site: Any, gateways: list[Any]
) -> None:
    """Nobody ever asks how the first one stands, because nobody knows its id."""
    queue = Queue(site, await site.key())
    site.sandbox.hold()
    await queue.submit(gateways[0])
    again = await queue.submit(gateways[1])
    site.sandbox.let_go()
    assert len(names(await queue.result(again))) == 1
    assert (await site.audit()).accepted == 1


async def test_a_quote_says_what_it_would_cost_now(site: Any, gateways: list[Any]) -> None:
    headers = {"Authorization": f"Key {await site.key()}"}
    body = {"prompt": "canary-wish a fox", "quality": "low"}
    before = await ask(site, gateways, 1)
    under_way = [asyncio.create_task(site.ask(gateways[at])) for at in range(2)]
    await site.visited("submit", 2)

    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE_S) as client:
        quote = (await client.post(f"{gateways[0].url}/v1/quote/{MODEL}", json=body)).json()

    assert (quote["cache"], quote["cached"]) == ("miss", 0)
    assert len(set(names(*await asyncio.gather(*under_way)) + names(*before))) == 2
    assert (await site.audit()).accepted == 2
