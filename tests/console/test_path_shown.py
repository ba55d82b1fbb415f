"""The steps of a request as its page draws them."""

from typing import get_args

from falgate.console.path_shown import steps_shown
from falgate.telemetry.request_path import StepName


def at(ms: int) -> str:
    return f"2025-11-22T14:00:00.{ms:03}+00:00"


def test_each_step_takes_the_time_since_the_one_before() -> None:
    received, looked, held, paid = steps_shown(
        [
            {"step": "received", "at": at(100)},
            {"step": "looked_up", "at": None},
            {"step": "held", "at": at(110)},
            {"step": "paid", "at": at(200)},
        ]
    )

    assert (received.since_ms, received.left) == (0, 0)
    assert (looked.since_ms, looked.took_ms, looked.width) == (None, None, 0)
    assert (held.since_ms, held.took_ms, held.left, held.width) == (10, 10, 0, 10)
    assert (paid.since_ms, paid.took_ms, paid.left, paid.width) == (100, 90, 10, 90)


def test_a_job_that_is_older_than_its_request_takes_none_of_its_time() -> None:
    _, held, answered = steps_shown(
        [
            {"step": "received", "at": at(100)},
            {"step": "held", "at": at(50)},
            {"step": "answered", "at": at(140)},
        ]
    )

    assert (held.since_ms, held.took_ms, held.width) == (None, None, 0)
    assert (answered.took_ms, answered.left, answered.width) == (40, 0, 100)


def test_a_clock_that_is_behind_makes_no_negative_time_and_nothing_sticks_out() -> None:
    steps = steps_shown(
        [
            {"step": "received", "at": at(100)},
            {"step": "banked", "at": at(150)},
            {"step": "answered", "at": at(148)},
        ]
    )

    assert steps[-1].took_ms == 0
    assert all(each.left >= 0 and each.left + each.width <= 100 for each in steps)


def test_every_step_of_the_api_has_words() -> None:
    path = [{"step": each, "at": None} for each in get_args(StepName)]

    shown = steps_shown(path)

    assert all(each.title and each.says.endswith(".") for each in shown)
    assert [each.title for each in shown if each.bad] == [
        "Refused by the upstream", "Unknown", "Answered with an error",
    ]  # fmt: skip
