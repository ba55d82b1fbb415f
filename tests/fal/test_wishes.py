"""What headers ask for beside the body, read as fal reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.fal.options import FalOptions, read

NEW, OLD = "x-fal-request-start-timeout", "x-fal-request-timeout"
PRIORITY = "x-fal-queue-priority"


def test_who_says_nothing_wishes_nothing() -> None:
    assert read({}) == FalOptions() == FalOptions(start_within_s=0, priority="normal")


@pytest.mark.parametrize("name", [NEW, OLD])
@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("0.5", 0.5), (" 7 ", 7), ("30.0", 30)])
def test_a_start_timeout_is_in_seconds(name: str, text: str, seconds: float) -> None:
    assert read({name: text}).start_within_s == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "0", "-1", "nan", "inf", "-inf", "1e2", "1_0", "1,5", "½", "99999999"]
)
def test_a_timeout_that_makes_no_sense_is_ignored(text: str) -> None:
    assert read({NEW: text}) == FalOptions()
    assert read({NEW: text, OLD: "9"}).start_within_s == 9


def test_the_newer_name_wins() -> None:
    assert read({OLD: "9", NEW: "3"}).start_within_s == 3


@pytest.mark.parametrize("text", ["low", "LOW", " Low "])
def test_low_is_a_priority_in_any_case(text: str) -> None:
    assert read({PRIORITY: text}).priority == "low"


@pytest.mark.parametrize("text", ["normal", "high", "", "lower", "0", "low,normal"])
def test_everything_else_is_normal(text: str) -> None:
    assert read({PRIORITY: text}).priority == "normal"


def test_what_is_fals_to_decide_is_passed_on_as_it_came_if_it_is_short_and_plain() -> None:
    headers = {"x-fal-runner-hint": "lane-7", "x-fal-store-io": "0", "x-fal-tags": "t"}
    assert read(headers).passed == {"x-fal-runner-hint": "lane-7", "x-fal-store-io": "0"}
    assert read({"x-fal-runner-hint": "x" * 257}).passed == {}
    assert read({"x-fal-store-io": "0\r\nHost: y"}).passed == {}


@given(st.dictionaries(st.sampled_from([NEW, OLD, PRIORITY]), st.text()))
def test_whatever_a_header_holds_there_is_an_answer(headers: dict[str, str]) -> None:
    found = read(headers)

    assert 0 <= found.start_within_s < float("inf")
    assert found.priority in {"normal", "low"}
