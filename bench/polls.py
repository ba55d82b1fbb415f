"""Polling: whether purchases go on beside 2,000 callers that poll the status of what waits.

fal works on 20 requests at once, a second on each; all others wait in falgate's line.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable
from contextlib import suppress
from math import inf
from typing import Self

from bench import scrape, upstream, work
from bench.asking import Caller, submit_all
from bench.gateway import Gateway, gateway, ledger
from bench.load import Target, run
from bench.processes import START_S, Failed
from bench.report import Section, Setup, Table

_SLOTS, _WORK_S = 20, 1.0
_PAUSE_S = 0.1
_UNAVAILABLE = 503
_TEXT = """\
fal works on 20 requests at once, a second on each, and all others wait in falgate's line: at most
20 purchases a second are possible. The callers poll the status of their requests 0.1 s after each
answer, as fal's Python client does; falgate lets each wait before it repeats a status that is
unchanged, a second at least and longer the more callers poll. wrk asks for the status of half as
many others in turn, as fast as it goes. The callers, fal's sandbox and Redis share a core.\
"""


def measure(setup: Setup) -> Section:
    """The part of the report."""
    pollers, phase_s = setup.several(2_000, 100), setup.several(6, 1)
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
    head = ["", "purchases/s", "polls/s", "median ms", "503/s"]
    failed = {
        row[0]: f"{row[-1]} polls a second were answered 503" for row in rows if row[-1] > "0"
    }
    return Section("Polling", _TEXT, [Table(head, rows)], failed)


async def _measure(falgate: Gateway, pollers: int, phase_s: int) -> list[list[str]]:
    """Purchases alone, beside pollers, and beside polls as fast as they go."""
    bought_max = round(_SLOTS / _WORK_S * phase_s * 8)
    # wrk asks for others than the callers, who were told a moment ago.
    submitted = await submit_all(falgate, bought_max + pollers + pollers // 2)
    waiting, others = submitted[bought_max:][:pollers], submitted[bought_max + pollers :]
    alone = await _phase("nobody polls", falgate, _nobody(phase_s))
    async with Pollers(falgate, waiting) as polling:
        await polling.until_all_told()
        name = f"{pollers:,} callers poll"
        beside = await _phase(name, falgate, polling.figures(phase_s))
    flooded = await _phase("wrk polls, 32 at once", falgate, _flood(falgate, others, phase_s))
    return [alone, beside, flooded]


async def _phase(name: str, falgate: Gateway, going_on: Awaitable[list[str]]) -> list[str]:
    """What was bought while something else went on."""
    before, began_s = scrape.purchases(falgate), time.monotonic()
    found = await going_on
    bought = (scrape.purchases(falgate) - before) / (time.monotonic() - began_s)
    return [name, f"{bought:.1f}", *found]


async def _nobody(phase_s: int) -> list[str]:
    await asyncio.sleep(phase_s)
    return ["", "", ""]


class Pollers:
    """Callers that poll, each its own request, from the beginning of a block to its end."""

    def __init__(self, gateway: Gateway, request_ids: list[str]) -> None:
        self._gateway = gateway
        self._request_ids = request_ids
        self._untold = set(request_ids)
        self._all_told = asyncio.Event()
        self._took_s: list[float] = []
        self._refused = 0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._poll(each)) for each in self._request_ids]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def until_all_told(self) -> None:
        """Wait until each has been answered once, or for `START_S` at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_told.wait(), START_S)

    async def figures(self, phase_s: int) -> list[str]:
        """How often they are answered from now on, how soon, and how often by 503."""
        self._took_s.clear()
        self._refused = 0
        await asyncio.sleep(phase_s)
        answers, refused = len(self._took_s) / phase_s, self._refused / phase_s
        median_ms = statistics.median(self._took_s or [inf]) * 1000
        return [f"{answers:,.0f}", f"{median_ms:,.0f}", f"{refused:,.0f}"]

    async def _poll(self, request_id: str) -> None:
        caller = Caller(self._gateway)
        while True:
            asked_s = time.monotonic()
            status, body = await caller.ask("GET", _path(request_id))
            if status not in {200, 202, _UNAVAILABLE}:
                raise Failed(f"a poll was answered {status}: {body[:300]!r}")
            self._untold.discard(request_id)
            if not self._untold:
                self._all_told.set()
            self._took_s.append(time.monotonic() - asked_s)
            self._refused += status == _UNAVAILABLE
            await asyncio.sleep(_PAUSE_S)


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
    return [f"{load.rps:,.0f}", f"{load.p50_us / 1000:,.0f}", "0"]


def _path(request_id: str) -> str:
    return f"/queue{work.MODEL}/requests/{request_id}/status"
