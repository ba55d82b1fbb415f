"""Redis killed before, between and within purchases: nothing is bought without it or lost by it."""

import asyncio
import os
import signal
from typing import Any

import pytest


async def test_without_redis_nothing_is_bought_and_afterwards_all_is_as_before(
    frail_site: Any, redis_server: Any
) -> None:
    site = frail_site
    gateway = await site.start()
    bought = await site.ask(gateway)
    submits = len(site.sandbox.books()["submits"])

    redis_server.kill()
    refused = [await site.ask(gateway), await site.ask(gateway, "a hare")]
    for answer in refused:
        assert answer.status_code == 503
        assert answer.json()["error_type"] == "internal_error"
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["x-fal-request-id"]
    assert len(site.sandbox.books()["submits"]) == submits
    redis_server.start()

    again = await site.ask(gateway)
    assert again.headers["x-falgate-cache"] == "hit"
    assert again.json() == bought.json()
    assert (await site.ask(gateway, "a hare")).headers["x-falgate-cache"] == "miss"
    assert (await site.audit()).outcomes == {"paid": 2}


@pytest.mark.parametrize(
    ("dials", "reached"),
    [
        ({"submit_s": 3}, "submitting"),
        ({"work_s": 3_600}, "accepted"),
        ({"fault": "error", "at": "media", "faults": 2}, "paid"),
    ],
    ids=["submit", "work", "picture"],
)
async def test_a_purchase_under_way_is_finished_when_redis_is_back(
    frail_site: Any, redis_server: Any, dials: dict[str, Any], reached: str
) -> None:
    site = frail_site
    gateway = await site.start()
    site.sandbox.turn(**dials)
    call = asyncio.create_task(site.ask(gateway))
    await site.reached(reached)
    await site.visited("submit")  # without Redis's word for its mark, a submit is not sent

    redis_server.kill()
    await asyncio.sleep(1.5)  # longer than the lease, and than what is waited for
    redis_server.start()
    site.sandbox.let_go()

    answer = await call
    assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, "miss")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})
    assert audit.spent == audit.billed


async def test_an_embedded_server_that_is_killed_is_started_again_with_its_data(
    embedded_site: Any,
) -> None:
    site = embedded_site
    gateway = await site.start()
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "miss"
    pid_file = site.data / "redis" / "server.pid"
    killed = int(pid_file.read_text())

    os.kill(killed, signal.SIGKILL)

    async def is_back() -> Any:
        answer = await site.ask(gateway)
        assert answer.status_code in {200, 503}
        return answer.headers.get("x-falgate-cache") == "hit"

    await site.until(is_back)
    assert int(pid_file.read_text()) != killed
    assert (await site.audit()).outcomes == {"paid": 1}


async def test_nothing_is_bought_when_the_ledger_is_another_one(site: Any) -> None:
    gateway = await site.start()
    assert (await site.ask(gateway)).status_code == 200

    meta = await site.redis.hgetall("{fg}:meta")
    await site.redis.delete("{fg}:meta")
    answer = await site.ask(gateway, "a hare")
    await site.redis.hset("{fg}:meta", mapping=meta)

    assert answer.status_code == 503
    assert (await site.audit()).submits == 1
