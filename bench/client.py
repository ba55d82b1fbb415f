"""A bare client: what a program does for a picture without falgate.

`python -m bench.client URL AT_ONCE SECONDS` buys at a queue like fal's, and prints its `Load`.
"""

import asyncio
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp
import msgspec
import uvloop

from bench import work
from bench.load import Load
from bench.processes import SERVED, Failed, on_core

_POLL_S = 0.05
_FAL_KEY = "id:secret"


def run(url: str, at_once: int, seconds: int) -> Load:
    """Load by a bare client in a process of its own, on the core of what is measured.

    Raises:
        Failed: An answer is wrong.
    """
    command = [*on_core(SERVED), sys.executable, "-m", "bench.client", url]
    done = subprocess.run(
        [*command, str(at_once), str(seconds)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"the bare client: {done.stderr.decode(errors='replace')[-800:]}")
    return msgspec.json.decode(done.stdout, type=Load)


async def buy(session: aiohttp.ClientSession, url: str, number: int) -> None:
    """Submit to the queue, look until the picture is there, and fetch it."""
    submitted = await _told(session, "POST", url, work.body(f"{time.time_ns()}-{number}"))
    request = f"{url}/requests/{submitted['request_id']}"
    await _completed(session, f"{request}/status")
    result = await _told(session, "GET", request)
    async with session.get(result["images"][0]["url"]) as answer:
        picture = await answer.read()
    if not picture.startswith(b"\x89PNG"):
        raise Failed(f"no picture: {picture[:300]!r}")


async def _completed(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        if (await _told(session, "GET", url))["status"] == "COMPLETED":
            return
        await asyncio.sleep(_POLL_S)


async def _told(
    session: aiohttp.ClientSession, method: str, url: str, body: bytes | None = None
) -> Any:
    headers = work.headers(_FAL_KEY)
    async with session.request(method, url, data=body, headers=headers) as answer:
        answer.raise_for_status()
        return msgspec.json.decode(await answer.read())


async def _measure(url: str, at_once: int, seconds: int) -> Load:
    """So many callers, each of which buys again and again; the first purchases warm up."""
    took_s: list[float] = []
    numbers = count()

    async def buy_until(end_s: float) -> None:
        while (began_s := time.perf_counter()) < end_s:
            await buy(session, url, next(numbers))
            took_s.append(time.perf_counter() - began_s)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(buy(session, url, next(numbers)) for _ in range(at_once)))
        began_s, cpu_s = time.perf_counter(), time.process_time()
        await asyncio.gather(*(buy_until(began_s + seconds) for _ in range(at_once)))
        all_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    cuts_us = [cut * 1e6 for cut in quantiles(took_s, n=100, method="inclusive")]
    number = len(took_s)
    return Load(number, number / all_s, cuts_us[49], cuts_us[98], cpu_s / number * 1e6, 0.0)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        load = runner.run(_measure(sys.argv[1], *map(int, sys.argv[2:])))
    sys.stdout.buffer.write(msgspec.json.encode(load))
