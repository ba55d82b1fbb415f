"""From `fal_webhook` on a submit to the receiver's door, through a gateway as its users run it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

MODEL = "/queue/fal-ai/gpt-image-1.5"

Start = Callable[..., AbstractContextManager[Any]]
Until = Callable[..., Any]


@pytest.fixture
def gateway(start: Start, data: Path, tmp_path: Path) -> Iterator[Any]:
    allowed = {"FALGATE_WEBHOOK_ALLOW_HTTP": "true", "FALGATE_WEBHOOK_TARGETS": "127.0.0.0/8"}
    with start(data, tmp_path, **allowed) as gateway:
        yield gateway


async def test_a_submit_has_its_receiver_told_what_became_of_it(
    gateway: Any, receiver: Any, until: Until, accepts: Callable[..., bool]
) -> None:
    headers = {"Authorization": f"Key {gateway.key}"}
    async with httpx.AsyncClient(
        base_url=gateway.url, headers=headers, timeout=PATIENCE_S
    ) as client:

        async def submit(**arguments: Any) -> Any:
            body = {"prompt": "a door", "quality": "low", **arguments}
            return await client.post(MODEL, json=body, params={"fal_webhook": receiver.url})

        bought = (await submit()).json()
        await until(lambda: len(receiver.came) == 1)
        hit = (await submit()).json()
        await until(lambda: len(receiver.came) == 2)
        wrong = (await submit(quality="best")).json()
        await until(lambda: len(receiver.came) == 3)
        result = (await client.get(bought["response_url"])).json()
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
        elsewhere = await client.post(
            MODEL, json={"prompt": "a door"}, params={"fal_webhook": "http://10.0.0.1/"}
        )

    told = [json.loads(came.body) for came in receiver.came]
    assert bought["gateway_request_id"] == bought["request_id"]
    assert told[0] == {
        "request_id": bought["request_id"],
        "gateway_request_id": bought["request_id"],
        "status": "OK",
        "error": None,
        "payload": result,
    }
    assert (told[1]["request_id"], told[1]["payload"]) == (hit["request_id"], result)
    assert (told[2]["request_id"], told[2]["status"]) == (wrong["request_id"], "ERROR")
    assert told[2]["error"] == "Invalid status code: 422"
    assert told[2]["payload"]["detail"][0]["loc"] == ["body", "quality"]
    assert all(accepts(keys, came.headers, came.body) for came in receiver.came)
    assert elsewhere.status_code == 422
    assert elsewhere.json()["detail"][0]["loc"] == ["query", "fal_webhook"]


async def test_who_takes_a_request_back_is_told_of_it_too(
    gateway: Any, receiver: Any, until: Until
) -> None:
    headers = {"Authorization": f"Key {gateway.key}"}
    async with httpx.AsyncClient(
        base_url=gateway.url, headers=headers, timeout=PATIENCE_S
    ) as client:
        body = {"prompt": "another door", "quality": "low"}
        submitted = await client.post(MODEL, json=body, params={"fal_webhook": receiver.url})
        cancelled = await client.put(submitted.json()["cancel_url"])
    assert cancelled.status_code == 202
    await until(lambda: len(receiver.came) == 1)

    told = json.loads(receiver.came[0].body)
    assert (told["status"], told["error"]) == ("ERROR", "Invalid status code: 499")
