import math
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from falgate.sandbox.behaviour import Behaviour
from falgate.sandbox.record import Life, Record, life, new_id, start_within_s, wait_s


def record(dials: Behaviour | None = None, **fields: Any) -> Record:
    dials = dials or Behaviour(queue_s=2, work_s=3)
    given = {"wait_s": dials.queue_s, "arguments": {"prompt": "a"}, **fields}
    return Record(
        id=new_id(100),
        endpoint="a/b",
        submitted_s=100,
        accepted=True,
        sync=False,
        received={},
        headers={},
        behaviour=dials,
        **given,
    )


@pytest.mark.parametrize(
    ("now_s", "status"),
    [
        (100, "IN_QUEUE"),
        (101.9, "IN_QUEUE"),
        (102, "IN_PROGRESS"),
        (104.9, "IN_PROGRESS"),
        (105, "COMPLETED"),
        (10**6, "COMPLETED"),
    ],
)
def test_the_status_follows_from_the_time_alone(now_s: float, status: str) -> None:
    assert life(record()).status(now_s) == status


def test_a_request_that_never_starts_stays_in_the_queue() -> None:
    course = life(record(Behaviour(outcome="never_starts")))
    assert course.status(10**9) == "IN_QUEUE"


def test_a_request_that_never_ends_stays_in_progress() -> None:
    course = life(record(Behaviour(outcome="never_ends")))
    assert course.status(10**9) == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("ended_s", "course"),
    [
        (101, Life(101, 101, "worked")),
        (103, Life(102, 103, "worked")),
        (200, Life(102, 105, "worked")),
    ],
    ids=["in the queue", "in progress", "done"],
)
def test_work_that_is_ended_is_done_at_once(ended_s: float, course: Life) -> None:
    assert life(record(ended_s=ended_s)) == course


def test_a_request_not_started_in_time_expires_unstarted() -> None:
    course = life(record(start_within_s=1.5))
    assert course == Life(math.inf, 101.5, "expired")
    assert [course.status(now_s) for now_s in (101.4, 101.5)] == ["IN_QUEUE", "COMPLETED"]


def test_a_request_started_in_time_is_not_expired_by_its_work() -> None:
    assert life(record(start_within_s=2.5)) == Life(102, 105, "worked")


def test_a_cancel_ends_a_queued_request() -> None:
    assert life(record(cancelled_s=101)) == Life(math.inf, 101, "cancelled")


def test_a_cancel_of_a_running_request_comes_too_late() -> None:
    assert life(record(cancelled_s=103)) == Life(102, 105, "worked")


def test_a_cancel_of_a_running_request_ends_it_where_the_dials_say_so() -> None:
    dials = Behaviour(queue_s=2, work_s=3, cancels_running=True)
    assert life(record(dials, cancelled_s=103)) == Life(102, 103, "cancelled")
    assert life(record(dials, cancelled_s=106)) == Life(102, 105, "worked")


def test_invalid_input_ends_without_work() -> None:
    course = life(record(issues=[{"type": "missing"}]))
    assert course == Life(102, 102, "rejected")


def test_no_more_requests_work_at_once_than_the_dials_allow() -> None:
    dials = Behaviour(work_s=3, concurrency=2)
    others: list[Record] = []
    for _ in range(5):
        others.append(record(dials, wait_s=wait_s(dials, others, 100)))
    assert [life(other).starts_s for other in others] == [100, 100, 103, 103, 106]


def test_waiting_for_what_never_ends_can_be_written_as_json() -> None:
    dials = Behaviour(outcome="never_ends", concurrency=1)
    waiting = record(dials, wait_s=wait_s(dials, [record(dials)], 100))
    assert msgspec.json.decode(msgspec.json.encode(waiting), type=Record) == waiting
    assert life(waiting).status(10**8) == "IN_QUEUE"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-fal-request-timeout": "30.0"}, 30),
        ({"x-fal-request-timeout": "30", "x-fal-request-start-timeout": "5"}, 5),
        ({"x-fal-request-timeout": "soon"}, None),
        ({"x-fal-request-timeout": "nan"}, None),
        ({"x-fal-request-timeout": "-1"}, None),
    ],
)
def test_the_time_to_start_is_read_from_either_header(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert start_within_s(headers) == seconds


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    ids = [new_id(now_s) for now_s in (1, 2, 1_700_000_000, 1_800_000_000.5)]
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, request_id) for request_id in ids)
    assert all(earlier < later for earlier, later in pairwise(ids))


def test_a_record_is_shown_without_its_prompt() -> None:
    shown = repr(record(arguments={"prompt": "private"}))
    assert shown.startswith("Record(")
    assert "private" not in shown
