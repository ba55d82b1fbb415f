"""What the fast path keeps of a request: its answer, and neither its prompt nor its key."""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate import settings
from falgate.accounts import apikey
from falgate.accounts.directory import App, Team
from falgate.app import Gateway, open_gateway
from falgate.http.fastpath import FastPath
from falgate.http.picture_urls import PictureUrls
from falgate.http.server import Connections, Limits, Listener
from falgate.models.spec import ModelSpec

MODEL = "/fal-ai/gpt-image-1.5"
CANARY = "canary-of-a-prompt"
REQUESTS = 30
LOOK_S = 0.01


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway in this process."""
    admin_key = apikey.mint("admin", os.urandom(apikey.ID_BYTES), os.urandom(apikey.SECRET_BYTES))
    environment = {"DATA_DIR": str(tmp_path), "UPSTREAM_URL": "sandbox", "ADMIN_KEY": admin_key}
    named = {f"FALGATE_{name}": value for name, value in environment.items()}
    async with open_gateway(settings.read({**named, "FALGATE_SANDBOX_WORK_S": "0"})) as gateway:
        yield gateway


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it, with a key and much in its headers."""
    admin = gateway.administration("tests")
    await admin.teams.create("web", Team())
    await admin.apps.create("web/shop", App())
    key = (await admin.keys.create("web/shop")).key
    connections = Connections(gateway.app, Limits(), shortcut=gateway.shortcut)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        listener = Listener(connections, sock)
        headers = {"Authorization": f"Key {key}", "X-Trace": "t" * 10_000}
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_S
        ) as client:
            yield client
        listener.close()
    await connections.abort(1)
    connections.close()


def reachable(start: object) -> Iterable[Any]:
    """All objects that something holds, but for what the whole gateway holds in common."""
    seen, waiting = {id(start)}, [start]
    common = ModuleType | FunctionType | type | PictureUrls | ModelSpec
    while waiting:
        found = waiting.pop()
        yield found
        for each in gc.get_referents(found):
            if id(each) not in seen and not isinstance(each, common):
                seen.add(id(each))
                waiting.append(each)


async def test_it_keeps_neither_prompt_nor_key_nor_other_headers(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    secret = client.headers["authorization"].split("_")[-2]
    for number in range(REQUESTS):
        body = {"prompt": CANARY, "quality": "low", f"unknown_{number}": 1}
        for _ in range(4):
            answer = await client.post(MODEL, json=body)
            assert answer.status_code == 200
    assert answer.headers["x-falgate-cache"] == "hit"
    assert isinstance(gateway.shortcut, FastPath)

    kept, size = 0, 0
    for each in reachable(gateway.shortcut.kept):
        if isinstance(each, str | bytes):
            text = each if isinstance(each, str) else each.decode("latin-1")
            kept += 1
            size += len(text)
            assert CANARY not in text
            assert secret not in text
            assert "tttt" not in text

    assert kept > REQUESTS
    assert size < gateway.shortcut.kept.size
    assert len(gateway.shortcut.kept) == REQUESTS


async def test_what_an_answer_depends_on_empties_it(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await client.post(MODEL, json={"prompt": CANARY, "quality": "low"})
    assert isinstance(gateway.shortcut, FastPath)
    assert len(gateway.shortcut.kept) == 1

    await gateway.administration("tests").teams.create("another", Team())

    for _ in range(int(PATIENCE_S / LOOK_S)):
        if not len(gateway.shortcut.kept):
            break
        await asyncio.sleep(LOOK_S)
    assert (len(gateway.shortcut.kept), gateway.shortcut.kept.size) == (0, 0)
