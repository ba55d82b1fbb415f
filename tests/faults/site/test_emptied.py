"""A Redis that was emptied, hangs, or is another one: the true cause, and nothing made anew."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from falgate.redis import keyspace


async def looked(gateway: Any, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.get(f"{gateway.url}{path}")


def started(site: Any, **changes: str) -> str:
    """What a gateway says that does not start with these settings."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        listen = f"127.0.0.1:{found.getsockname()[1]}"
    chosen = {**site.settings, "listen": listen, **changes}
    env = {f"FALGATE_{name.upper()}": value for name, value in chosen.items()}
    done = subprocess.run(
        [sys.executable, "-m", "falgate", "serve"],
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


async def until(site: Any, gateway: Any, status: int) -> httpx.Response:
    """What `/readyz` says once it has this status: it looks once a second."""
    found: list[httpx.Response] = []

    async def look() -> bool:
        found.append(await looked(gateway, "/readyz"))
        return found[-1].status_code == status

    await site.until(look)
    return found[-1]


async def test_a_redis_that_was_emptied_makes_no_key_unknown_and_no_gateway_ready(
    site: Any,
) -> None:
    gateway = await site.start()
    key = await site.key()
    ledger_id = await site.redis.hget(keyspace.META, "id")
    assert (await looked(gateway, "/readyz")).status_code == 200

    await site.redis.flushdb()
    refused = await site.ask(gateway, key=key)
    ready = await until(site, gateway, 503)

    assert refused.status_code == 503
    assert "Redis was emptied" in refused.json()["detail"]
    assert "Redis was emptied" in ready.json()["troubles"]["redis"]
    # Nor does the next one open another ledger, unless somebody wants that.
    said = await asyncio.to_thread(started, site)
    assert "no longer holds the ledger that was known here" in said
    assert "remove" in said
    assert "redis-ledger-id" in said
    named = {"data_dir": f"{site.data}-other", "ledger_id": ledger_id}
    said = await asyncio.to_thread(started, site, **named)
    assert "unset FALGATE_LEDGER_ID" in said
    assert not await site.redis.exists(keyspace.META)


async def test_a_gateway_is_not_ready_while_buying_is_frozen(site: Any) -> None:
    gateway = await site.start()
    await site.key()
    assert (await looked(gateway, "/readyz")).status_code == 200

    await site.redis.hset(keyspace.META, mapping={"frozen_ms": "1", "frozen_why": "counters"})

    ready = await until(site, gateway, 503)
    assert "falgate ledger recover" in ready.json()["troubles"]["redis"]
    await site.redis.hdel(keyspace.META, "frozen_ms", "frozen_why")
    assert (await until(site, gateway, 200)).json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/metrics", "/readyz", ""])
async def test_while_redis_hangs_everybody_is_answered_within_its_deadline(
    frail_site: Any, redis_server: Any, path: str
) -> None:
    site = frail_site
    gateway = await site.start(redis_timeout_s=1)
    key = await site.key()
    redis_server.process.process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()
    try:
        asked = looked(gateway, path) if path else site.ask(gateway, key=key)
        answer = await asked
        took_s = time.monotonic() - began_s
    finally:
        redis_server.process.process.send_signal(signal.SIGCONT)

    assert answer.status_code == (200 if path == "/metrics" else 503)
    assert took_s < 15, "four time-outs of a socket would be 20"
