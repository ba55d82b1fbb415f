"""Runs and queued requests, call by call: what a client returns, and what it asks for that."""

from collections.abc import Callable
from typing import Any

import pytest

EVERY = ("python", "python-async", "javascript", "javascript-fetch")
PYTHON = ("python", "python-async")
JAVASCRIPT = ("javascript", "javascript-fetch")

FOX = {"num_images": 2, "output_format": "webp"}
ORDER = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]

Wait = Callable[[Callable[[], bool]], None]


def in_order(statuses: list[str]) -> bool:
    """Whether they go forward to the end; a slow client does not see each of them."""
    return statuses[-1] == ORDER[-1] and statuses == sorted(statuses, key=ORDER.index)


@pytest.mark.works("run", *EVERY)
def test_run_returns_the_pictures_and_asks_once(app: Any) -> None:
    answer = app.make("run", FOX)

    assert [image["content_type"] for image in answer.images] == ["image/webp"] * 2
    assert answer.asked == ["run"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("submit", *EVERY)
def test_submit_returns_a_request_and_asks_once(app: Any) -> None:
    answer = app.make("submit", FOX)

    assert answer.result["request_id"]
    assert answer.asked == ["submit"]


@pytest.mark.works("status", *EVERY)
def test_status_follows_a_request_from_the_queue_to_its_end(app: Any, wait_until: Wait) -> None:
    app.world.turn(queue_s=60)
    app.make("submit", FOX)
    waiting = app.about("status")
    assert app.about("cancel").said["ok"]
    app.world.heal()
    app.make("submit", {**FOX, "quality": "medium"})
    seen = []

    def ended() -> bool:
        seen.append(app.about("status", **app.logs))
        return bool(seen[-1].status == "COMPLETED")

    wait_until(ended)
    assert waiting.status == "IN_QUEUE"
    assert waiting.result["position" if app.is_python else "queue_position"] >= 0
    assert waiting.asked == ["status"]
    assert in_order([answer.status for answer in seen])
    assert isinstance(seen[-1].result["logs"], list)


@pytest.mark.works("result", *PYTHON)
def test_result_polls_until_the_pictures_are_there(app: Any) -> None:
    app.make("submit", FOX)

    answer = app.about("result")

    assert len(answer.images) == 2
    assert answer.steps == ["status", "result"]


@pytest.mark.works("result", *JAVASCRIPT)
def test_result_has_the_pictures_and_the_requests_id(app: Any) -> None:
    app.make("subscribe", FOX)

    answer = app.about("result")

    assert len(answer.images) == 2
    assert answer.said["result"]["requestId"] == answer.said["request_id"]
    assert answer.asked == ["result"]


@pytest.mark.works("result, too early", "javascript")
def test_result_of_a_request_in_progress_is_an_error_that_says_so(app: Any) -> None:
    app.world.turn(queue_s=60)
    app.make("submit", FOX)

    answer = app.about("result")

    assert (answer.said["error"], answer.said["status"]) == ("ApiError", 400)
    assert answer.said["body"]["detail"] == "Request is still in progress"
    assert answer.asked == ["result"]
    assert app.about("cancel").said["ok"]


@pytest.mark.works("cancel", *EVERY)
def test_cancel_takes_a_request_out_of_the_queue(app: Any, wait_until: Wait) -> None:
    app.world.turn(queue_s=60)
    app.make("submit", FOX)

    answer = app.about("cancel")

    assert answer.said["ok"], answer.said
    assert answer.asked == ["cancel"]
    wait_until(lambda: all(entry["cancelled_s"] for entry in app.world.bought(app.prompt)))


@pytest.mark.works("cancel, too late", *PYTHON, "javascript")
def test_cancel_of_a_request_that_has_ended_is_an_error_that_says_so(app: Any) -> None:
    app.make("submit", FOX)
    wait = app.about("result") if app.is_python else app.make("subscribe", FOX)

    answer = app.about("cancel")

    assert len(wait.images) == 2
    assert answer.said["status"] == 400
    assert answer.said["body"] == {"status": "ALREADY_COMPLETED"}
    assert answer.asked == ["cancel"]


@pytest.mark.works("iter_events", *PYTHON)
def test_iter_events_goes_through_the_statuses_with_logs(app: Any) -> None:
    app.world.turn(queue_s=0.2)

    answer = app.make("iter_events", FOX, **app.logs)

    assert in_order(answer.statuses)
    assert isinstance(answer.updates[-1]["logs"], list)
    assert len(answer.images) == 2
    assert answer.steps == ["submit", "status", "result"]
