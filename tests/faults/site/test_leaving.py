"""Callers that leave, and gateways that are told to: what is paid for is kept."""

import asyncio
import signal
from typing import Any

import pytest
from patience import PATIENCE_S


async def test_what_a_caller_who_left_has_ordered_is_a_hit_for_the_next(site: Any) -> None:
    gateway = await site.start()
    site.sandbox.hold()
    call = asyncio.create_task(site.ask(gateway))
    await site.visited("submit")
    call.cancel()
    await asyncio.wait([call])
    site.sandbox.let_go()

    await site.reached("finished")

    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})


@pytest.mark.parametrize("who", ["restarted", "another"])
async def test_a_stop_tells_waiting_callers_to_ask_again_and_hands_the_job_over(
    site: Any, who: str
) -> None:
    site.sandbox.hold()
    first = await site.start(lease_s=30)
    second = await site.start(lease_s=30) if who == "another" else None
    call = asyncio.create_task(site.ask(first))
    await site.visited("status/stream")

    first.process.send_signal(signal.SIGTERM)
    told = await call

    assert (told.status_code, int(told.headers["retry-after"]) > 0) == (503, True)
    assert told.json()["error_type"] == "internal_error"
    assert await asyncio.to_thread(first.process.wait, PATIENCE_S) == 0
    # Its lease would run for half a minute yet: it was given back.
    survivor = second or await site.start()
    site.sandbox.let_go()
    answer = await site.ask(survivor)
    assert (answer.status_code, answer.headers["x-falgate-cost-usd"]) == (200, "0.00")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})


async def test_a_stop_lets_a_purchase_that_ends_in_time_be_answered(site: Any) -> None:
    gateway = await site.start(drain_s=10)
    site.sandbox.turn(work_s=1)
    call = asyncio.create_task(site.ask(gateway))
    await site.visited("status/stream")

    gateway.process.send_signal(signal.SIGTERM)

    answer = await call
    assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, "miss")
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_idle_gateway_stops_at_once(site: Any, number: int) -> None:
    gateway = await site.start(drain_s=round(5 * PATIENCE_S))
    assert (await site.ask(gateway)).status_code == 200

    assert gateway.end(number) == 0, "and within the patience of whoever ends it"
