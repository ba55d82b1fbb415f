"""Kept requests over two instances: whoever took one may die, its pictures come all the same."""

import asyncio
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

MODEL = "/queue/fal-ai/gpt-image-1.5"


class Caller:
    """Speaks to any instance as the site's own app."""

    def __init__(self, site: Any) -> None:
        self._site = site

    async def asks(self, gateway: Any, method: str, path: str, **more: Any) -> httpx.Response:
        """One call."""
        headers = {"Authorization": f"Key {await self._site.key()}"}
        async with httpx.AsyncClient(base_url=gateway.url, timeout=PATIENCE_S) as client:
            return await client.request(method, path, headers=headers, **more)

    async def submits(self, gateway: Any, wish: str = "a fox") -> str:
        """The id of a new request."""
        body = {"prompt": f"canary-wish {wish}", "quality": "low"}
        answer = await self.asks(gateway, "POST", MODEL, json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["request_id"])

    async def completed(self, gateway: Any, request_id: str) -> dict[str, Any]:
        """Its last status, once it says so."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                place = f"{MODEL}/requests/{request_id}/status"
                status: dict[str, Any] = (await self.asks(gateway, "GET", place)).json()
                if status["status"] == "COMPLETED":
                    return status

    async def result(self, gateway: Any, request_id: str) -> httpx.Response:
        """What it brought."""
        return await self.asks(gateway, "GET", f"{MODEL}/requests/{request_id}")

    async def cancels(self, gateway: Any, request_id: str) -> httpx.Response:
        """Take it back."""
        return await self.asks(gateway, "PUT", f"{MODEL}/requests/{request_id}/cancel")


@pytest.fixture
def caller(site: Any) -> Caller:
    return Caller(site)


@pytest.mark.parametrize("state", ["reserved", "accepted", "paid"])
async def test_a_request_outlives_the_instance_that_took_it(
    site: Any, caller: Caller, state: str
) -> None:
    first, second = await asyncio.gather(
        site.start(upstream_concurrency=1), site.start(upstream_concurrency=1)
    )
    if state == "reserved":
        site.sandbox.hold()
        ahead = await caller.submits(second, "ahead")
        await site.visited("status")
    elif state == "accepted":
        site.sandbox.hold()
    else:
        site.sandbox.turn(fault="hangs", at="media", faults=1)
    request_id = await caller.submits(first)
    awaited = {"reserved": ["reserved", "accepted"]}.get(state, [state])
    await site.reached(*awaited)
    if state == "paid":
        await site.visited("media")
    first.end()
    if state != "paid":
        site.sandbox.let_go()

    status = await caller.completed(second, request_id)
    result = await caller.result(second, request_id)
    assert "error" not in status
    assert result.headers["x-falgate-cache"] == "miss"
    assert result.json()["images"][0]["url"].startswith(second.url)
    if state == "reserved":
        await caller.completed(second, ahead)
    audit = await site.audit()
    assert audit.submits == audit.outcomes["paid"] == (2 if state == "reserved" else 1)
    assert audit.spent == audit.billed


async def test_whoever_polls_wherever_is_told_the_same(site: Any, caller: Caller) -> None:
    gateways = await asyncio.gather(site.start(), site.start())
    site.sandbox.turn(work_s=0.5)
    request_id = await caller.submits(gateways[0])
    ends = await asyncio.gather(
        *(caller.completed(gateways[turn % 2], request_id) for turn in range(40))
    )
    names = {
        (await caller.result(gateway, request_id)).json()["images"][0]["file_name"]
        for gateway in gateways
    }

    assert {end["status"] for end in ends} == {"COMPLETED"}
    assert len(names) == 1
    assert (await site.audit()).submits == 1


async def test_taken_back_in_the_line_by_another_instance_nothing_is_bought(
    site: Any, caller: Caller
) -> None:
    first, second = await asyncio.gather(
        site.start(upstream_concurrency=1), site.start(upstream_concurrency=1)
    )
    site.sandbox.hold()
    ahead = await caller.submits(first, "ahead")
    await site.visited("status")
    request_id = await caller.submits(first)

    assert (await caller.cancels(second, request_id)).status_code == 202
    assert (await caller.completed(first, request_id))["error_type"] == "client_cancelled"
    site.sandbox.let_go()
    await caller.completed(second, ahead)
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1, "released": 1})


async def test_taken_back_under_way_fal_is_asked_and_its_word_decides_about_the_money(
    site: Any, caller: Caller
) -> None:
    gateway = await site.start()
    site.sandbox.hold(cancels_running=True, units="0")
    request_id = await caller.submits(gateway)
    await site.visited("status")

    assert (await caller.cancels(gateway, request_id)).status_code == 202
    await site.reached("refused")
    audit = await site.audit()
    assert (audit.submits, audit.spent, audit.billed) == (1, 0, 0)


async def test_the_place_in_the_line_is_told_as_it_is(site: Any, caller: Caller) -> None:
    gateway = await site.start(upstream_concurrency=1)
    site.sandbox.hold()
    requests = []
    for wish in ("one", "two", "three"):
        requests.append(await caller.submits(gateway, wish))
        await site.in_line(len(requests))
    places = [
        (await caller.asks(gateway, "GET", f"{MODEL}/requests/{request_id}/status")).json()
        for request_id in requests
    ]

    assert [place.get("queue_position") for place in places][1:] == [0, 1]
    site.sandbox.let_go()
    for request_id in requests:
        await caller.completed(gateway, request_id)
    assert (await site.audit()).outcomes == {"paid": 3}
