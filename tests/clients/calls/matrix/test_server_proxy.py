"""Fal's proxy for an app's server, by Express and by Hono, between an app and the server."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FOX = {"num_images": 2, "output_format": "webp"}
BOTH = ("express", "hono")
UNKNOWN = {"call": "run", "model": "fal-ai/nothing", "options": {}}
LOSES_STATUS = "loses the status: an error comes as a result, of which `detail` is a part"


@pytest.fixture(scope="session")
def proxies(world: Any, environment_of: Callable[[str], Path]) -> Iterator[dict[str, str]]:
    """The URLs of both proxies."""
    node = shutil.which("node") or pytest.fail("Node is missing: apt-get install nodejs")
    script = Path(__file__).parent.parent.parent / "javascript" / "serve_proxy.mjs"
    host = world.target.base_url.removeprefix("http://")
    with subprocess.Popen(
        [node, script, host],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=environment_of("javascript-server-proxy-1.2.1"),
        env={"FAL_KEY": world.target.key},
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


@pytest.fixture
def app(app: Any, proxies: dict[str, str]) -> Any:
    """An app in a browser: it has no key, and asks its server."""
    app.way = {"style": "server-proxy", "proxy": proxies[app.client.group]}
    return app


@pytest.mark.works("run", *BOTH)
def test_run_goes_through(app: Any) -> None:
    answer = app.make("run", FOX)

    assert len(answer.images) == 2
    assert answer.asked == ["run"]


@pytest.mark.works("submit, status, result", *BOTH)
def test_a_queued_request_goes_through(app: Any) -> None:
    submitted = app.make("submit", FOX)
    status = app.about("status", **app.logs)
    app.make("subscribe", {**FOX, "num_images": 1})
    result = app.about("result")

    assert submitted.result["request_id"]
    assert status.status in {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}
    assert len(result.images) == 1
    assert [answer.asked for answer in (submitted, status, result)] == [
        ["submit"],
        ["status"],
        ["result"],
    ]


@pytest.mark.works("subscribe, with logs", *BOTH)
def test_subscribe_goes_through(app: Any) -> None:
    answer = app.make("subscribe", FOX, **app.logs)

    assert len(answer.images) == 2
    assert answer.statuses[-1] == "COMPLETED"
    assert answer.steps == ["submit", "status", "result"]


@pytest.mark.works("subscribe, streaming", *BOTH)
def test_a_stream_of_statuses_goes_through(app: Any) -> None:
    answer = app.make("subscribe", FOX, mode="streaming")

    assert len(answer.images) == 2
    assert answer.asked == ["submit", "status/stream", "result"]


@pytest.mark.works("cancel", "express")
def test_cancel_goes_through(app: Any) -> None:
    app.world.turn(queue_s=60)
    app.make("submit", FOX)

    answer = app.about("cancel")

    assert answer.said["ok"], answer.said
    assert answer.asked == ["cancel"]


@pytest.mark.works("cancel", "hono", defect="fails on a request without a body, and asks nobody")
def test_cancel_fails_in_the_proxy(app: Any) -> None:
    app.make("submit", FOX)

    answer = app.about("cancel")

    assert (answer.said["error"], answer.said["status"]) == ("ApiError", 500)
    assert answer.asked == []


@pytest.mark.works("422", "hono")
def test_bad_input_is_the_clients_own_error(app: Any) -> None:
    answer = app.make("run", {"num_images": 9})

    assert (answer.said["error"], answer.said["status"]) == ("ValidationError", 422)
    assert answer.asked == ["run"]


@pytest.mark.works("404, model", "hono")
def test_an_unknown_model_is_the_clients_own_error(app: Any) -> None:
    answer = app.call({**UNKNOWN, "arguments": {"prompt": app.prompt}})

    assert (answer.said["error"], answer.said["status"]) == ("ApiError", 404)
    assert answer.asked == ["run"]


@pytest.mark.works("422", "express", defect=LOSES_STATUS)
def test_bad_input_comes_as_a_result(app: Any) -> None:
    answer = app.make("run", {"num_images": 9})

    assert [problem["loc"] for problem in answer.result["detail"]] == [["body", "num_images"]]


@pytest.mark.works("404, model", "express", defect=LOSES_STATUS)
def test_an_unknown_model_comes_as_a_result(app: Any) -> None:
    answer = app.call({**UNKNOWN, "arguments": {"prompt": app.prompt}})

    assert answer.result == {"detail": 'Application "nothing" not found'}


@pytest.mark.works("subscribe, OpenAI's models", *BOTH)
def test_subscribe_goes_through_for_an_id_of_four_parts(app: Any) -> None:
    answer = app.make("subscribe", {}, model="openai/gpt-image-2.5/flare/text-to-image")

    assert len(answer.images) == 1
    assert answer.steps == ["submit", "status", "result"]


@pytest.mark.works("Blob in the input", *BOTH)
def test_a_blob_in_the_input_is_uploaded_past_the_proxy(app: Any, picture: str) -> None:
    arguments = {"prompt": app.prompt, "quality": "low"}
    call = {"call": "edit", "model": "openai/gpt-image-2/edit", "arguments": arguments}
    answer = app.call({**call, "blobs": [picture], "content_type": "image/png"})

    assert len(answer.images) == 1
    assert answer.asked == ["upload", "upload", "run"]
