"""fal's queue over HTTP: submit, status, stream, result and cancel, as fal answers them."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

MODEL = "/fal-ai/gpt-image-1.5"
QUEUE = f"/queue{MODEL}"
UNKNOWN = "00000000-0000-4000-8000-000000000000"

Ask = Callable[..., Awaitable[httpx.Response]]


async def completed(client: httpx.AsyncClient, urls: dict[str, Any], **headers: str) -> Any:
    """Poll as fal's clients do, until the request is completed; its last status."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.get(urls["status_url"], headers=headers)
            status = answer.json()
            assert answer.status_code == (200 if status["status"] == "COMPLETED" else 202)
            if status["status"] == "COMPLETED":
                return status


@pytest.mark.usefixtures("working")
async def test_a_request_goes_from_the_queue_to_its_pictures(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    answer = await ask(QUEUE)
    submitted = answer.json()
    request_id = submitted["request_id"]
    place = f"{str(client.base_url).rstrip('/')}{QUEUE}/requests/{request_id}"

    assert answer.status_code == 200
    assert submitted == {
        "status": "IN_QUEUE",
        "request_id": request_id,
        "response_url": place,
        "status_url": f"{place}/status",
        "cancel_url": f"{place}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }
    assert answer.headers["x-fal-request-id"] == request_id

    status = await completed(client, submitted)
    assert status["logs"] is None
    assert status["metrics"]["inference_time"] > 0
    assert status.keys() & {"error", "error_type"} == set()

    result = await client.get(submitted["response_url"])
    (image,) = result.json()["images"]
    assert result.status_code == 200
    assert result.headers["x-fal-request-id"] == request_id
    assert result.headers["x-fal-billable-units"] == "1"
    assert result.headers["x-falgate-cache"] == "miss"
    assert (await client.get(image["url"])).headers["content-type"] == "image/jpeg"


async def test_what_the_pool_has_is_completed_at_once(client: httpx.AsyncClient, ask: Ask) -> None:
    await ask()
    submitted = (await ask(QUEUE)).json()
    status = await client.get(submitted["status_url"])
    result = await client.get(submitted["response_url"])

    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert result.headers["x-falgate-cache"] == "hit"
    assert result.headers["x-fal-billable-units"] == "0"


@pytest.mark.usefixtures("working")
async def test_the_queue_and_a_run_share_one_purchase(client: httpx.AsyncClient, ask: Ask) -> None:
    submitted, run = await asyncio.gather(ask(QUEUE), ask())
    await completed(client, submitted.json())
    result = await client.get(submitted.json()["response_url"])

    assert result.json() == run.json()
    sources = sorted(each.headers["x-falgate-cache"] for each in (result, run))
    assert sources in (["coalesced", "miss"], ["hit", "miss"])


async def test_logs_are_told_to_whoever_asks_for_them_in_either_spelling(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    submitted = (await ask(QUEUE)).json()
    await completed(client, submitted)
    told = {
        spelt: (await client.get(f"{submitted['status_url']}?logs={spelt}")).json()["logs"]
        for spelt in ("1", "true", "0", "false", "")
    }

    assert told["1"] == told["true"]
    assert {"message", "timestamp", "level", "source"} == told["1"][0].keys()
    assert (told["0"], told["false"], told[""]) == (None, None, None)


@pytest.mark.usefixtures("working")
async def test_a_stream_tells_each_change_and_ends_with_the_completed_one(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    submitted = (await ask(QUEUE)).json()
    stream = f"{submitted['status_url']}/stream?logs=1"
    async with client.stream("GET", stream) as answer:
        body = (await answer.aread()).decode()
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert events[-1]["status"] == "COMPLETED"
    assert all(one != other for one, other in itertools.pairwise(events))
    assert {event["request_id"] for event in events} == {submitted["request_id"]}
    # Each line once: fal's client in JavaScript adds them up.
    lines = [line["message"] for event in events for line in event.get("logs") or ()]
    assert lines == ["Generating", "Finished"]


@pytest.mark.usefixtures("working")
async def test_a_result_that_is_not_there_yet_says_where_to_look(ask: Ask, serving: Any) -> None:
    async with serving.client() as client:
        submitted = (await ask(QUEUE)).json()
        early = await client.get(submitted["response_url"])
        urls = {name: submitted[name] for name in ("response_url", "status_url", "cancel_url")}

    assert early.status_code == 400
    assert early.json() == {
        "detail": "Request is still in progress",
        "request_id": submitted["request_id"],
        **urls,
    }


async def test_wrong_input_is_taken_and_told_with_the_result(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    submitted = await ask(QUEUE, num_images=9)
    status = (await client.get(submitted.json()["status_url"])).json()
    result = await client.get(submitted.json()["response_url"])
    run = await ask(num_images=9)

    assert submitted.status_code == 200
    assert status["status"] == "COMPLETED"
    assert status["error"] == "Invalid status code: 422"
    assert status["error_type"] == "less_than_equal"
    assert (result.status_code, result.json()) == (422, run.json())
    assert result.headers["x-fal-billable-units"] == "0"


@pytest.mark.usefixtures("working")
async def test_a_request_can_be_taken_back_once(client: httpx.AsyncClient, ask: Ask) -> None:
    submitted = (await ask(QUEUE)).json()
    first = await client.put(submitted["cancel_url"])
    second = await client.put(submitted["cancel_url"])
    status = (await client.get(submitted["status_url"])).json()
    result = await client.get(submitted["response_url"])

    assert (first.status_code, first.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert (second.status_code, second.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert (status["status"], status["error_type"]) == ("COMPLETED", "client_cancelled")
    assert (result.status_code, result.json()["error_type"]) == (499, "client_cancelled")


ALIASES = ("{place}/", "{place}/response", "{place}/response/", f"{QUEUE}/edit/requests/{{id}}")


@pytest.mark.parametrize("alias", ALIASES)
async def test_a_result_has_other_paths(client: httpx.AsyncClient, ask: Ask, alias: str) -> None:
    submitted = (await ask(QUEUE)).json()
    await completed(client, submitted)
    path = alias.format(place=submitted["response_url"], id=submitted["request_id"])

    assert (await client.get(path)).json()["images"]
    assert (await client.get(f"{submitted['status_url']}/")).status_code == 200


async def test_on_a_host_named_queue_the_same_paths_are_the_queue(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    host = {"Host": "queue.localhost"}
    submitted = (await ask(MODEL, headers=host)).json()
    place = f"http://queue.localhost{MODEL}/requests/{submitted['request_id']}"
    assert submitted["status_url"] == f"{place}/status"

    path = submitted["status_url"].removeprefix("http://queue.localhost")
    status = await completed(client, {"status_url": path}, **host)
    assert status["response_url"] == place


UNKNOWN_ANSWERS = {
    "status": ("GET", f"{QUEUE}/requests/{UNKNOWN}/status", {"status": "NOT_FOUND"}),
    "stream": ("GET", f"{QUEUE}/requests/{UNKNOWN}/status/stream", {"status": "NOT_FOUND"}),
    "cancel": ("PUT", f"{QUEUE}/requests/{UNKNOWN}/cancel", {"status": "NOT_FOUND"}),
    "result": ("GET", f"{QUEUE}/requests/{UNKNOWN}", {"detail": "Request not found"}),
}


@pytest.mark.parametrize("name", UNKNOWN_ANSWERS)
async def test_an_unknown_request_is_not_there_in_the_words_of_each_call(
    client: httpx.AsyncClient, name: str
) -> None:
    method, path, body = UNKNOWN_ANSWERS[name]
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()) == (404, body)
    assert answer.headers["x-fal-request-id"]


@pytest.mark.parametrize(
    ("method", "action"), [("GET", "/status"), ("GET", ""), ("PUT", "/cancel")]
)
async def test_a_request_is_there_for_its_own_app_only(
    client: httpx.AsyncClient, ask: Ask, gateway: Any, method: str, action: str
) -> None:
    submitted = (await ask(QUEUE)).json()
    place = submitted["response_url"]
    for other in (await gateway.issue(team="others"), await gateway.issue("test", "default")):
        headers = {"Authorization": f"Key {other}"}
        answer = await client.request(method, f"{place}{action}", headers=headers)
        assert answer.status_code == 404, answer.text

    assert (await completed(client, submitted))["status"] == "COMPLETED"
    foreign = place.replace("gpt-image-1.5", "flux")
    assert (await client.request(method, f"{foreign}{action}")).status_code == 404


WRONG = [
    ("GET", QUEUE, 405),
    ("PUT", f"{QUEUE}/requests/{UNKNOWN}", 405),
    ("GET", f"{QUEUE}/requests/{UNKNOWN}/cancel", 405),
    ("GET", f"{QUEUE}/requests/{UNKNOWN}/elsewhere", 404),
    ("POST", "/queue/fal-ai/flux", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), WRONG)
async def test_what_the_queue_does_not_have_is_refused(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json().keys()) == (status, {"detail"})


async def test_nobody_looks_without_a_key(client: httpx.AsyncClient, ask: Ask) -> None:
    submitted = (await ask(QUEUE)).json()
    for method, url in (("GET", "status_url"), ("GET", "response_url"), ("PUT", "cancel_url")):
        answer = await client.request(method, submitted[url], headers={"Authorization": "Key no"})
        assert answer.status_code == 401


async def test_the_same_idempotency_key_is_the_same_request(
    client: httpx.AsyncClient, ask: Ask, request: pytest.FixtureRequest
) -> None:
    key = {"Idempotency-Key": request.node.name}
    first, second = await asyncio.gather(ask(QUEUE, headers=key), ask(QUEUE, headers=key))
    run = await ask(headers=key)
    other = await ask(QUEUE, headers=key, num_images=2)

    request_id = first.json()["request_id"]
    assert second.json()["request_id"] == run.headers["x-fal-request-id"] == request_id
    assert run.json() == (await client.get(first.json()["response_url"])).json()
    assert (other.status_code, other.json()["error_type"]) == (422, "bad_request")


@pytest.mark.usefixtures("working")
async def test_new_pictures_are_bought_once_however_often_they_are_asked_for(
    client: httpx.AsyncClient, ask: Ask
) -> None:
    fresh = {"Cache-Control": "no-cache"}
    old = await ask()
    first, second = await asyncio.gather(ask(headers=fresh), ask(QUEUE, headers=fresh))
    again = await ask(headers=fresh)
    await completed(client, second.json())
    queued = await client.get(second.json()["response_url"])
    usual = await ask()

    assert first.headers["x-falgate-cache"] == "bypass"
    assert first.headers["cache-status"] == "falgate; fwd=request; stored"
    assert first.json() == again.json() == queued.json() != old.json()
    assert (usual.json(), usual.headers["x-falgate-cache"]) == (first.json(), "hit")


async def test_what_nobody_may_keep_is_bought_aside(ask: Ask) -> None:
    old = await ask()
    aside = await ask(headers={"Cache-Control": "no-store"})
    usual = await ask()

    assert aside.headers["x-falgate-cache"] == "bypass"
    assert aside.json() != old.json() == usual.json()


async def test_nobody_stands_behind_more_than_they_would(ask: Ask) -> None:
    assert (await ask(f"{QUEUE}?fal_max_queue_length=0")).status_code == 200
    assert (await ask(f"{QUEUE}?fal_max_queue_length=junk")).status_code == 200
