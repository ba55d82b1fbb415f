"""Several worker processes on one port: any of them is the gateway, and none of them is needed."""

import asyncio
import contextlib
import os
import signal
import socket
from typing import Any

import httpx
import pytest
from crew import CLIENTS, Told, all_workers_of, answers, by_worker, fox, scraped, workers_of
from knocking import HEALTHY
from patience import PATIENCE_S

from falgate.accounts import apikey

CALLS = 40


async def test_each_worker_answers_from_what_any_of_them_bought_and_tells_the_sums_of_all(
    site: Any,
) -> None:
    gateway = await site.start(workers=2)
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        first = await fox(workers[0][0])
        again = [await fox(client) for clients in workers for client in clients for _ in range(3)]
        samples = [await scraped(clients[0]) for clients in workers]
        alone = [await scraped(clients[0]) for clients in workers]

    assert first.headers["x-falgate-cache"] == "miss"
    assert {each.headers["x-falgate-cache"] for each in again} == {"hit"}
    for each in (*samples, *alone):
        assert answers(each, "hit") == len(again)
        assert answers(each, "miss") == 1
        assert each["falgate_requests_total", "run", "200"] == len(again) + 1
        assert each["falgate_own_seconds_count",] == len(again) + 1
        assert each["falgate_workers",] == 2
    gauges = [name for name in samples[0] if name[0] == "falgate_spent_usd"]
    assert gauges
    assert [samples[0][name] for name in gauges] == [samples[1][name] for name in gauges]
    assert (await site.audit()).submits == 1


async def test_a_change_of_a_key_is_known_to_each_worker(site: Any) -> None:
    gateway = await site.start(workers=2)
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        for clients in workers:
            assert (await fox(clients[0])).status_code == 200
            assert (await fox(clients[0])).headers["x-falgate-cache"] == "hit"
        presented = apikey.present(await site.key())
        assert presented is not None
        await site.administration().keys.revoke(presented.id)

        asked = [await fox(clients[0]) for clients in workers]

    assert [answer.status_code for answer in asked] == [403, 403]


async def test_a_killed_worker_is_replaced_and_only_its_own_connections_notice(site: Any) -> None:
    gateway = await site.start(workers=2)
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        assert (await fox(workers[0][0])).status_code == 200
        before = await scraped(workers[0][0])
        lost, answered, begun = [0, 0], [0, 0], asyncio.Event()

        async def call(number: int, client: httpx.AsyncClient) -> None:
            for _ in range(CALLS):
                try:
                    answer = await fox(client)
                except httpx.TransportError:
                    lost[number] += 1
                else:
                    answered[number] += answer.status_code == 200
                begun.set()

        victim, other = workers_of(gateway)
        async with asyncio.TaskGroup() as tasks:
            for number, clients in enumerate(workers):
                for client in clients:
                    tasks.create_task(call(number, client))
            await begun.wait()
            os.kill(victim, signal.SIGKILL)

        async def both() -> bool:
            return (await scraped(workers[1][0]))["falgate_workers",] == 2

        await site.until(both)
        after = await scraped(workers[1][0])
        present = workers_of(gateway)

    assert lost[1] == 0
    assert 0 < lost[0] <= len(workers[0])
    assert sum(answered) == CALLS * sum(map(len, workers)) - lost[0]
    assert other in present
    assert (len(present), victim in present) == (2, False)
    assert (
        after["falgate_requests_total", "run", "200"]
        >= before["falgate_requests_total", "run", "200"] + answered[1]
    )
    assert '"status": -9' in gateway.said
    assert "worker.died" in gateway.said


async def test_what_waits_in_the_backlog_of_a_worker_that_dies_is_answered_by_its_replacement(
    site: Any,
) -> None:
    gateway = await site.start(workers=2)
    _, victim = await all_workers_of(site, gateway)
    os.kill(victim, signal.SIGSTOP)
    callers = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(CLIENTS * 2)]
    for caller in callers:
        caller.settimeout(PATIENCE_S)
        caller.sendall(HEALTHY)

    os.kill(victim, signal.SIGKILL)

    for caller in callers:
        with caller:
            assert (await asyncio.to_thread(caller.recv, 1_000)).startswith(b"HTTP/1.1 200")
    assert len(workers_of(gateway)) == 2


async def test_what_a_dead_worker_told_stays_told(site: Any) -> None:
    gateway = await site.start(workers=2)
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        for client in (*workers[0], *workers[1]):
            assert (await fox(client)).status_code == 200
        before = await scraped(workers[1][0])
        os.kill(workers_of(gateway)[0], signal.SIGKILL)
        sums = list[Told]()
        while not sums or sums[-1]["falgate_workers",] < 2 or len(workers_of(gateway)) < 2:
            sums.append(await scraped(workers[1][0]))

    assert {answers(each, "hit") for each in sums} == {answers(before, "hit")}
    assert len(workers[0]) + len(workers[1]) - 1 == answers(before, "hit")


async def test_the_jobs_of_a_dead_worker_are_adopted(site: Any) -> None:
    gateway = await site.start(workers=2)
    site.sandbox.hold()
    async with contextlib.AsyncExitStack() as stack:
        workers = await by_worker(stack, site, gateway)
        call = asyncio.create_task(fox(workers[0][0]))
        await site.visited("status/stream")
        os.kill(workers_of(gateway)[0], signal.SIGKILL)
        await site.broken(call)
        site.sandbox.let_go()

        answer = await fox(workers[1][0])

    assert (answer.status_code, answer.headers["x-falgate-cost-usd"]) == (200, "0.00")
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})


@pytest.mark.parametrize("name", ["connections_max", "connections_per_address_max"])
async def test_a_bound_on_connections_is_one_of_all_workers(site: Any, name: str) -> None:
    gateway = await site.start(workers=2, **{name: 4})
    streams = []
    for _ in range(CLIENTS):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"}")
        streams.append((reader, writer))

    async def few() -> bool:
        return sum(not reader.at_eof() for reader, _ in streams) <= 4

    await site.until(few)
    assert any(not reader.at_eof() for reader, _ in streams)
    for _, writer in streams:
        writer.close()
