"""The benchmark of the books: usage, verify and export over a ledger of a million entries.

`make bench-books` runs it. A Valkey of its own is filled as a busy month would have left it: 50
teams of 4 apps each, 31 days, and every counter and roll-up as the scripts would have written them.
Seconds and memory are those of the commands, each in a process of its own; `usage` is also measured
on a hundredth of the entries, because neither its seconds nor its memory may grow with the ledger.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from falgate.core.account import account
from falgate.core.calendar import Calendar
from falgate.money.entry import read
from falgate.money.store.ledger import Ledger
from falgate.money.store.usage_sums import UsageSums
from falgate.money.sums import Sums, recent
from falgate.redis import keyspace, usage_keys
from falgate.redis.client import connect
from falgate.redis.embedded import EmbeddedRedis
from falgate.settings import SANDBOX

UPSTREAM = SANDBOX
TEAMS, APPS, DAYS = 50, 4, 31
CALENDAR = Calendar(ZoneInfo("UTC"))
PIPELINE = 5_000
FILL_S = 60
"""How long a round trip may take while Redis is filled, seconds."""


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    for number, commands in (
        (entries // 100, (("usage", "--by", "team,app"),)),
        (
            entries,
            (
                ("usage", "--by", "team,app"),
                ("usage", "--by", "team,app,day", "--format", "csv"),
                ("ledger", "export"),
                ("ledger", "verify"),
            ),
        ),
    ):
        with tempfile.TemporaryDirectory(prefix="fg-") as folder:
            server = EmbeddedRedis(Path(folder))
            server.start()
            try:
                first, last = asyncio.run(fill(server.url, number))
                for command in commands:
                    report(server.url, number, command, first, last)
            finally:
                server.leave()


async def fill(url: str, number: int) -> tuple[str, str]:
    """Write so many closes, spread over the days before now; the first and the last day."""
    redis = connect(url, FILL_S)
    ledger = Ledger(redis)
    await ledger.birth(None, CALENDAR)
    await ledger.note_upstreams(UPSTREAM, ())
    seconds, _ = await redis.time()
    now_ms = int(seconds) * 1000
    first_ms = now_ms - (DAYS - 1) * 86_400_000
    sums = Sums(recent(now_ms))
    written = closes(first_ms, now_ms, number)
    while some := list(islice(written, PIPELINE)):
        pipeline = redis.pipeline(transaction=False)
        for entry, fields in some:
            pipeline.xadd(keyspace.ledger(UPSTREAM), fields, id=entry)  # type: ignore[arg-type]  # str
            sums.add(read(entry, fields))
        await pipeline.execute()
    await write(redis, sums)
    await redis.aclose()
    return tuple(
        datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat() for at_ms in (first_ms, now_ms)
    )  # type: ignore[return-value]  # two


def closes(first_ms: int, last_ms: int, number: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Closing entries as a settlement writes them, one after the other."""
    for each in range(number):
        at_ms = first_ms + (last_ms - first_ms) * each // number
        team, app = each % TEAMS, each // TEAMS % APPS
        yield (
            f"{at_ms}-{each}",
            {
                "kind": "close",
                "job": f"{each:032x}",
                "outcome": "paid",
                "windows": " ".join(window.name for window in CALENDAR.windows(at_ms)),
                "held": "36000",
                "billed": "34000",
                "overrun": "0",
                "request_id": f"01234567-89ab-cdef-0123-{each:012x}",
                "team": f"team-{team:02d}",
                "app": f"app-{app}",
                "key": f"key{team:02d}{app}",
                "model": "fal-ai/gpt-image-1.5",
                "asked": "1",
                "reused": "0",
                "bought": "1",
                "list": "34000",
                "saved": "0",
                "why": "",
                "price_version": "1",
                "image_size": "1024x1024",
                "quality": "medium",
                "output_format": "png",
            },
        )


async def write(redis: Redis, sums: Sums) -> None:
    """Leave the counters and the roll-ups as the entries say, and answers from the cache too."""
    for name, counters in sums.accounts.items():
        figures: dict[Any, Any] = dict(counters)
        await redis.sadd(keyspace.accounts(UPSTREAM), name)
        await redis.hset(keyspace.account(UPSTREAM, account(name)), mapping=figures)
    for day, measures in sums.usage.items():
        whole: dict[Any, Any] = dict(measures)
        for field, bought in measures.items():
            subject, _, measure = field.rpartition(":")
            if measure == "bought":
                whole |= {f"{subject}:answers": 3 * bought, f"{subject}:hits": 2 * bought}
                whole |= {f"{subject}:reused": 2 * bought, f"{subject}:saved": 68_000 * bought}
        await redis.hset(usage_keys.usage(UPSTREAM, day), mapping=whole)
        await UsageSums(redis).add_up(UPSTREAM, day)


def report(url: str, entries: int, command: tuple[str, ...], first: str, last: str) -> None:
    """Run one command, and print what it took."""
    days = ("--from", first, "--to", last) if command[0] == "usage" else ()
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "falgate", *command, *days],
        env={**os.environ, "FALGATE_REDIS_URL": url},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    took_s = time.perf_counter() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"falgate {' '.join(command)} failed")
    print(
        f"{entries:9,d} entries: falgate {' '.join(command):38s} "
        f"{took_s:6.2f} s, {used.ru_maxrss / 1024:5.0f} MiB at most"
    )


if __name__ == "__main__":
    main()
