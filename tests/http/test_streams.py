"""Streams of statuses: they go on for as long as their key may be used, and no longer."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

QUEUE = "/queue/fal-ai/gpt-image-1.5"
BODY = {"prompt": "a stream", "quality": "low", "output_format": "jpeg"}


@pytest.fixture(scope="module")
def waiting(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway whose upstream takes every request and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serve(tmp_path_factory.mktemp("waiting"), upstream_url=url, fal_key="a:b") as served:
            yield served
            # Else its stop waits until the submit may have been answered.
            silent.close()


@pytest.mark.parametrize("how", ["revoked", "disabled", "expired"])
async def test_a_stream_ends_with_the_use_of_its_key(waiting: Any, how: str) -> None:
    async with waiting.admin() as admin, waiting.client() as client:
        soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        more = {"expires_at": soon} if how == "expired" else {}
        made = (await admin.post("/keys", json={"team": "default", "app": "app", **more})).json()
        path, headers = f"/keys/{made['record']['id']}", {"Authorization": f"Key {made['key']}"}
        submitted = (await client.post(QUEUE, json=BODY, headers=headers)).json()
        url = f"{submitted['status_url']}/stream"
        async with client.stream("GET", url, headers=headers) as answer, asyncio.timeout(20):
            chunks = answer.aiter_bytes()
            assert b"IN_" in await anext(chunks)
            if how == "revoked":
                await admin.post(f"{path}/revoke")
            elif how == "disabled":
                await admin.patch(path, json={"disabled": True})
            rest = b"".join([chunk async for chunk in chunks])
        after = await client.get(submitted["status_url"], headers=headers)

    assert b"COMPLETED" not in rest
    assert after.status_code == 403
