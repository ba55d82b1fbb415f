"""The ledger's pages: entries, totals, CSV, health, and who sees what of it."""

import asyncio
import re
from typing import Any

import httpx
from console_teams import looking, team_of
from patience import PATIENCE_S

from falgate.money.reports import LOOKED_MAX
from falgate.redis import keyspace
from falgate.redis.client import connect

OK, NOT_FOUND = httpx.codes.OK, httpx.codes.NOT_FOUND
PROOF: dict[Any, Any] = {"at_ms": "1763820000000", "differences": "3"}
BILL: dict[Any, Any] = {
    "at_ms": "1763820000000", "since_ms": "1763820000000", "until_ms": "1763820000000",
    "looked": "40", "corrected": "2", "difference": "-1500", "pending": "7", "drift": "250000",
    "unmatched": "4", "strange": "0", "compared_until_ms": "1763820000000",
}  # fmt: skip


def entries(page: httpx.Response) -> list[str]:
    assert page.status_code == OK, page.text
    return re.findall(r'href="/console/ledger/([0-9]+-[0-9]+)"', page.text)


def test_entries_are_those_of_the_api_with_the_filters_totals(
    console: Any, admin: httpx.Client
) -> None:
    team = team_of(console, "booked")
    team.ask(console, prompt="a booked barn", num_images=2)
    team.ask(console, prompt="a booked barn", num_images=2)
    team.raised(1)
    totals = team.api.get("/ledger/totals", team="booked").json()

    page = admin.get("/ledger?team=booked")

    listed = team.api.get("/ledger", team="booked").json()["items"]
    assert entries(page) == [each["entry"] for each in listed]
    assert [each["kind"] for each in listed] == ["raise", "close"]
    booked = totals["booked_usd"]
    assert float(booked) > 0
    assert f'<dt>Booked</dt><dd>${booked}</dd><dd class="quiet">1 purchases' in page.text
    assert f"<dt>Saved by the cache</dt><dd>${totals['saved_usd']}</dd>" in page.text
    assert "no sums are kept by" not in page.text
    for query in ("kind=close", f"key={team.key_id}", "outcome=paid", "reconciled=no"):
        page = admin.get(f"/ledger?team=booked&{query}")
        assert entries(page) == [listed[1]["entry"]], query
    assert entries(admin.get("/ledger?team=booked&kind=raise")) == [listed[0]["entry"]]
    assert entries(admin.get("/ledger?team=booked&pictures=none")) == []
    assert entries(admin.get("/ledger?team=booked&to=2020-01-01")) == []


def test_totals_say_what_they_cannot_tell_apart(admin: httpx.Client) -> None:
    page = admin.get("/ledger?kind=close&pictures=none&reconciled=yes").text
    assert "no sums are kept by kind, pictures, reconciled." in page

    long = admin.get("/ledger?from=2020-01-01")
    assert long.status_code == OK
    assert "There are no sums for this" in long.text


def test_the_next_page_goes_on_where_one_ends(console: Any, admin: httpx.Client) -> None:
    team = team_of(console, "turned")
    team.raised(60)

    first = admin.get("/ledger?team=turned&kind=raise")
    older = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")
    second = admin.get(older.removeprefix("/console"))

    listed = team.api.get("/ledger", team="turned", limit=500).json()["items"]
    assert [*entries(first), *entries(second)] == [each["entry"] for each in listed]
    assert (len(entries(first)), len(entries(second))) == (50, 10)
    assert "&lt;b&gt;turned&lt;/b&gt; 59" in first.text
    assert "<b>turned" not in first.text


def test_the_csv_is_that_of_the_api_with_the_same_filter(console: Any, admin: httpx.Client) -> None:
    team = team_of(console, "listed-all")
    team.ask(console, prompt="a barn for a spreadsheet")
    team.raised(2)
    for query in ({"team": "listed-all"}, {"team": "listed-all", "kind": "raise"}):
        expected = team.api.get("/ledger.csv", **query)

        page = admin.get("/ledger", params={**query, "outcome": "", "app": ""}).text
        link = re.findall(r'href="/console(/ledger\.csv[^"]*)"', page)[0].replace("&amp;", "&")
        file = admin.get(link)

        assert file.content == expected.content
        assert file.headers["content-type"] == expected.headers["content-type"]
        assert file.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
        assert file.headers["x-content-type-options"] == "nosniff"
        assert file.headers["cache-control"] == "no-store"
    assert len(admin.get("/ledger.csv?team=listed-all").text.splitlines()) == 4


