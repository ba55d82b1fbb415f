"""`falgate ledger` and `falgate usage`, over books that a gateway left."""

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result
from patience import TRIP_S
from redis.asyncio import Redis
from two_servers import embedded

from falgate.cli.main import main
from falgate.core.account import account
from falgate.core.calendar import Calendar
from falgate.money.entry import read
from falgate.money.store.ledger import Ledger
from falgate.money.store.usage_sums import UsageSums
from falgate.money.sums import Sums
from falgate.redis import keyspace, usage_keys
from falgate.redis.client import connect

DAY_MS = 86_400_000
CALENDAR = Calendar(UTC)
SALES = (("web", "shop", 34_000), ("web", "blog", 6_000), ("ads", "bot", 11_000))

Falgate = Callable[..., Result]


class Site(NamedTuple):
    """Where the books are."""

    url: str
    media: Path


async def _fill(url: str) -> None:
    """Three closes a day, for 100 days until now, and a reset in the end."""
    redis: Redis = connect(url, timeout_s=TRIP_S)
    ledger = Ledger(redis)
    await ledger.birth(None, CALENDAR)
    await ledger.note_upstreams("fal", [])
    seconds, _ = await redis.time()
    now_ms = int(seconds) * 1000
    sums = Sums({})
    pipeline: Any = redis.pipeline(transaction=False)
    for number in range(303):
        at_ms = now_ms - (100 - number // 3) * DAY_MS
        team, app, billed = SALES[number % 3]
        windows = " ".join(window.name for window in CALENDAR.windows(at_ms))
        fields: dict[Any, Any] = {
            "kind": "close", "job": f"job-{number}", "outcome": "paid", "windows": windows,
            "held": "36000", "billed": str(billed), "overrun": "0", "team": team, "app": app,
            "key": f"key-{app}", "model": "m", "bought": "1", "list": str(billed),
        }  # fmt: skip
        pipeline.xadd(keyspace.ledger("fal"), fields, id=f"{at_ms}-{number}")
        sums.add(read(f"{at_ms}-{number}", fields))
    for name, counters in sums.accounts.items():
        pipeline.sadd(keyspace.accounts("fal"), name)
        pipeline.hset(keyspace.account("fal", account(name)), mapping=dict(counters))
    for day, measures in sums.usage.items():
        pipeline.hset(usage_keys.usage("fal", day), mapping=dict(measures))
    await pipeline.execute()
    for day in sums.usage:
        await UsageSums(redis).add_up("fal", day)
    await redis.aclose()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with embedded() as url:
        asyncio.run(_fill(url))
        yield Site(url, tmp_path / "media")


@pytest.fixture
def falgate(site: Site) -> Falgate:
    """Runs a command."""
    settings = {"FALGATE_REDIS_URL": site.url, "FALGATE_MEDIA_URL": site.media.as_uri()}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=settings)

    return run


def test_the_newest_entries_are_shown_the_newest_last(falgate: Falgate) -> None:
    found = json.loads(falgate("ledger", "list", "--limit", "4", "--json").stdout)

    assert [each["job"] for each in found] == ["job-299", "job-300", "job-301", "job-302"]
    assert found[0]["booked_usd"] == "0.011"
    table = falgate("ledger", "list", "--limit", "2").stdout
    assert table.index("job-301") < table.index("job-302")


def test_entries_are_found_by_what_they_are_about(falgate: Falgate) -> None:
    def jobs(*wanted: str) -> list[str]:
        shown = falgate("ledger", "list", "--limit", "2", "--json", *wanted)
        return [each["job"] for each in json.loads(shown.stdout)]

    assert jobs("--team", "web") == ["job-300", "job-301"]
    assert jobs("--app", "web/blog") == ["job-298", "job-301"]
    assert jobs("--key", "key-bot", "--outcome", "paid") == ["job-299", "job-302"]
    assert jobs("--job", "job-7") == ["job-7"]
    assert jobs("--kind", "reset") == []
    day = json.loads(falgate("ledger", "list", "--job", "job-30", "--json").stdout)[0]["at"][:10]
    assert jobs("--from", day, "--to", day) == ["job-31", "job-32"]
    assert jobs("--to", "2001-01-01") == []


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_everything_is_exported_in_order(form: str, falgate: Falgate) -> None:
    text = falgate("ledger", "export", "--format", form).stdout

    if form == "csv":
        rows = list(csv.DictReader(text.splitlines()))
    else:
        rows = json.loads(text) if form == "json" else list(map(json.loads, text.splitlines()))
    assert [row["job"] for row in rows] == [f"job-{number}" for number in range(303)]
    assert {row["booked_usd"] for row in rows} == {"0.034", "0.006", "0.011"}


