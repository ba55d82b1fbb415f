"""How commands spell values: one form for each kind."""

from typing import Any

import pytest

from falgate.cli.output import Column, duration, limit, moment, usd, word


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "none"), (90, "90s"), (1_800, "30m"), (43_200, "12h"), (86_400, "1d"), (604_800, "7d")],
)
def test_a_duration_is_told_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_is_told_in_utc_whatever_its_offset() -> None:
    assert moment("2026-11-23T00:05:59+01:00") == "2026-11-22 23:05Z"
    assert moment("2026-11-22T23:05:00.123+00:00") == "2026-11-22 23:05Z"
    assert moment(None) == "none"


def test_what_is_empty_is_none_and_a_count_of_0_is_0() -> None:
    empty: tuple[Any, ...] = (None, "", [], {})
    assert [word(value) for value in empty] == ["none"] * 4
    assert [word(value) for value in (0, True, False, [80, 95])] == ["0", "yes", "no", "80, 95"]
    assert [limit(0), limit(5)] == ["none", "5"]
    assert [usd("0.034"), usd("-1.00"), usd(None)] == ["$0.034", "-$1.00", "none"]


def test_a_cell_of_a_record_within_another_moves_no_cursor() -> None:
    column = Column("budget.note")

    assert column.cell({"budget": {"note": "\x1b[2J"}}) == r"\x1b[2J"
    assert column.cell({"budget": None}) == "none"
    assert (column.name, Column("a.next_try").name) == ("note", "next try")