def test_a_file_that_is_refused_is_a_page_that_says_why(console: Any, admin: httpx.Client) -> None:
    refused = admin.get("/ledger.csv?kind=odd")

    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert refused.headers["content-type"].startswith("text/html")
    with httpx.Client(
        base_url=f"{console.url}/console", trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        assert stranger.get("/ledger.csv").status_code == httpx.codes.SEE_OTHER


def test_an_entry_is_shown_with_all_of_its_fields(console: Any, admin: httpx.Client) -> None:
    team = team_of(console, "entered")
    team.ask(console, prompt="a barn, entered")
    [entry] = team.api.get("/ledger", team="entered").json()["items"]

    page = admin.get(f"/ledger/{entry['entry']}")

    assert page.status_code == OK
    shown = re.sub(r"<[^>]+>", "", page.text)
    for name, value in entry.items():
        if name not in {"at", "kind"}:
            assert value.removesuffix(".00") in shown, name
    for unknown in ("1-1", f"{entry['entry']}9", "1", "x-1", "\u0661-\u0661", "1" * 40 + "-1"):
        assert admin.get(f"/ledger/{unknown}").status_code == NOT_FOUND, unknown


def test_a_lead_sees_their_teams_books_alone_and_no_health(console: Any) -> None:
    mine, rival = team_of(console, "bookish"), team_of(console, "unbookish")
    for team in (mine, rival):
        team.ask(console, prompt=f"a barn of {team.name}")
    [theirs] = rival.api.get("/ledger", team="unbookish").json()["items"]
    with looking(console, "lead", "bookish") as lead:
        page = lead.get("/ledger")
        [own] = entries(page)
        assert "unbookish" not in page.text
        assert "Health" not in page.text
        assert lead.get(f"/ledger/{own}").status_code == OK
        assert lead.get(f"/ledger/{theirs['entry']}").status_code == NOT_FOUND
        assert lead.get("/ledger?team=unbookish").status_code == httpx.codes.FORBIDDEN
        assert lead.get("/ledger.csv?team=unbookish").status_code == httpx.codes.FORBIDDEN
        file = mine.api.get("/ledger.csv", team="bookish").text
        assert lead.get("/ledger.csv").text == file
    with looking(console, "viewer") as viewer:
        page = viewer.get("/ledger?team=unbookish")
        assert entries(page) == [theirs["entry"]]
        assert "Health" in page.text
        assert viewer.get("/ledger.csv").status_code == OK


def test_a_filter_that_is_wrong_is_shown_again_with_why(admin: httpx.Client) -> None:
    page = admin.get("/ledger?from=yesterday")

    assert page.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert page.text.count('role="alert"') == 1


def test_the_health_of_the_ledger_and_how_far_a_short_page_looked(fresh_console: Any) -> None:
    team = team_of(fresh_console, "rare")
    team.raised(1)

    async def worsen() -> None:
        async with connect(fresh_console.redis_url) as redis:
            frozen: dict[Any, Any] = {
                "frozen_ms": "1763820000000",
                "frozen_why": "<em>lost</em> a second",
            }
            await redis.hset(keyspace.META, mapping=frozen)
            await redis.hset(keyspace.verified("sandbox"), mapping=PROOF)
            await redis.hset(keyspace.reconciled("sandbox"), mapping=BILL)
            await redis.hset(keyspace.torn("sandbox"), "a", "b")
            async with redis.pipeline(transaction=False) as pipeline:
                for _ in range(LOOKED_MAX + 1):
                    pipeline.xadd(keyspace.ledger("sandbox"), RAISE)
                await pipeline.execute()

    asyncio.run(worsen())
    with looking(fresh_console, "admin") as admin:
        page = admin.get("/ledger?team=rare")
        older = re.findall(r'rel="next" href="([^"]+)"', page.text)[0].replace("&amp;", "&")
        assert len(entries(admin.get(older.removeprefix("/console")))) == 1

    assert "Nothing was found looking back to" in page.text
    assert "&lt;em&gt;lost&lt;/em&gt; a second" in page.text
    assert '<details class="box" open>' in page.text
    assert "3 counters differ" in page.text
    assert "executed only in part" in page.text
    assert "4 billed requests of no job" in page.text
    assert "40 jobs, 2 corrected by -$0.0015, 7 not decided yet" in page.text


RAISE: dict[Any, Any] = {
    "kind": "raise", "account": "team:many", "windows": "day:2025-11-22", "raised": "1",
}  # fmt: skip


def test_an_old_entry_shows_what_came_after_it_however_long_the_ledger_is(
    fresh_console: Any,
) -> None:
    of_job = {"job": "old", "windows": "day:2025-11-22", "team": "many", "app": "a", "key": "k"}
    close: dict[Any, Any] = {"kind": "close", "outcome": "paid", "held": "9", "billed": "9",
                             "overrun": "0", "model": "m", "bought": "1", **of_job}  # fmt: skip
    correction: dict[Any, Any] = {"kind": "correction", "billed": "-1", "overrun": "0", **of_job}

    async def fill() -> list[str]:
        async with connect(fresh_console.redis_url) as redis:
            async with redis.pipeline(transaction=False) as pipeline:
                for _ in range(LOOKED_MAX + 1):
                    pipeline.xadd(keyspace.ledger("sandbox"), RAISE)
                pipeline.xadd(keyspace.ledger("sandbox"), close)
                pipeline.xadd(keyspace.ledger("sandbox"), correction)
                written = await pipeline.execute()
            return [str(each) for each in written[-2:]]

    closed, corrected = asyncio.run(fill())
    with looking(fresh_console, "admin") as admin:
        page = admin.get(f"/ledger/{closed}").text

    assert f"/ledger/{corrected}" in page
