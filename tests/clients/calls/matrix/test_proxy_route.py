"""falgate's own proxy route, as the client's settings for a proxy reach it."""

from typing import Any

import pytest

PROXIED = ("javascript-proxied", "javascript-proxyurl>=1.10.0", "javascript-browser")
IGNORED = "does not use the proxy in Node and goes to fal"


@pytest.mark.works("run", *PROXIED)
def test_a_run_by_the_proxy_brings_pictures(app: Any) -> None:
    answer = app.make("run", {})

    assert len(answer.images) == 1
    assert answer.asked == ["run"]
    assert app.world.front.headers["x-fal-target-url"] == "https://fal.run/fal-ai/gpt-image-1.5"


@pytest.mark.works("subscribe, with logs", *PROXIED)
def test_a_subscription_by_the_proxy_follows_its_request(app: Any) -> None:
    answer = app.make("subscribe", {}, logs=True)

    assert len(answer.images) == 1
    assert answer.steps == ["submit", "status", "result"]
    assert answer.statuses[-1] == "COMPLETED"


@pytest.mark.works("subscribe, streaming", *PROXIED)
def test_a_stream_by_the_proxy_tells_each_line_once(app: Any) -> None:
    answer = app.make("subscribe", {}, logs=True, mode="streaming")

    assert len(answer.images) == 1
    assert answer.steps == ["submit", "status/stream", "result"]
    lines = [line["message"] for line in answer.updates[-1]["logs"]]
    assert len(lines) == len(set(lines)) > 0


@pytest.mark.works("cancel", *PROXIED)
def test_a_cancel_by_the_proxy_takes_a_request_back(app: Any) -> None:
    app.world.turn(queue_s=60)
    app.make("submit", {})
    answer = app.about("cancel")

    assert answer.said["ok"]
    assert answer.asked == ["cancel"]


@pytest.mark.works("422", *PROXIED)
def test_an_error_by_the_proxy_keeps_its_status(app: Any) -> None:
    answer = app.make("run", {"num_images": 9})

    assert (answer.said["status"], answer.said["error"]) == (422, "ValidationError")


@pytest.mark.works("401", *PROXIED)
def test_the_proxy_needs_the_key_of_an_app(app: Any) -> None:
    call = {"call": "run", "arguments": {"prompt": app.prompt}, "options": {}}
    answer = app.call(call, key="not a key")

    assert answer.said["status"] == 401


@pytest.mark.works("run", "javascript-proxystring", defect=IGNORED)
@pytest.mark.works("run", "javascript-proxyurl<1.10.0", defect=IGNORED)
def test_without_a_word_for_node_the_proxy_is_not_used(app: Any) -> None:
    answer = app.make("run", {})

    assert not answer.said["ok"]
    assert answer.asked == []
