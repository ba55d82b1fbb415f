"""A stop ends in time whatever clients do, and nobody who connected in time is lost to it."""

import asyncio
import fcntl
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from knocking import Knocking
from patience import PATIENCE_S

READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
CLIENTS = 16


def not_reading(gateway: Any, picture: str) -> socket.socket:
    """A client that asks for more than the kernel buffers, and reads none of it."""
    asked = f"GET {httpx.URL(picture).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.connect(("127.0.0.1", gateway.port))
    client.sendall(asked * 60)
    return client


async def picture_of(site: Any, gateway: Any) -> str:
    """The URL of a picture that is there."""
    return str((await site.ask(gateway)).json()["images"][0]["url"])


async def test_a_client_that_does_not_read_does_not_keep_a_stop_nor_a_lease(site: Any) -> None:
    first = await site.start(lease_s=60, drain_s=1)
    picture = await picture_of(site, first)
    site.sandbox.hold()
    call = asyncio.create_task(site.ask(first, "another fox"))
    await site.visited("status/stream", 2)

    with not_reading(first, picture):
        first.process.send_signal(signal.SIGTERM)
        assert (await call).status_code == 503
        assert await asyncio.to_thread(first.process.wait, PATIENCE_S) == 0

    # Its lease would run for a minute yet: it was given back.
    site.sandbox.let_go()
    answer = await site.ask(await site.start(), "another fox")
    assert (answer.status_code, answer.headers["x-falgate-cost-usd"]) == (200, "0.00")


async def test_a_second_signal_ends_it_at_once(site: Any) -> None:
    gateway = await site.start(drain_s=300, drain_accept_s=300)
    picture = await picture_of(site, gateway)

    with not_reading(gateway, picture):
        gateway.process.send_signal(signal.SIGTERM)
        await not_ready(gateway)
        gateway.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0


async def not_ready(gateway: Any) -> httpx.Response:
    """Wait until it says that it is not."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        for _ in range(500):
            answer = await client.get(f"{gateway.url}/readyz")
            if answer.status_code == 503:
                return answer
            await asyncio.sleep(0.01)
    pytest.fail("it stays ready")


async def test_a_stop_is_told_to_balancers_before_connections_are_refused(site: Any) -> None:
    gateway = await site.start(drain_s=5, drain_accept_s=300)
    gateway.process.send_signal(signal.SIGTERM)

    told = await not_ready(gateway)
    answer = await site.ask(gateway)

    assert "about to stop" in told.text
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    gateway.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0


async def test_nobody_who_connects_before_the_listener_is_closed_is_lost(site: Any) -> None:
    gateway = await site.start(drain_s=5)
    knocking = Knocking(gateway.port)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CLIENTS):
            tasks.create_task(knocking.until_refused())
        await asyncio.sleep(0.5)
        gateway.process.send_signal(signal.SIGTERM)

    assert knocking.answered > CLIENTS
    assert knocking.lost == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", range(4))
async def test_a_stop_that_is_asked_for_while_it_starts_is_never_forgotten(
    number: signal.Signals, moment: int, folder: Path, launch: Any
) -> None:
    data = folder / "data"
    gateway = launch(folder / "log", data_dir=str(data), upstream_url="sandbox")
    end_s = time.monotonic() + 60
    while not (data / "redis" / "lock").exists():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.005)
    await asyncio.sleep(moment * 0.1)

    gateway.process.send_signal(number)

    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0
    assert "Traceback" not in gateway.said
    with (data / "redis" / "lock").open() as lock:  # its Redis is gone, too
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