def test_nothing_is_exported_as_an_empty_list(falgate: Falgate) -> None:
    assert json.loads(falgate("ledger", "export", "--format", "json", "--test").stdout) == []
    assert falgate("ledger", "list", "--limit", "0", "--test").stdout == ""


def test_books_that_agree_end_with_0_and_others_with_1(falgate: Falgate, site: Site) -> None:
    clean = falgate("ledger", "verify")
    assert (clean.exit_code, clean.stdout) == (0, "303 entries and 9 accounts agree\n")

    async def spoil() -> None:
        redis = connect(site.url, timeout_s=TRIP_S)
        await redis.hincrby(keyspace.account("fal", account("team:ads")), "spent:total:all", -1)
        await redis.aclose()

    asyncio.run(spoil())
    spoiled, plain = falgate("ledger", "verify"), falgate("ledger", "verify", "--json")

    assert (spoiled.exit_code, plain.exit_code) == (1, 1)
    assert "team:ads" in spoiled.stdout
    assert json.loads(plain.stdout)["differences"] == [
        {"account": "team:ads", "window": "total:all", "counter": "spent",
         "found": 1_110_999, "ledger": 1_111_000}
    ]  # fmt: skip


def test_old_entries_are_archived_and_said_to_be(falgate: Falgate, site: Site) -> None:
    first = falgate("ledger", "archive")
    again = falgate("ledger", "archive")

    assert len(first.stdout.splitlines()) == len(list(site.media.glob("ledger/fal/*"))) == 10
    assert again.stdout == "nothing is old enough\n"
    assert falgate("ledger", "verify").stdout.startswith("273 entries")
    shown = falgate("ledger", "export")
    assert len(shown.stdout.splitlines()) == 274
    assert "are in archives" in shown.stderr


def test_usage_is_told_by_team_and_day(falgate: Falgate) -> None:
    every = ("--from", "2020-01-01", "--format")
    report = json.loads(falgate("usage", "--by", "team", *every[:-1], "--json").stdout)
    assert [(row["team"], row["booked_usd"]) for row in report["rows"]] == [
        ("ads", "1.111"),
        ("web", "4.04"),
    ]
    assert (report["total"]["bought"], report["total"]["booked_usd"]) == (303, "5.151")

    rows = list(csv.DictReader(falgate("usage", "--by", "day,app", *every, "csv").stdout.split()))
    assert (len(rows), rows[-1]["day"], rows[-1]["booked_usd"]) == (304, "total", "5.151")
    assert list(rows[0])[:2] == ["day", "app"]

    (team,) = {row["team"] for row in report["rows"][:1]}
    of_one = json.loads(falgate("usage", "--team", team, *every[:-1], "--json").stdout)
    assert [row["team"] for row in of_one["rows"]] == [team]

    table = falgate("usage", "--by", "", *every, "table").stdout
    assert "5.151" in table
    assert "0% of what is booked is reconciled" in table


@pytest.mark.parametrize(
    "arguments",
    [
        ("usage", "--by", "prompt"),
        ("usage", "--from", "2026-13-01"),
        ("usage", "--from", "2026-02-02", "--to", "2026-02-01"),
        ("ledger", "list", "--kind", "gift"),
        ("ledger", "list", "--limit", "-1"),
        ("ledger", "export", "--from", "yesterday"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    arguments: tuple[str, ...], falgate: Falgate
) -> None:
    refused = falgate(*arguments)

    assert refused.exit_code in {1, 2}
    assert refused.stderr.count("Error: ") == 1
    assert "Traceback" not in refused.stderr


def test_figures_are_shown_as_words_and_as_json(falgate: Falgate) -> None:
    days = json.loads(falgate("activity", "--by", "month", "--json").stdout)
    first = days["items"][-2]["start"]
    assert json.loads(falgate("ledger", "totals", "--app", "web/shop", "--json").stdout)["bought"]
    assert falgate("activity", "--by", "month", "--team", "web").stdout.count(first) == 1
    assert "pictures" in falgate("ledger", "totals", "--team", "web", "--kind", "close").stdout
    assert "never with fal's billing" in falgate("ledger", "health").stdout
    assert json.loads(falgate("ledger", "health", "--json").stdout)["entries"] == 303
    assert json.loads(falgate("jobs", "--json").stdout) == {
        "items": [],
        "total": 0,
        "complete": True,
    }
    assert falgate("jobs").exit_code == 0
    shown = falgate("overview")
    assert (shown.exit_code, "goes on" in shown.stdout) == (0, True)
    assert json.loads(falgate("overview", "--json").stdout)["teams_in_all"] == 2
