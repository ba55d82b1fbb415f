"""The request log of a gateway: what was asked, what came of it, and by which path."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from patience import PATIENCE_S
from serving import MODEL

Hire = Callable[..., Awaitable[Any]]
Buy = Callable[..., Awaitable[httpx.Response]]
ID = "x-fal-request-id"
BOUGHT = ["received", "looked_up", "held", "waited", "submitted", "accepted", "paid", "banked"]


async def logged(admin: httpx.AsyncClient, request_id: str) -> Any:
    """A request's page, once it is in the log."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await admin.get(f"/requests/{request_id}")
            if page.status_code == 200 and page.json()["request"]:
                return page.json()
            await asyncio.sleep(0.05)


def steps(page: Any) -> list[str]:
    return [each["step"] for each in page["path"]]


async def test_a_purchase_is_found_with_every_step_and_what_it_cost(
    admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    made = await hire()
    bought = await buy(made["key"])

    page = await logged(admin, bought.headers[ID])

    one = page["request"]
    assert steps(page) == [*BOUGHT, "answered"]
    times = [each["at"] for each in page["path"] if each["step"] in BOUGHT[2:]]
    assert None not in times
    assert times == sorted(times)
    assert (one["outcome"], one["status"], one["route"]) == ("miss", 200, "run")
    assert (one["team"], one["app"], one["key"]) == (team, "app", made["record"]["id"])
    assert (one["model"], one["pictures"], one["bought"], one["number"]) == (MODEL[1:], 1, 1, 1)
    assert one["took_ms"] >= one["waited_ms"] > 0
    assert (
        page["headers"].items()
        <= {name: bought.headers.get(name) for name in page["headers"]}.items()
    )
    assert page["headers"]["X-Falgate-Cost-Usd"] == one["billed_usd"]
    assert (page["job"]["state"], page["job"]["leads"]) == ("finished", True)
    assert page["job"]["charged_usd"] == one["billed_usd"]
    assert [(each["kind"], each["booked_usd"]) for each in page["ledger"]] == [
        ("close", one["billed_usd"])
    ]
    assert [each["name"] for each in page["pictures"]] == [
        each["file_name"] for each in bought.json()["images"]
    ]
    assert page["queued"] is None


async def test_a_hit_of_the_fast_path_is_found(
    admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    await buy(key)
    hits = [await buy(key) for _ in range(3)]

    pages = [await logged(admin, hit.headers[ID]) for hit in hits]

    for page in pages:
        assert (page["request"]["outcome"], page["request"]["team"]) == ("hit", team)
        assert (page["request"]["bought"], page["request"]["billed_usd"]) == (0, "0.00")
        assert steps(page) == ["received", "looked_up", "answered"]
        assert page["job"] is None
    listed = (await admin.get("/requests", params={"team": team, "outcome": "hit"})).json()
    assert sum(each["number"] for each in listed["items"]) == 3


async def test_who_joins_is_shown_the_job_of_the_other(
    working: Any, admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    answers = await asyncio.gather(buy(key), buy(key))

    pages = [await logged(admin, each.headers[ID]) for each in answers]

    by_outcome = {page["request"]["outcome"]: page for page in pages}
    joined, led = by_outcome["coalesced"], by_outcome["miss"]
    assert working
    assert joined["job"]["id"] == led["job"]["id"]
    assert (joined["job"]["leads"], led["job"]["leads"]) == (False, True)
    assert steps(joined)[:4] == ["received", "looked_up", "joined", "held"]
    assert steps(joined)[-1] == "answered"


async def test_what_a_budget_refused_is_found_with_the_budget(
    admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    await admin.put(f"/budgets/team:{team}/day", json={"limit_usd": "0"})
    refused = await buy(key)

    page = await logged(admin, refused.headers[ID])

    one = page["request"]
    assert refused.status_code == 402
    assert (one["outcome"], one["status"], one["reason"]) == ("refused", 402, "budget")
    assert one["about"] == {"budget": f"team:{team}", "window": "day"}
    assert (one["team"], one["model"]) == (team, MODEL[1:])
    assert steps(page) == ["received", "failed"]
    assert page["headers"]["X-Fal-Error-Type"] == one["error_type"]


async def test_an_unknown_key_is_logged_for_no_team(
    admin: httpx.AsyncClient, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    wrong = key[:-12] + "x" * 12
    refused = await buy(wrong)

    page = await logged(admin, refused.headers[ID])

    assert refused.status_code == 401
    assert (page["request"]["reason"], page["request"]["team"]) == ("key", None)
    assert wrong not in str(page)


async def test_a_queued_request_is_shown_while_it_waits_and_afterwards(
    working: Any, admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    submitted = await buy(key, f"/queue{MODEL}")
    request_id = submitted.json()["request_id"]

    early = (await admin.get(f"/requests/{request_id}")).json()
    page = await logged(admin, request_id)

    assert working
    assert (early["request"], early["queued"]["state"]) == (None, "open")
    assert (page["queued"]["state"], page["queued"]["status"]) == ("done", 200)
    assert (page["request"]["route"], page["request"]["team"]) == ("queue", team)
    assert steps(page) == [*BOUGHT, "answered"]


async def test_a_queued_request_that_fails_is_logged_as_refused(
    admin: httpx.AsyncClient, hire: Hire, buy: Buy
) -> None:
    key = (await hire())["key"]
    submitted = await buy(key, f"/queue{MODEL}", quality="none such")

    page = await logged(admin, submitted.json()["request_id"])

    assert (page["request"]["status"], page["request"]["reason"]) == (422, "input")
    assert (page["queued"]["state"], page["queued"]["status"]) == ("failed", 422)
    assert steps(page)[-1] == "failed"


async def test_no_prompt_is_in_any_log(
    administered: Any, admin: httpx.AsyncClient, hire: Hire, buy: Buy
) -> None:
    planted = "a prompt that nobody may find"
    key = (await hire())["key"]
    for body in ({"prompt": planted}, {"prompt": planted}, {"prompt": planted, "size": planted}):
        answer = await buy(key, **body)
    await buy(key, prompt=planted, quality=planted)
    page = await logged(admin, answer.headers[ID])

    assert planted not in str(page)
    async with administered.redis() as redis:
        keys = [name async for name in redis.scan_iter(match="{fgl}:*")]
        assert len(keys) >= 3
        assert not any([planted.encode() in (await redis.dump(name) or b"") for name in keys])


async def test_the_log_of_a_removed_team_is_gone(
    administered: Any, admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    made = await hire()
    answer = await buy(made["key"])
    await logged(admin, answer.headers[ID])

    await admin.post(f"/keys/{made['record']['id']}/revoke")
    await admin.delete(f"/teams/{team}/apps/app")
    removed = await admin.delete(f"/teams/{team}")

    assert removed.status_code == 204, removed.text
    assert (await admin.get(f"/requests/{answer.headers[ID]}")).status_code == 404
    async with administered.redis() as redis:
        assert [name async for name in redis.scan_iter(match=f"*{{fgl}}*{team}")] == []


async def test_an_unknown_request_is_not_found(admin: httpx.AsyncClient) -> None:
    for unknown in ("none", "00000000-0000-0000-0000-000000000000"):
        assert (await admin.get(f"/requests/{unknown}")).status_code == 404
