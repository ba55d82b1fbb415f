"""Instances killed at each step of a purchase: one submit, one charge, and the retry is served."""

import asyncio
import os
import signal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from falgate.accounts import limits
from falgate.accounts.limits import PurchaseLimits
from falgate.cache.fingerprint import fingerprint
from falgate.cache.pool import PoolVersion
from falgate.core.calendar import Calendar
from falgate.jobs.job import Order
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.models import price
from falgate.models.endpoints import MODELS
from falgate.money.store.instance import Instance
from falgate.redis.client import Durability

WHO = ["restarted", "another"]
"""Who carries on: the same instance, started again, or one that was there all the time."""


async def killed(site: Any, who: str, state: str, asked: str) -> tuple[Any, Any]:
    """Have an instance killed in the midst of a job; who is left, and its answer to a retry.

    Args:
        site: Where.
        who: Carries on.
        state: In which the job has to be.
        asked: For what fal has to have been asked by then.
    """
    first = await site.start()
    second = await site.start() if who == "another" else None
    call = asyncio.create_task(site.ask(first))
    await site.reached(state)
    await site.visited(asked)
    first.end()
    await site.broken(call)
    survivor = second or await site.start()
    site.sandbox.let_go()
    return survivor, await site.ask(survivor)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    ("state", "asked", "dials"),
    [
        ("accepted", "status", {"queue_s": 3_600}),
        ("accepted", "status/stream", {"work_s": 3_600}),
        ("accepted", "result", {"fault": "hangs", "at": "result", "faults": 1}),
        ("paid", "media", {"fault": "hangs", "at": "media", "faults": 1}),
    ],
    ids=["queued", "in_progress", "result_on_its_way", "picture_on_its_way"],
)
async def test_what_fal_has_accepted_is_carried_on(
    site: Any, who: str, state: str, asked: str, dials: dict[str, Any]
) -> None:
    site.sandbox.turn(**dials)

    survivor, answer = await killed(site, who, state, asked)

    assert (answer.status_code, answer.headers["x-falgate-cost-usd"]) == (200, "0.00")
    again = await site.ask(survivor)
    assert again.headers["x-falgate-cache"] == "hit"
    assert again.json() == answer.json()
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})
    assert audit.spent == audit.billed > 0


@pytest.mark.parametrize(("who", "at"), [("restarted", "submit"), ("another", "accepted")])
async def test_a_submit_that_was_never_answered_is_settled_in_full_and_not_repeated(
    site: Any, who: str, at: str
) -> None:
    site.sandbox.turn(fault="hangs", at=at, times=1)

    survivor, answer = await killed(site, who, "submitting", "submit")

    assert answer.status_code == 504
    assert answer.headers["x-fal-request-timeout-type"] == "user"
    await site.long_ago()
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"unknown": 1})
    assert audit.spent > audit.billed
    assert (await site.ask(survivor)).headers["x-falgate-cache"] == "miss"
    assert (await site.audit()).outcomes == {"unknown": 1, "paid": 1}


async def hold(site: Any, wish: str) -> None:
    """Claim and hold as an instance does that dies right after it."""
    spec = MODELS["fal-ai/gpt-image-1.5"]
    arguments = spec.input(prompt=wish, quality="low")
    dead = Jobs(
        site.redis,
        Instance(
            ledger_id=await site.redis.hget("{fg}:meta", "id"),
            owner="dead",
            calendar=Calendar(ZoneInfo(site.settings["timezone"])),
            lease_ms=1_000,
            durability=Durability(),
        ),
    )
    order = Order(
        id="dead",
        upstream=site.upstream,
        endpoint=spec.endpoint,
        fingerprint=fingerprint(spec, arguments, upstream=site.upstream, scope="organisation"),
        generation=0,
        team="t",
        app="a",
        key="k",
        asked=1,
        reused=0,
        number=1,
        held=price.ceiling(spec, arguments, 1),
        listed=price.listed(spec, arguments, 1),
        price_version=spec.price_version,
        input=spec.purchase(arguments, 1),
        recorded={},
    )
    assert (
        await dead.hold(order, PoolVersion(), PurchaseLimits(limits=(limits.NONE,) * 4)) == Held()
    )


async def test_a_hold_whose_owner_died_is_released_and_who_waits_buys(site: Any) -> None:
    gateway = await site.start()
    await hold(site, "canary-wish a fox")

    answer = await site.ask(gateway)

    assert (answer.status_code, answer.headers["x-falgate-cache"]) == (200, "miss")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"released": 1, "paid": 1})
    assert audit.spent == audit.billed


async def test_a_hold_that_nobody_waits_for_is_released_at_the_next_start(site: Any) -> None:
    (await site.start()).end()
    await hold(site, "canary-wish a fox")

    await site.start()

    audit = await site.audit()
    assert (audit.submits, audit.spent, audit.outcomes) == (0, 0, {"released": 1})


@pytest.mark.parametrize(
    ("asked", "dials"),
    [
        ("status/stream", {"work_s": 3_600}),
        ("media", {"fault": "slow", "at": "media", "faults": 1}),
    ],
    ids=["in_progress", "paid"],
)
async def test_an_instance_that_was_stopped_and_goes_on_changes_nothing_any_more(
    site: Any, asked: str, dials: dict[str, Any]
) -> None:
    sleeper, other = await asyncio.gather(site.start(), site.start())
    site.sandbox.turn(**dials)
    call = asyncio.create_task(site.ask(sleeper))
    await site.visited(asked)

    os.kill(sleeper.process.pid, signal.SIGSTOP)
    site.sandbox.let_go()
    answer = await site.ask(other)
    os.kill(sleeper.process.pid, signal.SIGCONT)

    assert answer.status_code == 200
    woken = await call
    assert woken.status_code == 200
    names = [each.json()["images"][0]["file_name"] for each in (answer, woken)]
    assert names[0] == names[1]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})
