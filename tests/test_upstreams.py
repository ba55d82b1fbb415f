"""Whom keys buy from: what each seller is told, and whose books may be read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from falgate import settings
from falgate.fal.connections import Request
from falgate.fal.replies import Accepted
from falgate.models.endpoints import MODELS
from falgate.telemetry.troubles import Troubles
from falgate.upstreams import Upstreams, open_upstreams

SECRET = bytes(32)
FAL = {"FAL_KEY": "id:secret"}
ELSEWHERE = {**FAL, "FALGATE_UPSTREAM_URL": "http://127.0.0.1:9/queue"}
SANDBOX = {"FALGATE_UPSTREAM_URL": "sandbox"}
PUBLIC = {"FALGATE_PUBLIC_URL": "https://gate.example"}
PLAIN = {"FALGATE_PUBLIC_URL": "http://gate.example"}
ADMIN = {"FALGATE_FAL_ADMIN_KEY": "id:admin"}

Open = Callable[[dict[str, str]], Upstreams]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the sellers of an environment."""
    async with AsyncExitStack() as stack:

        def make(env: dict[str, str]) -> Upstreams:
            chosen = settings.read({"FALGATE_DATA_DIR": str(tmp_path), **env})
            made = open_upstreams(chosen, MODELS, SECRET, Troubles())
            stack.push_async_callback(made.close)
            return made

        yield make


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (FAL, False),
        (FAL | PLAIN, False),
        (FAL | PUBLIC, True),
        (ELSEWHERE, False),
        (ELSEWHERE | PLAIN, True),
        (SANDBOX, False),
        (SANDBOX | PLAIN, True),
    ],
)
async def test_who_can_reach_this_gateway_tells_it_of_ends(
    opened: Open, env: dict[str, str], told: object
) -> None:
    assert (opened(env).signatures is not None) == told


@pytest.mark.parametrize(
    ("env", "read", "billing"),
    [
        (FAL, True, False),
        (FAL | ADMIN, True, True),
        (ELSEWHERE, False, False),
        (ELSEWHERE | ADMIN, True, True),
        (SANDBOX, True, False),
        (SANDBOX | ADMIN, True, False),
    ],
)
async def test_books_are_read_with_a_key_of_who_keeps_them(
    opened: Open, env: dict[str, str], read: object, billing: object
) -> None:
    upstreams = opened(env)

    assert ((upstreams.platform is not None), upstreams.billing) == (read, billing)


async def test_the_sandbox_within_shows_its_books_and_its_keys(opened: Open) -> None:
    upstreams = opened(SANDBOX | PLAIN)
    spec = MODELS["fal-ai/gpt-image-1.5"]
    body = spec.purchase(spec.input(prompt="a fox"), 1)

    await upstreams.queues["live"].submit(spec.endpoint, body, "job")

    assert upstreams.platform is not None
    assert upstreams.signatures is not None
    [listed] = await upstreams.platform.requests(spec.endpoint, 0, 10**14)
    assert listed.input == body
    headers: dict[str, Any] = {"x-fal-webhook-timestamp": "5"}
    # Its keys are there, or this could not be told.
    assert not await upstreams.signatures.valid(headers, b"", 5)


@pytest.mark.parametrize(("work_s", "ended"), [("0", True), ("600", False)])
async def test_the_sandbox_within_works_as_long_as_it_is_told(
    opened: Open, work_s: str, ended: object
) -> None:
    queue = opened(SANDBOX | {"FALGATE_SANDBOX_WORK_S": work_s}).queues["live"]
    spec = MODELS["fal-ai/gpt-image-1.5"]
    taken = await queue.submit(spec.endpoint, spec.purchase(spec.input(prompt="a fox"), 1), "job")
    assert isinstance(taken, Accepted)

    collecting = asyncio.ensure_future(queue.collect(spec, taken.request_id))
    await asyncio.wait([collecting], timeout=20 if ended else 0.1)

    assert collecting.done() == ended
    collecting.cancel()


async def test_a_submit_names_the_address_of_its_job(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[httpx.URL] = []

    def answer(_: Any, request: Request, __: Any) -> NoReturn:
        asked.append(httpx.URL(request.url))
        raise ConnectionError("nobody is there")

    monkeypatch.setattr("falgate.fal.connections.Sockets.send", answer)

    await opened(FAL | PUBLIC).queues["live"].submit("fal-ai/x", {}, "job1")
    await opened(FAL).queues["live"].submit("fal-ai/x", {}, "job1")

    told, untold = asked
    assert told.params["fal_webhook"].startswith("https://gate.example/hooks/fal/job1.")
    assert str(told).partition("?")[0] == "https://queue.fal.run/fal-ai/x"
    assert str(untold) == "https://queue.fal.run/fal-ai/x"
