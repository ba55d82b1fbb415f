"""The sandbox speaks fal's protocol well enough for fal's own clients to work against it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS
from falgate.sandbox.app import create_sandbox
from falgate.sandbox.behaviour import Behaviour

MODEL = "fal-ai/gpt-image-1.5"
FOX = {"prompt": "a fox", "quality": "low", "num_images": 2, "output_format": "webp"}

Drive = Callable[[Any, list[dict[str, Any]]], list[dict[str, Any]]]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """One call of a client; without arguments it is about the request submitted before."""
    return {"call": name, "model": MODEL, "arguments": arguments}


def images(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The pictures of an answer, which JavaScript has beside the request's id."""
    assert answer["ok"], answer
    result = answer["result"]
    found: list[dict[str, Any]] = result.get("data", result)["images"]
    return found


def status_of(answer: dict[str, Any]) -> str:
    """What a client calls it: JavaScript by fal's word, Python by a class."""
    result = answer["result"]
    return str(result.get("status", result.get("type"))).upper()


@pytest.fixture(scope="module")
def sandbox(serve: Callable[[Any, str], AbstractContextManager[Any]]) -> Iterator[Any]:
    app = create_sandbox(MODELS, behaviour=Behaviour(work_s=0.05))
    with serve(app, "id:secret") as target:
        yield target


@pytest.fixture
def dials(sandbox: Any) -> Iterator[Callable[..., None]]:
    """Turn the sandbox's dials until the test is over."""
    url = f"{sandbox.base_url}/sandbox/dials"

    def turn(**change: Any) -> None:
        httpx.post(url, json=change, timeout=PATIENCE_S).raise_for_status()

    yield turn
    httpx.delete(url, timeout=PATIENCE_S).raise_for_status()


def test_run_returns_the_pictures(drive: Drive, sandbox: Any) -> None:
    (answer,) = drive(sandbox, [call("run", **FOX)])

    assert [image["content_type"] for image in images(answer)] == ["image/webp"] * 2
    assert answer["attempts"] == 1
    for image in images(answer):
        # Its https addresses are for those that trust the certificate; the bytes are the same.
        path = httpx.URL(image["url"]).path
        assert httpx.get(sandbox.base_url + path, timeout=PATIENCE_S).content[8:12] == b"WEBP"


def test_subscribe_follows_the_queue_to_the_same_pictures(drive: Drive, sandbox: Any) -> None:
    (answer,) = drive(sandbox, [call("subscribe", **FOX)])

    assert len(images(answer)) == 2
    assert answer["attempts"] >= 3


def test_a_submitted_request_is_found_again_by_its_id(drive: Drive, sandbox: Any) -> None:
    """What is submitted later ends later, so that the first has ended with the second."""
    submitted, second, result, last = drive(
        sandbox, [call("submit", **FOX), call("subscribe", **FOX), call("result"), call("status")]
    )

    assert submitted["ok"], submitted
    assert len(images(second)) == 2
    assert len(images(result)) == 2
    assert status_of(last) == "COMPLETED"


def test_a_queued_request_can_be_cancelled(
    drive: Drive, sandbox: Any, dials: Callable[..., None]
) -> None:
    dials(queue_s=60)

    submitted, waiting, cancelled = drive(
        sandbox, [call("submit", **FOX), call("status"), call("cancel")]
    )

    assert submitted["ok"], submitted
    assert status_of(waiting) in {"IN_QUEUE", "QUEUED"}
    assert cancelled["ok"], cancelled
    books = httpx.get(f"{sandbox.base_url}/sandbox/books", timeout=PATIENCE_S).json()
    (booked,) = (
        entry
        for entry in books["submits"]
        if entry["request_id"] == submitted["result"]["request_id"]
    )
    assert booked["cancelled_s"] is not None


def test_a_bad_argument_raises_with_fals_array_of_problems(drive: Drive, sandbox: Any) -> None:
    answers = drive(
        sandbox, [call(name, prompt="a fox", num_images=9) for name in ("run", "subscribe")]
    )

    for answer in answers:
        assert answer["status"] == 422
        assert [problem["loc"] for problem in answer["body"]["detail"]] == [["body", "num_images"]]
    assert answers[0]["attempts"] == 1


def test_an_unknown_model_raises_at_once(drive: Drive, sandbox: Any) -> None:
    (answer,) = drive(sandbox, [{**call("run", **FOX), "model": "fal-ai/nothing"}])

    assert (answer["status"], answer["attempts"]) == (404, 1)


def test_a_wrong_key_raises_at_once(drive: Drive, sandbox: Any) -> None:
    (answer,) = drive(sandbox._replace(key="not a key of fal's"), [call("run", **FOX)])

    assert (answer["status"], answer["attempts"]) == (401, 1)
