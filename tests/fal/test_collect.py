"""Following a request at the sandbox to its end, however fal answers on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted, Delivered, Failed, Lost, Result
from falgate.models.endpoints import MODELS
from falgate.sandbox.app import create_sandbox
from falgate.sandbox.behaviour import Behaviour

SPEC = MODELS["fal-ai/gpt-image-1.5"]
BODY = SPEC.purchase(SPEC.input(prompt="a fox", quality="low"), 1)
WEATHER: dict[str, dict[str, Any]] = {
    **{
        f"{fault} at the {at}": {"fault": fault, "at": at, "faults": 2}
        for fault in ("ingress", "junk", "dropped", "truncated", "huge", "foreign", "mistyped")
        for at in ("status", "result")
    },
    **{
        f"{status} at the status": {"fault": "error", "status": status, "at": "status", "faults": 6}
        for status in (401, 403, 408, 429, 500, 502, 503, 504)
    },
    **{
        f"{status} at the result": {"fault": "error", "status": status, "at": "result", "faults": 6}
        for status in (401, 403, 408, 429, 500, 502, 503, 504)
    },
    "404 at the status": {"fault": "error", "status": 404, "at": "status", "faults": 2},
    "404 at the result": {"fault": "error", "status": 404, "at": "result", "faults": 2},
    "400 at the result": {"fault": "error", "status": 400, "at": "result", "faults": 2},
    "a long trouble before the result": {"fault": "ingress", "at": "result", "faults": 20},
}
FAILURES = {
    "content_policy_violation": 422,
    "no_media_generated": 422,
    "generation_timeout": 504,
    "internal_server_error": 500,
    "downstream_service_error": 500,
    "downstream_service_unavailable": 500,
}


@pytest.fixture
async def run(fal: Any, queue: Callable[..., FalQueue]) -> Callable[..., Awaitable[Result]]:
    """Turns the dials, then submits and collects."""

    async def submit_and_collect(**dials: Any) -> Result:
        fal.turn(**{"work_s": 0.02, **dials})
        client = queue()
        submission = await client.submit(SPEC.endpoint, BODY, "job")
        assert isinstance(submission, Accepted)
        return await client.collect(SPEC, submission.request_id)

    return submit_and_collect


async def test_a_job_is_followed_through_the_queue_by_looks_and_through_its_work_by_a_stream(
    run: Callable[..., Awaitable[Result]], fal: Any
) -> None:
    result = await run(queue_s=0.3, work_s=0.5)
    assert isinstance(result, Delivered)
    assert result.units == "1.0"
    assert len(SPEC.files(result.output)) == 1
    visits = fal.books()["visits"]
    assert visits["status/stream"] == visits["result"] == 1
    assert 2 <= visits["status"] <= 40


async def test_a_job_that_is_done_already_takes_one_look_and_its_result(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    fal.turn(work_s=0)
    client = queue()
    submission = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(submission, Accepted)
    # Another client, as after an adoption, needs no more than the id; and it may ask again.
    for _ in range(2):
        assert isinstance(await queue().collect(SPEC, submission.request_id), Delivered)
    assert fal.books()["visits"] == {"status": 2, "result": 2}


@pytest.mark.parametrize("dials", WEATHER.values(), ids=WEATHER)
async def test_what_passes_does_not_cost_the_result(
    run: Callable[..., Awaitable[Result]], dials: dict[str, Any]
) -> None:
    result = await run(**dials)
    assert isinstance(result, Delivered)
    assert len(SPEC.files(result.output)) == 1


@pytest.mark.parametrize("at", ["status", "result"])
@pytest.mark.parametrize("fault", ["slow", "hangs"])
async def test_a_look_that_takes_too_long_is_given_up_and_repeated(
    run: Callable[..., Awaitable[Result]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    at: str,
) -> None:
    monkeypatch.setattr("falgate.fal.client._LOOK_S", 0.3)
    monkeypatch.setattr("falgate.fal.stream._STREAM_S_MAX", 0.3)
    assert isinstance(await run(fault=fault, at=at, faults=1), Delivered)


@pytest.mark.parametrize(("outcome", "status"), FAILURES.items())
async def test_a_jobs_own_failure_is_its_ending(
    run: Callable[..., Awaitable[Result]], fal: Any, outcome: str, status: int
) -> None:
    result = await run(outcome=outcome)
    assert isinstance(result, Failed)
    assert (result.answer.status, result.units) == (status, None)
    assert result.answer.body["detail"][0]["type"] == outcome
    assert result.answer.headers["x-fal-needs-retry"] == ("0" if status == 422 else "1")
    # What the status told is believed at once.
    assert fal.books()["visits"]["result"] == 1


async def test_units_come_with_a_failure_where_fal_names_them(
    run: Callable[..., Awaitable[Result]],
) -> None:
    for units in ("0", "1.0"):
        result = await run(outcome="content_policy_violation", units=units)
        assert isinstance(result, Failed)
        assert result.units == units


async def test_an_input_that_fal_refuses_ends_as_such_with_no_units(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    client = queue()
    submission = await client.submit(SPEC.endpoint, {**BODY, "num_images": 9}, "job")
    assert isinstance(submission, Accepted)
    result = await client.collect(SPEC, submission.request_id)
    assert isinstance(result, Failed)
    assert (result.answer.status, result.units) == (422, "0")
    assert fal.books()["billed_micros"] == 0


async def test_a_job_that_fal_does_not_start_in_time_ends_as_fals_time_out(
    fal: Any, queue: Callable[..., FalQueue]
) -> None:
    fal.turn(outcome="never_starts")
    client = queue(start_timeout_s=1)
    submission = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(submission, Accepted)
    result = await client.collect(SPEC, submission.request_id)
    assert isinstance(result, Failed)
    assert result.answer.status == 504
    assert result.answer.headers["x-fal-request-timeout-type"] == "user"


async def test_a_cancelled_job_ends_as_cancelled(fal: Any, queue: Callable[..., FalQueue]) -> None:
    fal.turn(outcome="never_starts")
    client = queue()
    submission = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(submission, Accepted)
    following = asyncio.create_task(client.collect(SPEC, submission.request_id))
    fal.cancel(submission.request_id)
    result = await following
    assert isinstance(result, Failed)
    assert result.answer.status == 499


@pytest.mark.parametrize(("status", "body"), [(500, None), (502, None), (503, "<html>")])
async def test_a_5xx_of_a_job_that_ended_well_never_ends_it_however_often_it_comes(
    run: Callable[..., Awaitable[Result]],
    fal: Any,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: str | None,
) -> None:
    monkeypatch.setattr("falgate.fal.client._FOLLOW_S_MAX", 0.6)
    result = await run(fault="error", at="result", status=status, body=body)
    assert result == Lost("fal did not finish in time")
    books = fal.books()
    assert books["visits"]["result"] > 3
    assert books["billed_micros"] > 0


@pytest.mark.parametrize("fault", ["error", "ingress"])
async def test_a_5xx_does_not_hide_the_refusal_that_the_status_told(
    run: Callable[..., Awaitable[Result]], fal: Any, fault: str
) -> None:
    result = await run(
        outcome="content_policy_violation", billed_percent=100, fault=fault, at="result", faults=6
    )
    assert isinstance(result, Failed)
    assert result.answer.status == 422
    assert fal.books()["visits"]["result"] == 7


@pytest.mark.parametrize("outcome", ["pictures", "content_policy_violation"])
async def test_an_error_of_what_stands_before_fal_never_ends_a_job(
    run: Callable[..., Awaitable[Result]], monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    monkeypatch.setattr("falgate.fal.client._FOLLOW_S_MAX", 0.3)
    assert isinstance(await run(fault="ingress", at="result", outcome=outcome), Lost)


@pytest.mark.parametrize(
    "dials",
    [
        {"at": "status", "fault": "error", "status": 404},
        {"at": "status", "fault": "error", "status": 405},
        {"at": "status", "fault": "junk"},
        {"at": "status", "fault": "junk", "body": '{"status":7}'},
        {"at": "status", "fault": "huge"},
        {"at": "result", "fault": "error", "status": 404},
        {"at": "result", "fault": "error", "status": 400},
        {"at": "result", "fault": "junk"},
        {"at": "result", "fault": "huge"},
    ],
)
async def test_a_request_that_fal_does_not_know_or_makes_no_sense_of_is_lost_after_a_few_looks(
    run: Callable[..., Awaitable[Result]], fal: Any, dials: dict[str, Any]
) -> None:
    assert isinstance(await run(**dials), Lost)
    assert fal.books()["visits"][dials["at"]] == 3


async def test_an_unknown_request_is_lost(fal: Any, queue: Callable[..., FalQueue]) -> None:
    result = await queue().collect(SPEC, "0199aaaa-0000-7000-8000-000000000000")
    assert isinstance(result, Lost)
    assert fal.books()["visits"] == {"status": 3}


async def test_a_job_that_never_ends_is_lost_when_its_time_is_over(
    run: Callable[..., Awaitable[Result]], fal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.client._FOLLOW_S_MAX", 0.6)
    assert isinstance(await run(outcome="never_ends"), Lost)
    assert fal.books()["visits"]["status/stream"] == 1


async def test_a_stream_that_tells_nothing_is_left_for_a_look(
    run: Callable[..., Awaitable[Result]], fal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.stream._STREAM_S_MAX", 0.15)
    assert isinstance(await run(work_s=0.4, keepalive_s=0.02), Delivered)
    assert fal.books()["visits"]["status/stream"] > 1


async def test_a_stream_that_falls_silent_is_left_for_a_look(
    run: Callable[..., Awaitable[Result]], fal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.stream._SILENCE_S", 0.15)
    assert isinstance(await run(work_s=0.4), Delivered)
    assert fal.books()["visits"]["status/stream"] > 1


@pytest.mark.parametrize(
    ("outcome", "pictures"), [("no_pictures", 0), ("too_few", 0), ("too_many", 2)]
)
async def test_another_number_of_pictures_is_delivered_as_it_came(
    run: Callable[..., Awaitable[Result]], outcome: str, pictures: int
) -> None:
    result = await run(outcome=outcome)
    assert isinstance(result, Delivered)
    assert len(SPEC.files(result.output)) == pictures


@pytest.mark.parametrize("body", ["[]", '{"images":7}', '{"images":[{"url":7},"x"]}', "null"])
async def test_json_of_another_form_is_delivered_without_pictures(
    run: Callable[..., Awaitable[Result]], body: str
) -> None:
    result = await run(fault="junk", at="result", body=body)
    assert isinstance(result, Delivered)
    assert SPEC.files(result.output) == ()


async def test_the_sandbox_in_this_process_is_used_without_a_socket() -> None:
    app = create_sandbox(MODELS, behaviour=Behaviour(queue_s=0.05, work_s=0.1))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # two spellings of ASGI
    client = FalQueue("sandbox", "http://queue.sandbox", key="id:secret", transport=transport)
    submission = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(submission, Accepted)
    result = await client.collect(SPEC, submission.request_id)
    assert isinstance(result, Delivered)
    [file] = SPEC.files(result.output)
    assert (await client.download(file["url"])).startswith(b"\x89PNG\r\n")
    await client.close()
