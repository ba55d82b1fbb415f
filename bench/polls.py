"""Polling: whether purchases go on beside 2,000 callers that poll the status of what waits.

fal works on 20 requests at once, a second on each; all others wait in falgate's line.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable

from bench import scrape, upstream, work
from bench.asking import Caller, submit_all
from bench.gateway import Gateway, gateway, ledger
from bench.load import Target, run
from bench.processes import Failed
from bench.report import Section, Setup, Table

_SLOTS, _WORK_S = 20, 1.0
_PAUSE_S = 0.1
_TEXT = """\
fal works on 20 requests at once, a second on each, and all others wait in falgate's line: at most
20 purchases a second are possible. The callers poll the status of their requests 0.1 s after each
answer, as fal's Python client does; or wrk asks for all of them in turn, as fast as it goes.\
"""


def measure(setup: Setup) -> Section:
    """The part of the report."""
    pollers, phase_s = setup.several(2_000, 100), setup.several(6, 2)
    with (
        upstream.sandbox(setup.folder, work_s=_WORK_S) as sandbox,
        ledger(setup.folder) as redis,
        gateway(
            setup.folder,
            redis.url,
            FALGATE_UPSTREAM_URL=f"{sandbox}/queue",
            FALGATE_UPSTREAM_CONCURRENCY=str(_SLOTS),
            FAL_KEY="id:secret",
        ) as falgate,
    ):
        rows = asyncio.run(_measure(falgate, pollers, phase_s))
    return Section("Polling", _TEXT, [Table(["", "purchases/s", "polls/s", "median ms"], rows)])


async def _measure(falgate: Gateway, pollers: int, phase_s: int) -> list[list[str]]:
    """Purchases alone, beside pollers, and beside polls as fast as they go."""
    bought_max = round(_SLOTS / _WORK_S * phase_s * 8)
    waiting = (await submit_all(falgate, bought_max + pollers))[bought_max:]
    alone = await _phase("nobody polls", falgate, _nobody(phase_s))
    polling = asyncio.create_task(_poll_all(falgate, waiting, phase_s))
    await asyncio.sleep(phase_s)  # Until all of them have been told once.
    beside = await _phase(f"{pollers:,} callers poll", falgate, polling)
    flooded = await _phase("wrk polls, 32 at once", falgate, _flood(falgate, waiting, phase_s))
    return [alone, beside, flooded]


async def _phase(name: str, falgate: Gateway, going_on: Awaitable[list[str]]) -> list[str]:
    """What was bought while something else went on."""
    before, began_s = scrape.purchases(falgate), time.monotonic()
    found = await going_on
    bought = (scrape.purchases(falgate) - before) / (time.monotonic() - began_s)
    return [name, f"{bought:.1f}", *found]


async def _nobody(phase_s: int) -> list[str]:
    await asyncio.sleep(phase_s)
    return ["", ""]


async def _poll_all(falgate: Gateway, request_ids: list[str], phase_s: int) -> list[str]:
    """How often they were answered, and how soon, once all have been told."""
    took_s: list[float] = []
    begin_s = time.monotonic() + phase_s
    end_s = begin_s + phase_s

    async def poll(request_id: str) -> None:
        caller = Caller(falgate)
        while (asked_s := time.monotonic()) < end_s:
            status, body = await caller.ask("GET", _path(request_id))
            if status not in {200, 202}:
                raise Failed(f"a poll was answered {status}: {body[:300]!r}")
            if asked_s >= begin_s:
                took_s.append(time.monotonic() - asked_s)
            await asyncio.sleep(_PAUSE_S)
        caller.close()

    await asyncio.gather(*map(poll, request_ids))
    return [f"{len(took_s) / phase_s:,.0f}", f"{statistics.median(took_s) * 1000:.1f}"]


async def _flood(falgate: Gateway, request_ids: list[str], phase_s: int) -> list[str]:
    """Each request in its turn: nobody was told a moment ago, so that all are answered at once."""
    target = Target(
        "polls",
        falgate.http + _path(request_ids[0]),
        work.headers(falgate.key),
        [],
        falgate.process,
        lambda answer: None if json.loads(answer.body)["status"] == "IN_QUEUE" else "not in line",
        paths=[_path(each) for each in request_ids],
        status=202,
    )
    load = await asyncio.to_thread(run, target, 32, phase_s, settles=False)
    return [f"{load.rps:,.0f}", f"{load.p50_us / 1000:.1f}"]


def _path(request_id: str) -> str:
    return f"/queue{work.MODEL}/requests/{request_id}/status"
