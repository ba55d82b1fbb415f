"""A worker that hangs: its parent notices, and takes no other worker for one that does."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any

import impatient
import pytest
from crew import MODEL, all_workers_of, by_worker, fox, workers_of

FLOODS, DEEP = 8, 100
"""Enough connections that the kernel gives each worker some."""


@pytest.fixture
def command() -> list[str]:
    """What starts a gateway that soon gives up a worker that does not answer."""
    return [sys.executable, impatient.__file__, "serve"]


async def flood(port: int, key: str, enough: asyncio.Event) -> None:
    """Have many requests be under way on one connection, until there were enough."""
    body = json.dumps({"prompt": "canary-wish fox", "quality": "low"})
    head = f"POST /{MODEL} HTTP/1.1\r\nHost: x\r\nAuthorization: Key {key}\r\n"
    typed = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        while not enough.is_set():
            writer.write((head + typed + body).encode() * DEEP)
            said = b""
            while said.count(b"HTTP/1.1 200 ") < DEEP:
                said += (more := await reader.read(1 << 20))
                assert more, said


async def test_a_worker_that_hangs_is_replaced_and_one_that_is_busy_is_not(site: Any) -> None:
    gateway = await site.start(workers=2)
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        assert (await fox(workers[1][0])).status_code == 200
        hung, busy = workers_of(gateway)
        os.kill(hung, signal.SIGSTOP)
        call = asyncio.create_task(fox(workers[0][0]))
        enough = asyncio.Event()
        floods = [flood(gateway.port, await site.key(), enough) for _ in range(FLOODS)]
        flooding = asyncio.gather(*floods)

        # Those that wait in the backlog of the one that hangs are answered by its replacement.
        await site.broken(call)
        enough.set()

        await flooding
        present = await all_workers_of(site, gateway)
        for clients in await by_worker(stack, site, gateway):
            assert (await fox(clients[0])).headers["x-falgate-cache"] == "hit"
    assert (hung in present, busy in present) == (False, True)
    said = [json.loads(line) for line in gateway.said.splitlines() if "worker." in line]
    assert [(each["event"], each["worker"], each["process"]) for each in said] == [
        ("worker.hung", 0, hung),
        ("worker.died", 0, hung),
    ]


async def test_workers_that_were_stopped_with_their_parent_are_left_alone(site: Any) -> None:
    """As when a machine sleeps: longer than the parent of another gateway waits for a worker."""
    gateway, other = await site.start(workers=2), await site.start(workers=2)
    before = await all_workers_of(site, gateway)
    everyone = [gateway.process.pid, *before]
    hung = (await all_workers_of(site, other))[0]

    for process_id in (*everyone, hung):
        os.kill(process_id, signal.SIGSTOP)

    async def replaced() -> bool:
        present = workers_of(other)
        return len(present) == 2 and hung not in present

    await site.until(replaced)
    for process_id in everyone:
        os.kill(process_id, signal.SIGCONT)
    gateway.process.send_signal(signal.SIGHUP)

    async def relayed() -> bool:
        said = str(gateway.said)
        return said.count("tls.none") == 2 or "worker.hung" in said

    await site.until(relayed)
    assert workers_of(gateway) == before
    assert "worker.hung" not in gateway.said


async def test_a_worker_that_hangs_delays_a_stop_less_than_it_delays_its_replacement(
    site: Any,
) -> None:
    gateway = await site.start(workers=2)
    hung, other = await all_workers_of(site, gateway)
    os.kill(hung, signal.SIGSTOP)
    gateway.process.send_signal(signal.SIGTERM)

    async def ended() -> bool:
        return gateway.process.poll() is not None

    await site.until(ended)
    said = [json.loads(line) for line in gateway.said.splitlines() if "worker.hung" in line]
    assert [(each["process"], each["silent_s"]) for each in said] == [(hung, pytest.approx(1.0))]
    assert other not in workers_of(gateway)
