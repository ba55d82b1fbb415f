"""A stop of several worker processes: all of them, once, without losing anybody."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from crew import CLIENTS, all_workers_of, by_worker, fox, gone, own_connection, workers_of
from knocking import HEALTHY, Knocking
from patience import PATIENCE_S


def sockets_in(folder: Path) -> list[Path]:
    """Where workers ask each other what they have counted."""
    return list(folder.glob("falgate-*/*.sock"))


async def test_workers_whose_parent_is_killed_stop_by_themselves(
    embedded_site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    site = embedded_site
    gateway = await site.start(workers=2)
    assert (await site.ask(gateway)).status_code == 200
    workers = await all_workers_of(site, gateway)

    async def both_listen() -> bool:
        return len(sockets_in(tmp_path)) == 2

    await site.until(both_listen)

    gateway.end(signal.SIGKILL)

    async def ended() -> bool:
        return all(gone(each) for each in workers) and not sockets_in(tmp_path)

    await site.until(ended)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.port))
    assert (await site.ask(await site.start())).headers["x-falgate-cache"] == "hit"


async def test_nobody_who_connects_before_the_listeners_are_closed_is_lost(site: Any) -> None:
    gateway = await site.start(workers=2, drain_s=5)
    workers = await all_workers_of(site, gateway)
    knocking = Knocking(gateway.port)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CLIENTS):
            tasks.create_task(knocking.until_refused())
        await knocking.begun.wait()
        gateway.process.send_signal(signal.SIGTERM)

    assert knocking.lost == 0
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0
    assert all(gone(each) for each in workers)
    assert "worker.died" not in gateway.said


async def waiting_calls(
    stack: contextlib.AsyncExitStack, site: Any, gateway: Any
) -> list["asyncio.Task[httpx.Response]"]:
    """A call on each worker that waits for its pictures."""
    site.sandbox.hold()
    workers = await by_worker(stack, site, gateway)
    calls = [asyncio.create_task(fox(clients[0])) for clients in workers]
    await site.visited("status/stream")
    for clients in workers:

        async def under_way(client: httpx.AsyncClient = clients[1]) -> bool:
            return (await client.get("/readyz")).status_code == 200

        await site.until(under_way)
    return calls


async def test_ctrl_c_in_a_terminal_counts_once_though_it_reaches_all_processes(site: Any) -> None:
    gateway = await site.start(workers=2, drain_s=300)
    async with contextlib.AsyncExitStack() as stack:
        calls = await waiting_calls(stack, site, gateway)
        for process_id in (*workers_of(gateway), gateway.process.pid):
            os.kill(process_id, signal.SIGINT)

        async def refuses() -> bool:
            try:
                (await asyncio.open_connection("127.0.0.1", gateway.port))[1].close()
            except ConnectionError:
                return True
            return False

        await site.until(refuses)
        site.sandbox.let_go()

        assert {(await call).status_code for call in calls} == {200}
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0


async def test_a_second_signal_hurries_all_workers(site: Any) -> None:
    gateway = await site.start(workers=2, drain_s=300, drain_accept_s=300)
    async with contextlib.AsyncExitStack() as stack:
        calls = await waiting_calls(stack, site, gateway)
        gateway.process.send_signal(signal.SIGTERM)
        ready = await stack.enter_async_context(own_connection(gateway, ""))

        async def leaves() -> bool:
            return (await ready.get("/readyz")).status_code == 503

        await site.until(leaves)
        gateway.process.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0
        site.sandbox.let_go()
        await asyncio.wait(calls)
    assert (await site.ask(await site.start())).status_code == 200


async def test_what_waits_for_a_replacement_is_answered_though_a_stop_comes_first(
    site: Any,
) -> None:
    gateway = await site.start(workers=2, drain_s=60)
    for died in range(1, 6):

        async def heard(died: int = died) -> bool:
            return str(gateway.said).count("worker.died") == died

        os.kill((await all_workers_of(site, gateway))[-1], signal.SIGKILL)
        await site.until(heard)

    # By now, it takes a while until the next one is started.
    callers = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(CLIENTS)]
    for caller in callers:
        caller.settimeout(PATIENCE_S)
        caller.sendall(HEALTHY)
    gateway.process.send_signal(signal.SIGTERM)

    for caller in callers:
        with caller:
            assert (await asyncio.to_thread(caller.recv, 1_000)).startswith(b"HTTP/1.1 200")
    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0


@pytest.mark.parametrize("moment", range(6))
async def test_a_stop_while_they_start_is_never_forgotten(
    moment: int, folder: Path, launch: Any
) -> None:
    gateway = launch(
        folder / "log", data_dir=str(folder / "data"), upstream_url="sandbox", workers="2"
    )
    lock = folder / "data" / "redis" / "lock"
    gateway.until(lock.exists)
    await asyncio.sleep(moment * 0.1)

    gateway.process.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(gateway.process.wait, PATIENCE_S) == 0
    assert "Traceback" not in gateway.said
    with lock.open() as file:  # its Redis is gone, too
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
