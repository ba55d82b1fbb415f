"""Usage: grouped in any order, summed, and in dollars."""

from datetime import date

import pytest

from falgate.core.admin_errors import Invalid
from falgate.core.usage import DAYS_MAX, Report, cells, columns, groups, period, told

TODAY = date(2026, 11, 22)
MONDAY = {"web/shop:answers": "5", "web/shop:billed": "34000", "ads/bot:billed": "-1",
          "web/blog:billed": "6000", "web/blog:bought": "2"}  # fmt: skip
TUESDAY = {"web/shop:billed": "34000", "ads/bot:saved": "5"}


def report(by: str) -> Report:
    found = Report(groups(by))
    found.add("2026-11-02", MONDAY)
    found.add("2026-11-03", TUESDAY)
    return found


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("", {(): 73_999}),
        ("team", {("ads",): -1, ("web",): 74_000}),
        ("day", {("2026-11-02",): 39_999, ("2026-11-03",): 34_000}),
        ("app,team", {("blog", "web"): 6_000, ("bot", "ads"): -1, ("shop", "web"): 68_000}),
    ],
)
def test_rows_are_grouped_as_asked(by: str, rows: dict[tuple[str, ...], int]) -> None:
    found = {row.group: row.measures.get("billed", 0) for row in report(by).rows()}

    assert found == rows
    assert list(found) == sorted(found)
    assert report(by).total().measures["billed"] == 73_999


@pytest.mark.parametrize("by", ["key", "team,team", "team;app"])
def test_what_nothing_is_grouped_by_is_refused(by: str) -> None:
    with pytest.raises(Invalid):
        groups(by)


def test_amounts_are_told_in_dollars() -> None:
    whole = told(groups("team"), period(None, None, TODAY), report("team"))

    assert (whole["from"], whole["to"]) == ("2026-11-01", "2026-11-22")
    assert whole["rows"][0] == dict(
        zip(columns(groups("team")), cells(report("team").rows()[0]), strict=True)
    )
    assert whole["rows"][0]["billed_usd"] == "-0.000001"
    assert whole["total"]["billed_usd"] == "0.073999"
    assert "team" not in whole["total"]


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
