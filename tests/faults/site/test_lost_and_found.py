"""Submits whose answer was lost, found again: by fal's hook, by its list, or by its billing."""

import asyncio
import json
import os
from typing import Any

import pytest
from forking import run

TAKEN: dict[str, Any] = {"at": "accepted", "fault": "dropped", "times": 1}
NOT_TAKEN: dict[str, Any] = {"at": "submit", "fault": "dropped", "times": 1}


async def command(site: Any, *arguments: str) -> tuple[int, str]:
    """One of falgate's commands on this site: its status, and what it said."""
    own = {f"FALGATE_{name.upper()}": value for name, value in site.settings.items() if value}
    usual = {name: value for name, value in os.environ.items() if not name.startswith("FAL")}
    done = await asyncio.to_thread(run, arguments, usual | own)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def books(site: Any) -> None:
    """Lets the gateways read the books of who plays fal."""
    site.settings |= {
        "fal_admin_key": "id:admin",
        "platform_url": f"{site.sandbox.url}/v1",
    }


async def test_a_hook_brings_the_request_whose_answer_was_lost(site: Any) -> None:
    site.settings |= {
        "upstream_jwks_url": f"{site.sandbox.url}/.well-known/jwks.json",
    }
    told = await site.start(public_url="http://127.0.0.1:9")
    asked = await site.start(public_url=told.url)
    site.sandbox.turn(**TAKEN)

    assert (await site.ask(asked)).status_code == 504

    await site.reached("finished")
    assert (await site.ask(told)).headers["x-falgate-cache"] == "hit"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes, audit.spent) == (1, {"paid": 1}, audit.billed)


async def test_hooks_that_come_twice_and_before_the_answer_change_nothing(site: Any) -> None:
    site.settings |= {"upstream_jwks_url": f"{site.sandbox.url}/.well-known/jwks.json"}
    told = await site.start(public_url="http://127.0.0.1:9")
    asked = await site.start(public_url=told.url)
    site.sandbox.turn(hooks=3, work_s=0, submit_s=0.5)

    answers = await asyncio.gather(*(site.ask(asked, f"wish {n}") for n in range(3)))

    assert {answer.status_code for answer in answers} == {200}
    audit = await site.audit()
    assert (audit.outcomes, audit.spent) == ({"paid": 3}, audit.billed)


@pytest.mark.usefixtures("books")
async def test_fals_list_has_the_request_whose_answer_was_lost(site: Any) -> None:
    gateway = await site.start()
    site.sandbox.turn(**TAKEN)

    assert (await site.ask(gateway)).status_code == 504

    await site.reached("finished")
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes, audit.spent) == (1, {"paid": 1}, audit.billed)


@pytest.mark.usefixtures("books")
async def test_what_fals_list_does_not_have_is_settled_in_full(site: Any) -> None:
    gateway = await site.start(unknown_after_s=3)
    site.sandbox.turn(**NOT_TAKEN)

    assert (await site.ask(gateway)).status_code == 504

    audit = await site.audit()
    assert (audit.submits, audit.accepted, audit.outcomes) == (1, 0, {"unknown": 1})
    assert audit.spent > audit.billed == 0


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("percent", [50, 130])
async def test_the_ledger_follows_fals_billing_once(site: Any, percent: int) -> None:
    gateway = await site.start()
    await site.ask(gateway, "as booked")
    site.sandbox.turn(billed_percent=percent)
    await asyncio.gather(*(site.ask(gateway, f"wish {n}") for n in range(3)))
    await site.reached(*["finished"] * 4)
    compare = ("ledger", "reconcile", "--lag-minutes", "0", "--json")

    first, second = [await command(site, *compare) for _ in range(2)]

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert (json.loads(first[1])["corrected"], json.loads(second[1])["corrected"]) == (3, 0)
    spent, _ = await site.booked()
    billed = site.sandbox.books()["billed_micros"]
    overrun = int(await site.redis.hget("{fg}:overage:" + site.upstream, "overrun") or 0)
    assert spent + overrun == billed
    status, said = await command(site, "ledger", "verify")
    assert status == 0, said


@pytest.mark.usefixtures("books")
async def test_what_a_frozen_ledger_does_not_know_is_booked_before_more_is_bought(
    site: Any,
) -> None:
    gateway = await site.start()
    await site.ask(gateway, "known")
    await site.reached("finished")
    seconds, _ = await site.redis.time()
    await site.redis.hset("{fg}:meta", "frozen_ms", (int(seconds) - 90) * 1000)
    body = {"prompt": "a request that the ledger has lost", "quality": "low"}
    url = f"{site.sandbox.url}/queue/fal-ai/gpt-image-1.5"
    site.sandbox.client.post(url, json=body, headers={"Authorization": "Key id:secret"})
    assert (await site.ask(gateway, "another")).status_code == 503

    shown, done = [
        await command(site, "ledger", "recover", "--json", *more) for more in ((), ("--yes",))
    ]

    assert [json.loads(said)["state"] for _, said in (shown, done)] == ["shown", "thawed"]
    assert len(json.loads(done[1])["found"]) == 1
    assert (await site.ask(gateway, "another")).status_code == 200
    spent, _ = await site.booked()
    assert spent >= site.sandbox.books()["billed_micros"] > 0
    status, said = await command(site, "ledger", "verify")
    assert status == 0, said
