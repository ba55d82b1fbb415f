"""Following a request to its end: by polling, by a stream, with a time-out or until given up."""

from collections.abc import Callable
from typing import Any

import pytest

USUAL = ("python", "python-async", "javascript")
EVERY = (*USUAL, "javascript-fetch")
JAVASCRIPT = ("javascript", "javascript-fetch")

FOX = {"num_images": 2, "output_format": "webp"}
ORDER = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
STREAMING = {"mode": "streaming"}

Wait = Callable[[Callable[[], bool]], None]


def in_order(statuses: list[str]) -> bool:
    """Whether they go forward to the end; a slow client does not see each of them."""
    return statuses[-1] == ORDER[-1] and statuses == sorted(statuses, key=ORDER.index)


@pytest.mark.works("subscribe", *USUAL)
def test_subscribe_polls_and_returns_the_pictures(app: Any) -> None:
    answer = app.make("subscribe", FOX)

    assert len(answer.images) == 2
    assert answer.steps == ["submit", "status", "result"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("subscribe, with logs", *EVERY)
def test_subscribe_tells_of_the_queue_on_the_way(app: Any) -> None:
    app.world.turn(queue_s=0.2)

    answer = app.make("subscribe", FOX, **app.logs)

    assert len(answer.images) == 2
    assert in_order(answer.statuses)
    assert isinstance(answer.updates[-1]["logs"], list)


@pytest.mark.works("subscribe, client time-out", "python>=0.13", "python-async>=0.13")
def test_a_time_out_cancels_and_is_an_exception_of_its_own(app: Any, wait_until: Wait) -> None:
    # In progress: the client's time-out is also the server's for what has not started.
    app.world.turn(work_s=60, cancels_running=True)

    answer = app.make("subscribe", FOX, client_timeout=1.5)

    assert {"FalClientTimeoutError", "TimeoutError"} <= set(answer.said["classes"])
    assert answer.steps[:2] == ["submit", "status"]
    assert answer.asked.count("cancel") == 1
    wait_until(lambda: all(entry["cancelled_s"] for entry in app.world.bought(app.prompt)))


@pytest.mark.works(
    "subscribe, client time-out",
    "python<0.13",
    "python-async<0.13",
    defect="has no `client_timeout`",
)
def test_a_client_without_a_time_out_refuses_to_have_one(app: Any) -> None:
    answer = app.make("subscribe", FOX, client_timeout=1.1)

    assert answer.said["error"] == "TypeError"
    assert answer.asked == []


@pytest.mark.works("subscribe, client time-out", "javascript")
def test_a_time_out_cancels_and_rejects(app: Any, wait_until: Wait) -> None:
    app.world.turn(queue_s=60)

    answer = app.make("subscribe", FOX, timeout=300)

    assert "Client timed out" in answer.said["message"]
    wait_until(lambda: all(entry["cancelled_s"] for entry in app.world.bought(app.prompt)))


@pytest.mark.works("subscribe, streaming", *JAVASCRIPT)
def test_subscribe_by_a_stream_asks_for_no_status(app: Any) -> None:
    answer = app.make("subscribe", FOX, **STREAMING)

    assert len(answer.images) == 2
    assert answer.asked == ["submit", "status/stream", "result"]


@pytest.mark.works("subscribe, streaming, with logs", "javascript")
def test_subscribe_by_a_stream_tells_of_the_queue_on_the_way(app: Any) -> None:
    app.world.turn(queue_s=0.2)

    answer = app.make("subscribe", FOX, **STREAMING, **app.logs)

    assert len(answer.images) == 2
    assert in_order(answer.statuses)
    assert isinstance(answer.updates[-1]["logs"], list)


@pytest.mark.works(
    "subscribe, streaming, client time-out",
    "javascript",
    defect="cancels, but throws the time-out where no app can catch it",
)
def test_a_time_out_of_a_stream_is_thrown_past_the_app(app: Any, wait_until: Wait) -> None:
    app.world.turn(queue_s=60)

    answer = app.make("subscribe", FOX, timeout=300, **STREAMING)

    assert "Client timed out" in answer.said["uncaught"]
    assert "timed out" not in answer.said["message"]
    assert answer.said["status"] in {400, 499}, "it asks for the result of what it cancelled"
    wait_until(lambda: all(entry["cancelled_s"] for entry in app.world.bought(app.prompt)))


@pytest.mark.works("streamStatus", *JAVASCRIPT)
def test_a_stream_of_statuses_ends_with_the_last_one(app: Any) -> None:
    app.world.turn(queue_s=0.2)

    answer = app.make("streamStatus", FOX, **app.logs)

    assert in_order(answer.statuses)
    assert answer.status == "COMPLETED"
    assert answer.asked == ["submit", "status/stream"]


@pytest.mark.works("run, aborted", "javascript")
def test_an_aborted_run_rejects_at_once_and_is_not_asked_again(app: Any) -> None:
    app.world.turn(work_s=5)

    answer = app.make("run, aborted", FOX)

    assert answer.said["error"] == "AbortError"
    assert answer.asked == ["run"]


@pytest.mark.works("subscribe, aborted", "javascript")
def test_an_aborted_subscription_rejects_and_leaves_the_request_alone(app: Any) -> None:
    app.world.turn(queue_s=60)

    answer = app.make("subscribe", FOX, abort_after_updates=2)

    assert answer.said["error"] == "AbortError"
    assert answer.steps == ["submit", "status"]
    assert [entry["cancelled_s"] for entry in app.world.bought(app.prompt)] == [None]


@pytest.mark.works("run, start time-out", "python>=0.13", "python-async>=0.13")
@pytest.mark.works("run, start time-out", "javascript>=1.9")
def test_a_run_that_does_not_start_in_time_is_an_error_and_not_asked_again(app: Any) -> None:
    app.world.turn(outcome="never_starts")
    option = "start_timeout" if app.is_python else "startTimeout"

    answer = app.make("run", FOX, **{option: 1.1})

    assert answer.said["status"] == 504
    assert answer.asked == ["run"]


@pytest.mark.works(
    "run, start time-out", "python<0.13", "python-async<0.13", defect="has no `start_timeout`"
)
@pytest.mark.works("run, start time-out", "javascript<1.9", defect="ignores `startTimeout`")
def test_a_client_without_a_start_time_out_waits(app: Any) -> None:
    option = "start_timeout" if app.is_python else "startTimeout"

    answer = app.make("run", FOX, **{option: 1.1})

    if app.is_python:
        assert answer.said["error"] == "TypeError"
        assert answer.asked == []
    else:
        assert len(answer.images) == 2
        assert "x-fal-request-timeout" not in app.world.front.headers
