"""A submit to the sandbox: what leaves, and what each answer of fal's is taken for."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from falgate import __version__
from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted, Lost, Rejected
from falgate.models.endpoints import MODELS

ENDPOINT = "fal-ai/gpt-image-1.5"
SPEC = MODELS[ENDPOINT]
BODY = SPEC.purchase(SPEC.input(prompt='Ein "Fuchs", красный\n🦊', quality="low"), 2)

LOST = {
    **{f"{status} {at}": {"fault": "error", "status": status, "at": at}
       for status in (408, 499, 500, 502, 503, 504) for at in ("submit", "accepted")},
    **{f"{fault} {at}": {"fault": fault, "at": at}
       for fault in ("ingress", "junk", "dropped", "truncated", "huge")
       for at in ("submit", "accepted")},
}  # fmt: skip
JUNK = {
    "a number for an id": '{"request_id":5}',
    "no id": '{"request_id":null}',
    "an empty id": '{"request_id":""}',
    "an id that is a path": '{"request_id":"../../elsewhere"}',
    "an id with a query": '{"request_id":"a?b=c"}',
    "an id with a line feed": '{"request_id":"abc\\n"}',
    "an id of other digits": '{"request_id":"\\u0661\\u0662"}',
    "a long id": f'{{"request_id":"{"a" * 65}"}}',
    "a list": "[]",
    "text": '"accepted"',
    "nothing": "",
    "deep": "[" * 100_000,
    "a surrogate": '{"request_id":"\\ud800"}',
}


async def test_what_leaves_is_the_order_with_everything_that_keeps_it_at_one_billable_run(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    submission = await queue(start_timeout_s=77).submit(ENDPOINT, BODY, "job")
    [entry] = fal.books()["submits"]
    assert submission == Accepted(entry["request_id"])
    assert entry["model"] == ENDPOINT
    assert entry["input"] == BODY
    assert entry["input"]["sync_mode"] is False
    assert entry["webhook"] is None
    lifecycle = entry["headers"].pop("x-fal-object-lifecycle-preference")
    assert json.loads(lifecycle)["expiration_duration_seconds"] >= 24 * 3600
    assert entry["headers"] == {
        "authorization": "Key",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"falgate/{__version__}",
        "x-fal-no-retry": "1",
        "x-app-fal-disable-fallback": "true",
        "x-fal-request-timeout": "77",
        "x-fal-queue-priority": "normal",
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 429])
async def test_a_4xx_is_a_refusal_and_comes_with_fals_own_words(
    fal: Any, queue: Callable[..., FalQueue], status: int
) -> None:
    fal.turn(fault="error", status=status)
    submission = await queue().submit(ENDPOINT, BODY, "job")
    assert isinstance(submission, Rejected)
    assert submission.answer.status == status
    assert submission.answer.body["detail"]
    assert ("x-fal-needs-retry" in submission.answer.headers) == (status == 429)
    books = fal.books()
    assert (len(books["submits"]), books["accepted"]) == (1, 0)


async def test_a_refusal_in_no_json_has_a_body_all_the_same(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    for body in ("<html>", '"text"', "[1]"):
        fal.turn(fault="error", status=403, body=body)
        submission = await queue().submit(ENDPOINT, BODY, "job")
        assert isinstance(submission, Rejected)
        assert submission.answer.body == {"detail": "fal answered 403"}


@pytest.mark.parametrize("dials", LOST.values(), ids=LOST)
async def test_an_unclear_answer_is_lost_whether_or_not_fal_has_taken_it(
    fal: Any, queue: Callable[..., FalQueue], dials: dict[str, Any]
) -> None:
    fal.turn(**dials)
    assert isinstance(await queue().submit(ENDPOINT, BODY, "job"), Lost)
    books = fal.books()
    assert (len(books["submits"]), books["accepted"]) == (1, dials["at"] == "accepted")


@pytest.mark.parametrize("fault", ["slow", "hangs"])
@pytest.mark.parametrize("at", ["submit", "accepted"])
async def test_an_answer_that_is_not_whole_by_the_deadline_is_lost(
    fal: Any, queue: Callable[..., FalQueue], monkeypatch: pytest.MonkeyPatch, fault: str, at: str
) -> None:
    monkeypatch.setattr("falgate.fal.client._SUBMIT_S", 0.4)
    fal.turn(fault=fault, at=at)
    assert isinstance(await queue().submit(ENDPOINT, BODY, "job"), Lost)
    books = fal.books()
    assert (len(books["submits"]), books["accepted"]) == (1, at == "accepted")


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK)
async def test_a_200_without_a_sound_id_is_lost(
    fal: Any, queue: Callable[..., FalQueue], body: str
) -> None:
    fal.turn(fault="junk", at="accepted", body=body)
    assert isinstance(await queue().submit(ENDPOINT, BODY, "job"), Lost)
    assert fal.books()["accepted"] == 1


@pytest.mark.parametrize("fault", ["foreign", "mistyped"])
async def test_the_id_is_all_that_is_taken_from_an_acceptance(
    fal: Any, queue: Callable[..., FalQueue], fault: str
) -> None:
    fal.turn(fault=fault, at="accepted")
    submission = await queue().submit(ENDPOINT, BODY, "job")
    [entry] = fal.books()["submits"]
    assert submission == Accepted(entry["request_id"])


async def test_each_of_many_submits_at_once_is_sent_once_and_answered_with_its_own_id(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    client = queue()
    bodies = [{**BODY, "prompt": f"fox {index}"} for index in range(60)]
    submissions = await asyncio.gather(*(client.submit(ENDPOINT, b, "job") for b in bodies))
    prompts = {entry["request_id"]: entry["input"]["prompt"] for entry in fal.books()["submits"]}
    assert len(prompts) == 60
    for body, submission in zip(bodies, submissions, strict=True):
        assert isinstance(submission, Accepted)
        assert prompts[submission.request_id] == body["prompt"]
