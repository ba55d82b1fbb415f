"""Usage and the ledger by REST: grouped, filtered, in pages, and each kind of key on its own."""

import csv
from typing import Any

import httpx
import pytest
from adding_up import add_up
from redis import Redis as SyncRedis

from falgate.models.endpoints import MODELS
from falgate.redis import keyspace, usage_keys

DAY = "2026-11-21"
WINDOWS = f"hour:{DAY}T14+0100 day:{DAY} week:2026-11-16 month:2026-11 total:all"
AT_MS = 1_795_267_000_000


@pytest.fixture
def books(client: httpx.Client, redis: "SyncRedis") -> None:
    """Seven closes and a reset, a second apart; and a day's roll-up for each kind of key."""
    assert client.get("/ledger").json() == {
        "items": [],
        "next_cursor": None,
        "looked_to": None,
        "archived_until": None,
    }
    for number in range(7):
        fields: dict[Any, Any] = {
            "kind": "close", "job": f"job-{number}", "outcome": "paid", "windows": WINDOWS,
            "team": "web" if number % 2 else "ads", "app": "shop", "key": "k", "held": "36000",
            "billed": "34000", "overrun": "0",
        }  # fmt: skip
        redis.xadd(keyspace.ledger("sandbox"), fields, id=f"{AT_MS + 1000 * number}-0")
    reset: dict[Any, Any] = {"kind": "reset", "account": "team:web", "windows": f"day:{DAY}",
                             "forgiven": "102000", "who": "admin"}  # fmt: skip
    redis.xadd(keyspace.ledger("sandbox"), reset, id=f"{AT_MS + 60_000}-0")
    rolled: dict[Any, Any] = {
        "web/shop:billed": "102000",
        "web/shop:hits": "4",
        "ads/shop:billed": "136000",
    }
    redis.hset(usage_keys.usage("sandbox", DAY), mapping=rolled)
    redis.hset(usage_keys.usage("test", DAY), mapping={"web/shop:billed": "5"})
    add_up(redis, "sandbox", DAY)


@pytest.mark.usefixtures("books")
def test_usage_is_grouped_as_asked(client: httpx.Client) -> None:
    asked: dict[str, str] = {"from": DAY, "to": DAY, "by": "day,team"}
    report = client.get("/usage", params=asked).json()

    assert (report["from"], report["to"]) == (DAY, DAY)
    assert [(row["day"], row["team"], row["booked_usd"]) for row in report["rows"]] == [
        (DAY, "ads", "0.136"),
        (DAY, "web", "0.102"),
    ]
    assert report["total"]["booked_usd"] == "0.238"
    assert "app" not in report["rows"][0]
    assert "day" not in report["total"]
    play = client.get("/usage", params={**asked, "books": "test"}).json()
    assert play["total"]["booked_usd"] == "0.000005"


def test_models_are_listed_with_their_end_and_the_apps_that_call_them(
    client: httpx.Client, redis: "SyncRedis"
) -> None:
    today = client.get("/usage").json()["to"]
    subject = "web/shop/k|fal-ai/gpt-image-1.5|low|answered"
    redis.hset(usage_keys.usage("sandbox", today), "web/shop:hits", "4")
    redis.hset(usage_keys.breakdown("sandbox", today), f"{subject}:hits", "4")
    add_up(redis, "sandbox", today)

    listed = client.get("/models").json()["items"]

    assert [model["endpoint"] for model in listed] == sorted(MODELS)
    assert listed[0] == {
        "endpoint": "fal-ai/gpt-image-1.5",
        "title": "GPT Image 1.5",
        "price_version": "2026-08",
        "retires": "2026-12-01",
        "days_left": listed[0]["days_left"],
        "gone_at": None,
        "successor": "openai/gpt-image-2",
        "afterwards": "serve-cached",
        "apps": ["web/shop"],
    }
    assert {model["successor"]: model["retires"] for model in listed[1:]} == {
        "openai/gpt-image-2/edit": "2026-12-01",
        None: None,
    }
    assert [model["apps"] for model in listed[1:]] == [[]] * (len(MODELS) - 1)


@pytest.mark.usefixtures("books")
def test_usage_comes_as_csv_too(client: httpx.Client) -> None:
    answer = client.get("/usage.csv", params={"from": DAY, "to": DAY, "by": "team"})

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [(row["team"], row["hits"], row["booked_usd"]) for row in rows] == [
        ("ads", "0", "0.136"),
        ("web", "4", "0.102"),
        ("total", "4", "0.238"),
    ]
    assert {(row["currency"], row["from"], row["to"]) for row in rows} == {("USD", DAY, DAY)}


@pytest.mark.usefixtures("books")
def test_the_ledger_comes_in_pages_the_newest_first(client: httpx.Client) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get("/ledger", params={"limit": 3, "cursor": cursor}).json()
        seen += [item.get("job", item["kind"]) for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == ["reset", *(f"job-{number}" for number in reversed(range(7)))]


@pytest.mark.usefixtures("books")
def test_the_ledger_comes_the_oldest_first_where_that_is_asked_for(client: httpx.Client) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = client.get("/ledger", params={"order": "oldest", "limit": 3, "cursor": cursor})
        found += [each["at"] for each in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if not cursor:
            break

    assert len(found) == 8
    assert found == sorted(found)
    assert client.get("/ledger", params={"order": "any"}).status_code == 400


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"team": "web"}, 4),
        ({"team": "web", "kind": "close"}, 3),
        ({"app": "ads/shop"}, 4),
        ({"job": "job-3"}, 1),
        ({"outcome": "unknown"}, 0),
        ({"from": "2026-11-22"}, 0),
        ({"from": DAY, "to": DAY}, 8),
        ({"books": "test"}, 0),
    ],
)
def test_entries_are_found_by_what_they_are_about(
    asked: dict[str, str], number: int, client: httpx.Client
) -> None:
    items = client.get("/ledger", params=asked).json()["items"]

    assert len(items) == number
    assert all(item["booked_usd"] == "0.034" for item in items if item["kind"] == "close")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/usage", {"by": "prompt"}),
        ("/usage", {"by": "team,team"}),
        ("/usage", {"from": "2026-13-01"}),
        ("/usage", {"from": "0666-10-24"}),
        ("/ledger", {"to": "9999-12-31"}),
        ("/usage.csv", {"from": "2026-02-02", "to": "2026-02-01"}),
        ("/ledger", {"cursor": "yesterday"}),
        ("/ledger", {"limit": "0"}),
        ("/ledger", {"kind": "gift"}),
    ],
)
def test_what_makes_no_sense_is_a_problem(
    path: str, asked: dict[str, str], client: httpx.Client
) -> None:
    answer = client.get(path, params=asked)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_an_entry_that_cannot_be_read_is_a_problem_too(
    client: httpx.Client, redis: "SyncRedis"
) -> None:
    redis.xadd(keyspace.ledger("sandbox"), {"kind": "gift"})

    answer = client.get("/ledger")

    assert answer.status_code == 409
    assert "gift" in answer.json()["detail"]
