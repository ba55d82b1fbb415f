"""Figures by REST: totals of the ledger, its health, and activity."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest
from adding_up import add_up
from redis import Redis as SyncRedis

from falgate.accounts.apikey import KeyRecord
from falgate.redis import keyspace, usage_keys

UPSTREAM = "sandbox"
DAY = "2026-11-03"
PERIOD = {"from": DAY, "to": DAY}
SHOP = {"answers": 10, "hits": 6, "joined": 1, "misses": 2, "partial": 1, "purchases": 3,
        "bought": 4, "list": 400, "billed": 500, "overrun": 20, "reconciled": 260,
        "without_pictures": 30, "saved": 900, "saved_hit": 600, "saved_joined": 100,
        "saved_partial": 50}  # fmt: skip
BLOG = {"answers": 2, "misses": 2, "purchases": 2, "bought": 2, "billed": 1_000}
OPS = {"answers": 1, "fresh": 1, "purchases": 1, "bought": 1, "billed": 7}

PARTS = {
    "web/shop/k1|m/a|low|paid:billed": 400,
    "web/shop/k2|m/a|low|paid:billed": 90,
    "web/shop/k2|m/a|low|paid:overrun": 20,
    "web/shop/other|m/b|low|unknown:billed": 10,
    "web/blog/k3|m/b|low|paid:billed": 1_000,
    "ops/jobs/k4|m/b|low|paid:billed": 7,
}


@pytest.fixture
def counted(redis: SyncRedis, client: httpx.Client) -> httpx.Client:
    """A client of an API whose roll-ups have a day of two teams, with its breakdown and hours."""
    subjects = {"web/shop": SHOP, "web/blog": BLOG, "ops/jobs": OPS}
    for app, measures in subjects.items():
        put(redis, usage_keys.usage(UPSTREAM, DAY), app, measures)
        for hour in ("09", "14"):
            for whose in (f"/{app}", f"/{app.partition('/')[0]}", ""):
                half = {name: number // 2 for name, number in measures.items()}
                for name, number in half.items():
                    redis.hincrby(usage_keys.hits(UPSTREAM, DAY), f"{hour}{whose}:{name}", number)
    for part, number in PARTS.items():
        redis.hset(usage_keys.breakdown(UPSTREAM, DAY), part, number)
    add_up(redis, UPSTREAM, DAY)
    about: dict[str, Any] = {"kind": "live", "digest": "d" * 64, "name": "", "created_s": 1}
    for key in ("k1", "k2"):
        record = KeyRecord(id=key, team="web", app="shop", **about)
        redis.hset(keyspace.apikey(key), "record", msgspec.json.encode(record))
    return client


def put(redis: SyncRedis, key: str, subject: str, measures: Mapping[str, int]) -> None:
    redis.hset(key, mapping={f"{subject}:{name}": each for name, each in measures.items()})


def test_totals_come_from_the_roll_ups_with_what_is_confirmed(counted: httpx.Client) -> None:
    found = counted.get("/ledger/totals", params={**PERIOD, "team": "web"}).json()

    assert found == {
        "from": DAY,
        "to": DAY,
        "purchases": 5,
        "bought": 6,
        "list_usd": "0.0004",
        "booked_usd": "0.0015",
        "overrun_usd": "0.00002",
        "reconciled_usd": "0.00026",
        "reconciled_share": "0.1711",
        "without_pictures_usd": "0.00003",
        "saved_usd": "0.0009",
        "not_applied": [],
        "undivided_days": 0,
        "undivided_usd": "0.00",
    }


@pytest.mark.parametrize(
    ("wanted", "booked", "undivided"),
    [
        ({}, "0.001507", "0.00"),
        ({"app": "shop"}, "0.0005", "0.00"),
        ({"app": "web/blog"}, "0.001", "0.00"),
        ({"app": "ops/shop"}, "0.00", "0.00"),
        ({"team": "we*"}, "0.00", "0.00"),
        ({"team": "web|paid"}, "0.00", "0.00"),
        ({"team": "web|paid", "model": "m/a"}, "0.00", "0.00"),
        ({"key": "k1"}, "0.0004", "0.00001"),
        ({"key": "k*"}, "0.00", "0.00"),
        ({"key": "k1", "team": "ops"}, "0.00", "0.00"),
        ({"model": "m/a"}, "0.00049", "0.00"),
        ({"model": "m/a", "key": "k2", "team": "web"}, "0.00009", "0.00"),
        ({"outcome": "unknown"}, "0.00001", "0.00"),
        ({"model": "m/a", "team": "ops"}, "0.00", "0.00"),
    ],
)
def test_totals_are_those_of_the_filter_and_say_what_was_not_told_apart(
    wanted: dict[str, str], booked: str, undivided: str, counted: httpx.Client
) -> None:
    found = counted.get("/ledger/totals", params={**PERIOD, **wanted}).json()

    assert (found["booked_usd"], found["undivided_usd"]) == (booked, undivided)


def test_nothing_is_read_for_a_key_that_never_was(counted: httpx.Client, commands: Any) -> None:
    query = {"from": "2026-10-01", "to": "2026-11-30"}
    known, none = (commands(counted, "/ledger/totals", key=key, **query) for key in ("k1", "none"))
    assert none < known / 5


def test_what_is_not_told_apart_is_nothing_where_the_parts_are_more_than_the_whole(
    counted: httpx.Client, redis: SyncRedis
) -> None:
    # As after a script of which a server kept half, and which was executed again.
    redis.hincrby(usage_keys.breakdown(UPSTREAM, DAY), "ops/jobs/k4|m/b|low|paid:billed", 7)
    redis.delete(usage_keys.day_sums(UPSTREAM, DAY))
    add_up(redis, UPSTREAM, DAY)

    found = counted.get("/ledger/totals", params={**PERIOD, "model": "m/b"}).json()

    assert (found["undivided_days"], found["undivided_usd"]) == (0, "0.00")


def test_totals_of_days_without_a_breakdown_are_not_guessed(
    counted: httpx.Client, redis: SyncRedis
) -> None:
    redis.delete(usage_keys.breakdown(UPSTREAM, DAY), usage_keys.day_sums(UPSTREAM, DAY))
    add_up(redis, UPSTREAM, DAY)
    query = {**PERIOD, "model": "m/a", "job": "j", "kind": "close", "reconciled": "no"}

    found = counted.get("/ledger/totals", params=query).json()

    assert (found["booked_usd"], found["undivided_days"]) == ("0.00", 1)
    assert found["undivided_usd"] == "0.001527"
    assert found["not_applied"] == ["kind", "job", "reconciled"]


def test_activity_has_every_day_and_tells_why_money_was_saved(counted: httpx.Client) -> None:
    query = {"by": "day", "from": "2026-11-01", "to": "2026-11-04", "team": "web", "app": "shop"}

    found = counted.get("/activity", params=query).json()

    assert [each["start"] for each in found["items"]] == [f"2026-11-0{day}" for day in range(1, 5)]
    empty, day = found["items"][0], found["items"][2]
    assert {name: day[name] for name in ("answers", "hits", "joined", "purchases", "bought")} == {
        name: SHOP[name] for name in ("answers", "hits", "joined", "purchases", "bought")
    }
    assert (day["booked_usd"], day["saved_usd"], day["hit_share"]) == (
        "0.00052", "0.0009", "0.7000"
    )  # fmt: skip
    assert day["saved"] == {
        "hit_usd": "0.0006",
        "derived_usd": "0.00",
        "partial_usd": "0.00005",
        "joined_usd": "0.0001",
        "other_usd": "0.00015",
    }
    assert (empty["answers"], empty["booked_usd"], empty["hit_share"]) == (0, "0.00", None)
    assert {**day, "start": ""} == {**found["total"], "start": ""}
    assert (found["by"], found["timezone"]) == ("day", "Europe/Vienna")


@pytest.mark.parametrize(
    ("of", "answers"),
    [({}, 13), ({"team": "web"}, 12), ({"app": "web/blog"}, 2), ({"team": "none"}, 0)],
)
@pytest.mark.parametrize("by", ["hour", "day", "month"])
def test_activity_is_that_of_all_of_a_team_or_of_an_app(
    by: str, of: dict[str, str], answers: int, counted: httpx.Client
) -> None:
    found = counted.get("/activity", params={**PERIOD, "by": by, **of}).json()

    numbers = {each["start"]: each["answers"] for each in found["items"]}
    if by == "hour":
        assert list(numbers) == [f"{DAY}T{hour:02}" for hour in range(24)]
        assert numbers[f"{DAY}T09"] == numbers[f"{DAY}T14"] > 0 or not answers
        assert sum(numbers.values()) == 2 * numbers[f"{DAY}T09"]
    else:
        assert numbers == {DAY if by == "day" else "2026-11": answers}


def test_no_team_is_called_like_a_part_of_another_ones_sums(counted: httpx.Client) -> None:
    found = counted.get("/activity", params={**PERIOD, "by": "day", "team": "web|paid"}).json()

    assert found["total"]["booked_usd"] == "0.00"


def test_activity_refuses_what_it_cannot_show(counted: httpx.Client) -> None:
    wrong = (
        {"by": "hour", "from": "2026-11-01", "to": "2026-11-15"},
        {"by": "day", "from": "2025-01-01", "to": "2026-11-15"},
        {"app": "shop"},
        {"app": "web/shop", "team": "ops"},
        {"by": "week"},
    )
    refused = [counted.get("/activity", params=each) for each in wrong]

    assert [each.status_code for each in refused] == [400] * len(wrong)
    assert "14 at most" in refused[0].text
    assert "TEAM/APP" in refused[2].text


def test_whole_months_are_read_as_one(
    counted: httpx.Client, redis: SyncRedis, commands: Any
) -> None:
    put(redis, usage_keys.usage(UPSTREAM, "2026-10-05"), "web/shop", {"billed": 3})
    add_up(redis, UPSTREAM, "2026-10-05")
    query = {"by": "month", "from": "2025-12-02", "to": "2026-11-03"}

    found = counted.get("/activity", params=query).json()

    booked = {each["start"]: each["booked_usd"] for each in found["items"]}
    assert (booked["2026-10"], booked["2026-11"]) == ("0.000003", "0.001527")
    # 30 days of the first month, three of the last, and ten months between.
    assert commands(counted, "/activity", **query) < 30 + 3 + 10 + 10


def test_the_health_of_a_ledger_says_what_was_verified_and_compared(
    client: httpx.Client, redis: SyncRedis
) -> None:
    new = client.get("/ledger/health").json()
    assert (new["entries"], new["verified"], new["reconciled"], new["frozen"]) == (
        0, None, None, None
    )  # fmt: skip
    redis.xadd(keyspace.ledger(UPSTREAM), {"kind": "raise"}, id="1763820000123-0")
    redis.hset(keyspace.opening(UPSTREAM), "archived", "1763810000000-5")
    redis.hset(keyspace.META, mapping={"frozen_ms": 1_763_820_000_000, "frozen_why": "counters"})
    redis.hset(keyspace.verified(UPSTREAM), mapping={"at_ms": 1_763_820_000_000, "differences": 2})
    report: dict[Any, Any] = {"at_ms": 5_000, "since_ms": 1_000, "until_ms": 2_000,
              "looked": 9, "corrected": 1,
              "difference": -4, "pending": 3, "drift": 7, "unmatched": 1, "strange": 0,
              "compared_until_ms": 2_000}  # fmt: skip
    redis.hset(keyspace.reconciled(UPSTREAM), mapping=report)

    found = client.get("/ledger/health").json()

    assert (found["entries"], found["first_at"]) == (1, "2025-11-22T14:00:00+00:00")
    assert found["archived_until"] == "2025-11-22T11:13:20+00:00"
    assert found["frozen"] == {"why": "counters", "since": "2025-11-22T14:00:00+00:00"}
    assert found["verified"] == {"at": "2025-11-22T14:00:00+00:00", "differences": 2}
    assert found["reconciled"] == {
        "at": "1970-01-01T00:00:05+00:00",
        "since_at": "1970-01-01T00:00:01+00:00",
        "until_at": "1970-01-01T00:00:02+00:00",
        "compared_until": "1970-01-01T00:00:02+00:00",
        "looked": 9,
        "corrected": 1,
        "difference_usd": "-0.000004",
        "pending": 3,
        "drift_usd": "0.000007",
        "unmatched": 1,
        "strange": False,
    }
    redis.hset(keyspace.verified(UPSTREAM), "differences", -1)
    assert client.get("/ledger/health").json()["verified"]["differences"] is None
