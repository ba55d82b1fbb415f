"""Usage: grouped in any order, summed, and in dollars."""

import csv
from datetime import date
from typing import get_args

import pytest

from falgate.core.events import Source
from falgate.core.problems import Invalid
from falgate.money.usage import (
    COLUMN,
    COUNTS,
    DAYS_MAX,
    Period,
    Report,
    as_csv,
    cells,
    columns,
    groups,
    period,
    told,
)

TODAY = date(2026, 11, 22)
MONDAY = {"web/shop:answers": "5", "web/shop:billed": "34000", "ads/bot:billed": "-1",
          "web/blog:billed": "6000", "web/blog:bought": "2"}  # fmt: skip
TUESDAY = {"web/shop:billed": "34000", "web/shop:saved": "7", "ads/bot:saved": "5"}


PARTS = {
    "web/shop/k1|m|low|paid:billed": "20000",
    "web/shop/k2|m|high|refused:billed": "10000",
    "web/shop/k1|m|low|answered:saved": "7",
}


def report(by: str) -> Report:
    found = Report(groups(by))
    found.add("2026-11-02", MONDAY, {})
    found.add("2026-11-03", TUESDAY, PARTS)
    return found


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("", {(): 73_999}),
        ("team", {("ads",): -1, ("web",): 74_000}),
        ("day", {("2026-11-02",): 39_999, ("2026-11-03",): 34_000}),
        # Monday was counted before keys were told apart, and so was a part of Tuesday.
        ("key", {("",): 43_999, ("k1",): 20_000, ("k2",): 10_000}),
        (
            "model,quality,outcome",
            {
                ("", "", ""): 43_999,
                ("m", "high", "refused"): 10_000,
                ("m", "low", "answered"): 0,
                ("m", "low", "paid"): 20_000,
            },
        ),
        ("app,team", {("blog", "web"): 6_000, ("bot", "ads"): -1, ("shop", "web"): 68_000}),
    ],
)
def test_rows_are_grouped_as_asked(by: str, rows: dict[tuple[str, ...], int]) -> None:
    found = {row.group: row.measures.get("billed", 0) for row in report(by).rows()}

    assert found == rows
    assert list(found) == sorted(found)
    assert report(by).total().measures["billed"] == 73_999


@pytest.mark.parametrize("by", ["prompt", "team,team", "team;app"])
def test_what_nothing_is_grouped_by_is_refused(by: str) -> None:
    with pytest.raises(Invalid):
        groups(by)


def test_amounts_are_told_in_dollars() -> None:
    whole = told(groups("team"), period(None, None, TODAY), report("team"))

    assert (whole["from"], whole["to"]) == ("2026-11-01", "2026-11-22")
    assert whole["rows"][0] == dict(
        zip(columns(groups("team")), cells(report("team").rows()[0]), strict=True)
    )
    assert whole["rows"][0]["booked_usd"] == "-0.000001"
    assert whole["total"]["booked_usd"] == "0.073999"
    assert "team" not in whole["total"]


def test_csv_says_its_period_its_currency_and_its_total() -> None:
    days = period(None, None, TODAY)
    header, *rows = csv.reader(as_csv(groups("team"), days, report("team")).splitlines())

    assert header[-3:] == ["currency", "from", "to"]
    assert all(row[-3:] == ["USD", "2026-11-01", "2026-11-22"] for row in rows)
    assert [row[0] for row in rows] == ["ads", "web", "total"]
    assert [row[header.index("booked_usd")] for row in rows] == ["-0.000001", "0.074", "0.073999"]
    assert len(as_csv((), days, report("")).splitlines()) == 2


def test_the_share_that_is_reconciled_is_of_budgets_and_overage() -> None:
    found = Report(())
    days = period(None, None, TODAY)
    assert told((), days, found)["reconciled_share"] is None

    found.add("2026-11-02", {"a/b:billed": "90", "a/b:overrun": "10", "a/b:reconciled": "97"}, {})

    assert told((), days, found)["reconciled_share"] == "0.9700"


def test_every_source_of_answers_has_its_one_column() -> None:
    assert set(COLUMN) == set(get_args(Source))
    assert set(COLUMN.values()) <= set(COUNTS)


def test_a_report_may_be_of_one_app_alone() -> None:
    found = Report(groups("key"), "web/shop")
    found.add("2026-11-02", MONDAY, {})
    found.add("2026-11-03", TUESDAY, PARTS)

    assert {row.group: row.measures["billed"] for row in found.rows()} == {
        ("",): 38_000, ("k1",): 20_000, ("k2",): 10_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (None, None, 22),
        (date(2026, 11, 20), None, 3),
        (None, date(2026, 10, 3), 3),
        (date(2024, 2, 28), date(2024, 3, 1), 3),
        (date(2026, 12, 1), None, 1),
    ],
)
def test_a_period_is_this_month_if_nothing_else_is_said(
    first: date | None, last: date | None, days: int
) -> None:
    assert len(period(first, last, TODAY).days) == days


@pytest.mark.parametrize("first", [date(2026, 11, 23), date(2000, 1, 1)])
def test_a_period_that_makes_no_sense_is_refused(first: date) -> None:
    with pytest.raises(Invalid):
        period(first, TODAY, TODAY)
    assert DAYS_MAX > 3_000


@pytest.mark.parametrize(
    ("first", "last", "spans"),
    [
        ("2026-11-01", "2026-11-22", ["2026-11"]),
        ("2026-11-01", "2026-11-30", ["2026-11"]),
        ("2026-11-01", "2026-11-21", [f"2026-11-{day:02}" for day in range(1, 22)]),
        ("2026-11-02", "2026-11-03", ["2026-11-02", "2026-11-03"]),
        ("2026-01-31", "2026-03-01", ["2026-01-31", "2026-02", "2026-03-01"]),
        ("2024-02-01", "2024-02-28", [f"2024-02-{day:02}" for day in range(1, 29)]),
        ("2024-02-01", "2024-02-29", ["2024-02"]),
    ],
)
def test_a_month_of_which_no_day_is_missing_is_one_span(
    first: str, last: str, spans: list[str]
) -> None:
    days = Period(date.fromisoformat(first), date.fromisoformat(last))
    assert days.spans(date(2026, 11, 22)) == spans
