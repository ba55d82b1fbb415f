"""Refused looks at a result: which are how the job has ended, and which say nothing about it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.fal.client import FalQueue
from falgate.fal.replies import Delivered, Failed, FalAnswer
from falgate.models.endpoints import MODELS

SPEC = MODELS["fal-ai/gpt-image-1.5"]
ID = "0199aaaa-0000-7000-8000-000000000000"
OUTPUT = '{"images":[{"url":"https://v3.fal.media/files/b/x/0.png"}]}'


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("error", [None, "Invalid status code: 422"])
async def test_a_5xx_that_the_status_does_not_bear_out_is_waited_out(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    status: int,
    error: str | None,
) -> None:
    refusal = say(422, '{"detail":[]}', x_fal_billable_units="0")
    script = {
        "status": [say(200, json.dumps({"status": "COMPLETED", "error": error}))],
        "result": [
            *[say(status, "nginx"), say(status, '{"detail":"?"}', x_fal_request_id=ID)] * 3,
            refusal if error else say(200, OUTPUT),
        ],
    }
    far = await peer(script)
    result = await queue(far.url).collect(SPEC, ID)
    assert isinstance(result, Failed if error else Delivered)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "told",
    [
        {"error": "Invalid status code: 500"},
        {"error": "The runner went away"},
        {"error_type": "internal_error"},
        {"error": None, "error_type": "runner_disconnected"},
    ],
)
async def test_a_5xx_of_fals_is_the_jobs_own_at_once_where_its_status_tells_an_error(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    status: int,
    told: dict[str, str | None],
) -> None:
    done = json.dumps({"status": "COMPLETED", **told})
    own = say(status, '{"detail":"no"}', x_fal_request_id=ID)
    far = await peer({"status": [say(200, done)], "result": [own, say(200, OUTPUT)]})
    result = await queue(far.url).collect(SPEC, ID)
    assert result == Failed(FalAnswer(status, {"detail": "no"}, {}), None)


async def test_a_5xx_that_is_not_fals_is_waited_out_whatever_the_status_tells(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    done = '{"status":"COMPLETED","error_type":"content_policy_violation"}'
    results = [*[say(502, "nginx")] * 6, say(422, '{"detail":"no"}')]
    far = await peer({"status": [say(200, done)], "result": results})
    result = await queue(far.url).collect(SPEC, ID)
    assert result == Failed(FalAnswer(422, {"detail": "no"}, {}), None)


@pytest.mark.parametrize("told", [{"error": ""}, {"error": None, "error_type": None}])
async def test_a_status_that_names_no_error_bears_out_no_5xx_even_with_units(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    told: dict[str, str | None],
) -> None:
    done = json.dumps({"status": "COMPLETED", **told})
    trouble = say(500, '{"detail":"?"}', x_fal_request_id=ID, x_fal_billable_units="0")
    far = await peer({"status": [say(200, done)], "result": [*[trouble] * 6, say(200, OUTPUT)]})
    assert isinstance(await queue(far.url).collect(SPEC, ID), Delivered)


@pytest.mark.parametrize(
    ("told", "status", "headers"),
    [
        ("Invalid status code: 409", 409, {}),
        (None, 422, {}),
        (None, 404, {"x_fal_billable_units": "0"}),
        (None, 400, {"x_fal_billable_units": "1.0"}),
    ],
)
async def test_a_failure_is_the_jobs_own_where_its_status_tells_it_or_units_or_a_422(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    say: Callable[..., bytes],
    *,
    told: str | None,
    status: int,
    headers: dict[str, str],
) -> None:
    done = json.dumps({"status": "COMPLETED", "error": told})
    script = {"status": [say(200, done)], "result": [say(status, '{"detail":"no"}', **headers)]}
    far = await peer(script)
    result = await queue(far.url).collect(SPEC, ID)
    units = headers.get("x_fal_billable_units")
    assert result == Failed(FalAnswer(status, {"detail": "no"}, {}), units)
    assert len(far.heard) == 2


async def test_a_refused_look_is_not_taken_for_the_failure_that_the_status_told(
    peer: Callable[..., Awaitable[Any]], queue: Callable[..., FalQueue], say: Callable[..., bytes]
) -> None:
    told = '{"status":"COMPLETED","error":"x","error_type":"bad_request"}'
    looks = [say(status, '{"detail":"?"}') for status in (401, 403, 429)]
    far = await peer({"status": [say(200, told)], "result": [*looks, say(400, '{"detail":"no"}')]})
    result = await queue(far.url).collect(SPEC, ID)
    assert isinstance(result, Failed)
    assert (result.answer.status, result.answer.body) == (400, {"detail": "no"})
