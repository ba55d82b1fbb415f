"""falgate as the benchmark runs it: everything on, on the measured core, its Redis on the other."""

import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.processes import SERVED, START_S, Failed, Process, Tree, free_port, started
from falgate.redis.embedded import EmbeddedRedis

BUDGET_USD = "1000000"


class Gateway(NamedTuple):
    """A falgate that serves.

    Attributes:
        http: What http URLs begin with.
        https: What https URLs begin with.
        key: Of an app.
        process: It, without Redis.
        data: Its data directory.
    """

    http: str
    https: str
    key: str
    process: Process
    data: Path


class Ledger(NamedTuple):
    """A Redis of falgate's own make.

    Attributes:
        url: Where it listens.
        tree: Its process.
    """

    url: str
    tree: Tree


@contextmanager
def ledger(folder: Path) -> Iterator[Ledger]:
    """The Valkey that falgate brings, as falgate runs it, on this process's core."""
    folder.mkdir(exist_ok=True)
    server = EmbeddedRedis(folder / "redis")
    server.start()
    try:
        pid = int((folder / "redis" / "server.pid").read_text())
        yield Ledger(server.url, Tree(pid))
    finally:
        server.leave()


@contextmanager
def gateway(
    folder: Path, redis_url: str, name: str = "falgate", *, core: str = SERVED, **env: str
) -> Iterator[Gateway]:
    """`falgate run` until the block ends; it buys from its sandbox unless `env` says otherwise."""
    data = folder / f"{name}-data"
    http, https = free_port(), free_port()
    settings = {
        "FALGATE_DATA_DIR": str(data),
        "FALGATE_LISTEN": f"127.0.0.1:{http}",
        "FALGATE_TLS_LISTEN": f"127.0.0.1:{https}",
        "FALGATE_REDIS_URL": redis_url,
        "FALGATE_LOG_LEVEL": "info",
        "FALGATE_ORG_DAILY_USD": BUDGET_USD,
        "FALGATE_DRAIN_ACCEPT_S": "0",
        **env,
    }
    command = [sys.executable, "-m", "falgate", "run"]
    with started(name, command, folder, core=core, env=settings) as process:
        until_ready(f"http://127.0.0.1:{http}/readyz", process)
        key = (data / "app-key").read_text().strip()
        yield Gateway(f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}", key, process, data)


def until_ready(url: str, process: Process, pause_s: float = 0.05) -> None:
    """Wait until a URL answers 200.

    Raises:
        Failed: The process ended, or does not answer so within `START_S`.
    """
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        process.check()
        try:
            urllib.request.urlopen(url, timeout=START_S).close()
        except OSError:
            time.sleep(pause_s)
        else:
            return
    raise Failed(f"{process.log.name} does not answer {url}: {process.last_words()}")
