"""Errors as the client's own exceptions: which class, what it says, and no second try."""

from typing import Any

import pytest

FULL = ("python>=0.11", "python-async>=0.11", "javascript")
WORDS = ("python<0.11", "python-async<0.11")
ONLY_WORDS = "raises an exception that has the words of the error and no status"


def raised(app: Any, answer: Any, status: int) -> Any:
    """The body of an error, once it is known to be one of the client's own."""
    said = answer.said
    assert said["status"] == status, said
    if not app.is_python:
        assert "ApiError" in said["classes"]
    elif app.defect:
        assert said["classes"][:2] == ["FalClientError", "Exception"]
        assert not said["tells_status"]
        assert str(said["body"].get("detail", "NOT_FOUND")) in said["message"]
    else:
        assert "FalClientHTTPError" in said["classes"]
        assert said["tells_status"]
    return said["body"]


@pytest.mark.works("422 of `run`", *FULL, "javascript-fetch")
@pytest.mark.works("422 of `run`", *WORDS, defect=ONLY_WORDS)
def test_bad_input_is_the_clients_own_error_with_every_problem(app: Any) -> None:
    answer = app.make("run", {"num_images": 9})

    body = raised(app, answer, 422)
    assert [problem["loc"] for problem in body["detail"]] == [["body", "num_images"]]
    assert app.is_python or answer.said["error"] == "ValidationError"
    assert answer.asked == ["run"]


@pytest.mark.works("422 of `subscribe`", *FULL)
@pytest.mark.works("422 of `subscribe`", *WORDS, defect=ONLY_WORDS)
def test_bad_input_of_a_queued_request_is_told_by_its_result(app: Any) -> None:
    answer = app.make("subscribe", {"num_images": 9})

    body = raised(app, answer, 422)
    assert [problem["loc"] for problem in body["detail"]] == [["body", "num_images"]]
    assert app.is_python or answer.said["error"] == "ValidationError"


@pytest.mark.works("401", *FULL)
@pytest.mark.works("401", *WORDS, defect=ONLY_WORDS)
def test_an_unknown_key_is_refused_at_once(app: Any) -> None:
    call = {"arguments": {"prompt": app.prompt}, "options": {}}

    for name in ("run", "submit"):
        answer = app.call({"call": name, **call}, key="not a key")
        assert "detail" in raised(app, answer, 401)
        assert answer.asked == [name]


@pytest.mark.works("402", *FULL)
@pytest.mark.works("402", *WORDS, defect=ONLY_WORDS)
def test_an_exhausted_budget_is_refused_at_once(app: Any) -> None:
    call = {"arguments": {"prompt": app.prompt, "quality": "low"}, "options": {}}

    for name in ("run", "submit"):
        answer = app.call({"call": name, **call}, key=app.world.poor_key)
        assert raised(app, answer, 402)["error_type"] == "budget_exceeded"
        assert answer.asked == [name]


@pytest.mark.works("404, model", *FULL)
@pytest.mark.works("404, model", *WORDS, defect=ONLY_WORDS)
def test_an_unknown_model_is_not_found(app: Any) -> None:
    call = {"model": "fal-ai/nothing", "arguments": {"prompt": app.prompt}, "options": {}}

    for name in ("run", "submit"):
        answer = app.call({"call": name, **call})
        assert raised(app, answer, 404) == {"detail": 'Application "nothing" not found'}
        assert answer.asked == [name]


@pytest.mark.works("404, request", *FULL)
@pytest.mark.works("404, request", *WORDS, defect=ONLY_WORDS)
def test_an_unknown_request_is_not_found(app: Any) -> None:
    unknown = "019a0000-0000-7000-8000-000000000000"

    for name in ("status", "cancel"):
        answer = app.call({"call": name, "request_id": unknown})
        assert raised(app, answer, 404) == {"status": "NOT_FOUND"}
        assert answer.asked == [name]


@pytest.mark.works("404, request, by `result`", "javascript")
def test_the_result_of_an_unknown_request_is_not_found(app: Any) -> None:
    answer = app.call({"call": "result", "request_id": "019a0000-0000-7000-8000-000000000000"})

    assert raised(app, answer, 404) == {"detail": "Request not found"}
    assert answer.asked == ["result"]
