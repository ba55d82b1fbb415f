"""Waiting: callers that wait for one purchase, and jobs that wait for a slow upstream."""

import asyncio
import time
from functools import partial
from typing import NamedTuple

from bench import scrape, upstream, work
from bench.asking import OK, Caller, submit_all
from bench.gateway import Gateway, gateway, ledger
from bench.hits import hit
from bench.load import Target, median, rounds
from bench.processes import START_S, Failed
from bench.report import Section, Setup, Table

_FOR_EVER_S = 10_000
_TEXT = """\
The sandbox plays fal in a process of its own and works until it is told to stop. First, callers
ask for the same picture, which is bought once; they wait, and then get it. Then distinct requests
are submitted to the queue and worked on all at once; their jobs are followed by falgate, while hits
are asked for at 32 connections. Memory is the growth of the process divided by their number. The
lag of the event loop is falgate's own metric, by the upper bound of its buckets.\
"""


class _Look(NamedTuple):
    """What is seen in one situation: figures of a gateway at rest, or while jobs wait."""

    lag_p50_s: float
    lag_p99_s: float
    cpu_share: float
    hits: str
    p99: str
    failed: str = ""


def measure(setup: Setup) -> Section:
    """The part of the report."""
    with upstream.sandbox(setup.folder, work_s=0) as sandbox, ledger(setup.folder) as redis:
        env = {"FALGATE_UPSTREAM_URL": f"{sandbox}/queue", "FAL_KEY": "id:secret"}
        with gateway(setup.folder, redis.url, "falgate-flight", **env) as falgate:
            flight = asyncio.run(_one_flight(falgate, sandbox, setup.several(1_000, 100)))
        with gateway(setup.folder, redis.url, "falgate-jobs", **env) as falgate:
            jobs, failed = _many_jobs(falgate, sandbox, setup)
    return Section("Waiting", _TEXT, [flight, jobs], failed)


async def _one_flight(falgate: Gateway, sandbox: str, number: int) -> Table:
    """Callers of the same picture, before and after it is there."""
    upstream.turn(sandbox, work_s=_FOR_EVER_S)
    falgate.process.until_idle()
    before = falgate.process.rss_bytes()
    callers = [Caller(falgate) for _ in range(number)]
    body = work.body("one picture for all")
    asked = [asyncio.create_task(each.ask("POST", work.MODEL, body)) for each in callers]
    await asyncio.sleep(1)
    await asyncio.to_thread(falgate.process.until_idle)
    bytes_each = (falgate.process.rss_bytes() - before) / number
    began_s = time.monotonic()
    upstream.end_work(sandbox)
    answers = await asyncio.gather(*asked)
    took_s = time.monotonic() - began_s
    for caller in callers:
        caller.close()
    submits = len(upstream.books(sandbox)["submits"])
    if {status for status, _ in answers} != {OK} or len({body for _, body in answers}) != 1:
        raise Failed(f"{number} callers of one picture were not all given it")
    if submits != 1:
        raise Failed(f"{number} callers of one picture bought it {submits} times")
    row = [f"{number:,}", "1", f"{bytes_each / 1024:.1f}", f"{took_s:.2f}"]
    head = ["callers of one picture", "purchases", "KiB each", "s from its end to the last answer"]
    return Table(head, [row])


def _many_jobs(falgate: Gateway, sandbox: str, setup: Setup) -> tuple[Table, dict[str, str]]:
    """falgate at rest, and while many jobs wait for the upstream; and why hits failed there."""
    upstream.turn(sandbox, work_s=0)
    target = hit(falgate, "a lighthouse at dawn")
    falgate.process.until_idle()
    rest = _look(falgate, target, setup)
    upstream.turn(sandbox, work_s=_FOR_EVER_S)
    number = setup.several(2_000, 100)
    submitted = len(upstream.books(sandbox)["submits"])
    before = falgate.process.rss_bytes()
    began_s = time.monotonic()
    asyncio.run(submit_all(falgate, number))
    while len(upstream.books(sandbox)["submits"]) < submitted + number:
        if time.monotonic() > began_s + 2 * START_S:
            raise Failed(f"fal has not been given all of {number} requests")
        time.sleep(0.5)
    took_s = time.monotonic() - began_s
    bytes_each = (falgate.process.rss_bytes() - before) / number
    busy = _look(falgate, target, setup)
    looks = {"at rest": rest, f"{number:,} jobs wait": busy}
    rows = [_row(name, look) for name, look in looks.items()]
    rows[0] += ["", ""]
    rows[1] += [f"{bytes_each / 1024:.1f}", f"{took_s:.1f}"]
    head = ["falgate", "lag p50 s", "lag p99 s", "its core in use", "hits/s at 32", "hits' p99 ms"]
    failed = {f"hits, {name}": look.failed for name, look in looks.items() if look.failed}
    return Table([*head, "KiB each", "s to submit all"], rows), failed


def _look(falgate: Gateway, target: Target, setup: Setup) -> _Look:
    seconds = setup.several(5, 2)
    before, cpu_us = scrape.lag(falgate), falgate.process.cpu_us()
    time.sleep(seconds)
    used_us = falgate.process.cpu_us() - cpu_us
    after = scrape.lag(falgate)
    look = partial(
        _Look,
        scrape.quantile(before, after, 0.5),
        scrape.quantile(before, after, 0.99),
        used_us / seconds / 1e6,
    )
    loads, failed = rounds([target], [32], setup.several(3, 1), seconds)
    if failed:
        return look("none", "none", failed[target.name])
    (found,) = loads.values()
    return look(f"{median(found, 'rps'):,.0f}", f"{median(found, 'p99_us') / 1000:,.1f}")


def _row(name: str, look: _Look) -> list[str]:
    return [
        name,
        f"≤ {look.lag_p50_s:g}",
        f"≤ {look.lag_p99_s:g}",
        f"{look.cpu_share:.0%}",
        look.hits,
        look.p99,
    ]
