"""Secrets and prompts: after a day of use and trouble they are nowhere but where they must be."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from falgate.accounts import apikey

MODEL = "/fal-ai/gpt-image-1.5"
PROMPT = "canary-prompt-7b1f"
FAL_KEY = "canary-fal-id:canary-fal-secret"
INJECTED = '\n{"event":"forged","level":"error"}\x1b[31m\u2028'


@pytest.fixture(scope="module")
def watched(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway of its own, that has a key of fal's as well."""
    folder = tmp_path_factory.mktemp("watched")
    with serve(folder, fal_key=FAL_KEY, sandbox_work_s="0.3") as served:
        yield served


async def everything(redis: Any) -> AsyncIterator[str]:
    """Each key of Redis, and all that it holds."""
    readers = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": redis.smembers,
        "zset": lambda name: redis.zrange(name, 0, -1),
        "stream": redis.xrange,
    }
    async for name in redis.scan_iter():
        kind = await redis.type(name)
        if kind != "none":  # gone since it was listed
            yield f"{name} {await readers[kind](name)}"


async def a_day_of_use_and_trouble(gateway: Any, client: httpx.AsyncClient) -> list[str]:
    """Whatever a caller can do with a prompt; the bodies of the answers that need not quote it."""
    body = {"prompt": PROMPT + INJECTED, "quality": "low", "output_format": "jpeg"}
    answers = [
        await client.post(MODEL, json=body),
        await client.post(MODEL, json=body),
        await client.post(MODEL, json={**body, "num_images": 2, "sync_mode": True}),
        await client.post(f"/run{MODEL}", json={**body, f"({PROMPT})": PROMPT}),
        await client.post(f"/queue{MODEL}", json=body),
        await client.post(MODEL, json=body, headers={"Host": "stranger.example"}),
        await client.post(MODEL, json=body, headers={"Authorization": f"Basic {PROMPT}"}),
        await client.post(MODEL, json=body, headers={"X-Fal-Request-Id": PROMPT}),
        await client.post(MODEL, content=b" " * 2_000_000, headers={"X": PROMPT}),
    ]
    # These quote to the caller what the caller sent, as fal does.
    await client.post(MODEL, json={**body, "num_images": PROMPT})
    await client.post(MODEL, content=PROMPT.encode())
    await client.post(f"/{PROMPT}/{PROMPT}%0a%1b%5b31m", json=body)
    await client.get(f"/pictures/{PROMPT}")
    await client.get(f"/{PROMPT}?{PROMPT}={PROMPT}", headers={"Referer": PROMPT})
    answers.append(await broken(gateway, client, body))
    assert [answer.status_code for answer in answers] == [
        200, 200, 200, 200, 200, 200, 401, 200, 413, 500,
    ]  # fmt: skip
    answers.extend([await client.get(path) for path in ("/metrics", "/readyz", "/docs")])
    return [f"{answer.headers} {answer.text}" for answer in answers]


async def broken(gateway: Any, client: httpx.AsyncClient, body: Any) -> httpx.Response:
    """An error that nobody foresaw, whose text is the prompt."""
    key = await gateway.issue()
    presented = apikey.present(key)
    assert presented is not None
    kept_at = f"{{fg}}:apikey:{presented.id}"
    redis = gateway.redis()
    try:
        kept = json.loads(await redis.hget(kept_at, "record") or "")
        await redis.hset(kept_at, "record", json.dumps({**kept, "kind": PROMPT}))
        answer = await client.post(MODEL, json=body, headers={"Authorization": f"Key {key}"})
        await redis.hset(kept_at, "record", json.dumps(kept))
    finally:
        await redis.aclose()
    return answer


async def test_what_must_not_be_told_is_told_nowhere(watched: Any) -> None:
    redis = watched.redis()
    try:
        async with watched.client() as client:
            answers = await a_day_of_use_and_trouble(watched, client)
        kept = [each async for each in everything(redis)]
        slow = str(await redis.slowlog_get(1_000))
    finally:
        await redis.aclose()
    log = watched.logged()
    files = [
        each.read_bytes().decode(errors="replace")
        for each in (watched.data / "redis").rglob("*.log")
    ]

    places = {
        "log": log,
        "answers": str(answers),
        "redis": str(kept),
        "slow": slow,
        "own": str(files),
    }
    secret = watched.key.split("_")[3]
    for place, text in places.items():
        assert text, place
        for word in (PROMPT, secret, watched.admin_key, *FAL_KEY.split(":")):
            assert word not in text, f"{word} in {place}"


async def test_every_line_of_the_log_is_one_event_of_ours(watched: Any) -> None:
    async with watched.client() as client:
        await a_day_of_use_and_trouble(watched, client)
    *lines, greeting = sorted(watched.logged().splitlines(), key=lambda line: line[:1] != "{")
    events = [json.loads(line) for line in lines]

    assert greeting == f"falgate serves {watched.url}"
    # The books are looked at when the start meets a new server, and verified some time after it.
    of_the_start = {"ledger.verified", "ledger.looked_at"}
    assert {each["event"] for each in events} - of_the_start == {
        "address.unknown_host",
        "call.answered",
        "job.settled",
        "request.failed",
        "request.refused",
    }
    levels = {each["level"] for each in events if each["event"] not in of_the_start}
    assert levels == {"info", "warning", "error"}
    # Our own failures stand out among the refusals.
    for each in events:
        if each["event"] == "request.refused":
            assert (each["level"] == "warning") == (each["status"] >= 500)
    assert all({"event", "level", "timestamp"} <= each.keys() for each in events)
    assert "\x1b" not in watched.logged()


async def test_a_job_under_way_keeps_its_input_and_only_there(watched: Any) -> None:
    """It has to: whoever adopts the job looks for it at fal by what was asked."""
    redis = watched.redis()
    body = {"prompt": "under-way-5c2e", "quality": "low"}
    found: set[str] = set()
    try:
        async with watched.client() as client:
            asking = asyncio.create_task(client.post(MODEL, json=body))
            while not asking.done():
                held = [each async for each in everything(redis) if "under-way-5c2e" in each]
                found |= {each.split(":")[1] for each in held}
            assert (await asking).status_code == 200
        assert [each async for each in everything(redis) if "under-way-5c2e" in each] == []
    finally:
        await redis.aclose()

    assert found == {"job"}
    assert "under-way-5c2e" not in watched.logged()
