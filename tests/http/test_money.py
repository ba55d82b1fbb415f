"""An app sees its own money with its own key: its budgets, those above, its usage; no sibling's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]
See = Callable[..., Awaitable[httpx.Response]]

PATHS = ("/v1/budgets", "/v1/usage")
PARTS = "key,model,quality,outcome"


@pytest.fixture
async def see(managed: Any) -> Any:
    """Asks for something with a key."""
    async with managed.client() as client:

        async def asked(key: str, path: str, **query: str) -> httpx.Response:
            headers = {"Authorization": f"Key {key}"}
            answer: httpx.Response = await client.get(path, params=query, headers=headers)
            return answer

        yield asked


async def until_counted(see: See, key: str, answers: int, **query: str) -> Any:
    """Usage, once that many answers are counted: they are posted every second or two."""
    async with asyncio.timeout(20):
        while True:
            shown = (await see(key, "/v1/usage", **query)).json()
            if shown["total"]["answers"] >= answers:
                return shown
            await asyncio.sleep(0.05)


async def test_a_key_sees_the_budgets_that_it_is_held_to_and_no_sibling_s(
    hire: Hire, see: See, admin: httpx.AsyncClient, team: str
) -> None:
    hired, other = await hire(), await hire()
    await admin.post(f"/teams/{team}/apps", json={"name": "neighbour"})
    for account in (
        f"team:{team}",
        f"app:{team}:app",
        f"app:{team}:neighbour",
        *(f"key:{each['record']['id']}" for each in (hired, other)),
    ):
        body = {"limit_usd": "25", "shadow": account.startswith("app")}
        (await admin.put(f"/budgets/{account}/day", json=body)).raise_for_status()
    await admin.post(f"/budgets/team:{team}/day/raise", json={"amount_usd": "5"})

    answer = await see(hired["key"], "/v1/budgets")

    assert answer.headers["cache-control"] == "private, no-store"
    mine = [each for each in answer.json()["budgets"] if each["level"] != "organisation"]
    assert [(each["account"], each["limit_usd"], each["enforced"]) for each in mine] == [
        (f"team:{team}", "30.00", True),
        (f"app:{team}/app", "25.00", False),
        (f"key:{hired['record']['id']}", "25.00", True),
    ]
    assert {each["level"] for each in answer.json()["budgets"]} == {
        *("organisation", "team", "app", "key")
    }
    assert all(each["resets_at"] and each["held_usd"] == "0.00" for each in mine)
    assert other["record"]["id"] not in answer.text
    assert "neighbour" not in answer.text


async def test_usage_is_of_the_whole_app_and_of_nothing_else(
    buy: Buy, hire: Hire, see: See, admin: httpx.AsyncClient, team: str
) -> None:
    await admin.post(f"/teams/{team}/apps", json={"name": "app2"})
    first, second = await hire(), await hire()
    sibling = (await admin.post("/keys", json={"team": team, "app": "app2"})).json()["key"]
    for key in (first["key"], second["key"], sibling):
        assert (await buy(key)).status_code == 200

    shown = await until_counted(see, first["key"], 2, by=PARTS)
    theirs = await until_counted(see, sibling, 1)

    total = shown["total"]
    assert (total["answers"], total["misses"], total["hits"]) == (2, 1, 1)
    assert (total["purchases"], total["booked_usd"] != "0.00") == (1, True)
    rows = {(row["key"], row["outcome"], row["quality"]) for row in shown["rows"]}
    assert rows == {
        (first["record"]["id"], "answered", "low"),
        (first["record"]["id"], "paid", "low"),
        (second["record"]["id"], "answered", "low"),
    }
    assert {row["model"] for row in shown["rows"]} == {"fal-ai/gpt-image-1.5"}
    assert shown["currency"] == "USD"
    assert (theirs["total"]["answers"], theirs["total"]["booked_usd"]) == (1, "0.00")


async def test_a_test_key_sees_play_money_alone(
    buy: Buy, hire: Hire, see: See, admin: httpx.AsyncClient, team: str
) -> None:
    live, test = await hire(), await hire(kind="test")
    await admin.put(f"/budgets/team:{team}/day", json={"limit_usd": "7"})
    assert (await buy(live["key"])).status_code == 200

    accounts = [each["account"] for each in (await see(test["key"], PATHS[0])).json()["budgets"]]
    used = (await see(test["key"], PATHS[1])).json()["total"]

    assert accounts == ["organisation:main"]
    assert (used["purchases"], used["booked_usd"]) == (0, "0.00")


@pytest.mark.parametrize("path", PATHS)
async def test_a_key_that_may_not_be_used_sees_nothing(
    path: str, hire: Hire, see: See, admin: httpx.AsyncClient
) -> None:
    disabled, revoked, away = await hire(), await hire(), await hire()
    await admin.patch(f"/keys/{disabled['record']['id']}", json={"disabled": True})
    await admin.post(f"/keys/{revoked['record']['id']}/revoke")
    networks = {"permissions": {"networks": ["192.0.2.0/24"]}}
    await admin.patch(f"/keys/{away['record']['id']}", json=networks)

    refused = [await see(each["key"], path) for each in (disabled, revoked, away)]

    assert [each.status_code for each in refused] == [403, 403, 403]
    assert [each.json().keys() for each in refused] == [{"detail"}] * 3
    assert (await see("nonsense", path)).status_code == 401


@pytest.mark.parametrize("path", PATHS)
async def test_looks_are_paced_like_other_requests(path: str, hire: Hire, see: See) -> None:
    hired = await hire(limits={"requests_per_second": 1})

    answers = [await see(hired["key"], path) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {200, 429}


@pytest.mark.parametrize(
    "query",
    [
        {"by": "team"},
        {"by": "app"},
        {"by": "key,key"},
        {"by": "day," * 50},
        {"from": "yesterday"},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "2026-01-01", "to": "2027-01-02"},
        {"from": "2026-01-01", "to": "2026-02-01", "by": "key"},
        {"from": "1" * 5000},
    ],
)
async def test_what_asks_for_too_much_or_for_nonsense_is_refused(
    query: dict[str, str], hire: Hire, see: See
) -> None:
    answer = await see((await hire())["key"], "/v1/usage", **query)

    assert answer.status_code == 400
    assert answer.json().keys() == {"detail"}


async def test_a_year_is_shown_at_once(hire: Hire, see: See) -> None:
    year = {"from": "2026-01-01", "to": "2026-12-31", "by": "day"}

    assert (await see((await hire())["key"], "/v1/usage", **year)).status_code == 200


async def test_both_are_in_the_api_s_document(see: See, hire: Hire) -> None:
    document = (await see((await hire())["key"], "/docs/openapi.json")).json()

    for path in PATHS:
        operation = document["paths"][path]["get"]
        assert operation["security"] == [{"apiKeyAuth": []}]
        assert {"200", "400", "401", "403", "429", "503"} <= operation["responses"].keys()


async def test_a_parameter_that_makes_no_sense_is_explained_and_not_told_back(client: Any) -> None:
    answer = await client.get("/v1/usage", params={"from": "9" * 5_000})

    assert answer.status_code == 400
    assert "Invalid RFC3339 encoded date" in answer.json()["detail"]
    assert len(answer.text) < 200
