"""Models of other owners, and with several parts in their ids, by each way of calling."""

from typing import Any

import pytest

EVERY = ("python", "python-async", "javascript", "javascript-fetch")
PROXIED = ("javascript-proxied", "javascript-proxyurl>=1.10.0", "javascript-browser")

MODELS = (
    "openai/gpt-image-2",
    "openai/gpt-image-2.5/flare/text-to-image",
    "openai/gpt-image-2.5/sunburst/text-to-image",
)


@pytest.mark.works("run, OpenAI's models", *EVERY, *PROXIED)
def test_run_returns_the_pictures_of_models_of_another_owner(app: Any) -> None:
    for model in MODELS:
        answer = app.make("run", {"output_format": "webp"}, model=model)

        assert [image["content_type"] for image in answer.images] == ["image/webp"]
        assert answer.asked == ["run"]
    assert len(app.world.bought(app.prompt)) == len(MODELS)


@pytest.mark.works("subscribe, OpenAI's models", "python", "python-async", "javascript", *PROXIED)
def test_a_request_is_followed_by_the_first_two_parts_of_the_id(app: Any) -> None:
    for model in MODELS:
        answer = app.make("subscribe", {}, model=model)

        assert len(answer.images) == 1
        assert answer.steps == ["submit", "status", "result"]


@pytest.mark.works("subscribe, streaming, OpenAI's models", "javascript", *PROXIED)
def test_a_stream_of_statuses_is_found_by_the_first_two_parts_of_the_id(app: Any) -> None:
    answer = app.make("subscribe", {}, model=MODELS[1], mode="streaming")

    assert len(answer.images) == 1
    assert answer.steps == ["submit", "status/stream", "result"]
