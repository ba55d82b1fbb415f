"""Workers: hits of one and of two processes on one port, and how the two share them."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from bench import scrape
from bench.gateway import Gateway, gateway, ledger
from bench.hits import hit
from bench.load import rounds
from bench.processes import BOTH, START_S, Failed, Tree
from bench.report import Setup, Table, load_table

_NAMES = ("1 worker", "2 workers")
_AT_ONCE = (32, 256)
_PART_MIN = 0.1


def measure(setup: Setup) -> tuple[list[Table], dict[str, str]]:
    """Hits by the number of workers, each one's part in them, and what failed."""
    with ExitStack() as stack:
        redis = stack.enter_context(ledger(setup.folder / "workers"))
        targets = []
        for number, name in enumerate(_NAMES, 1):
            file, env = f"falgate-{number}-workers", {"FALGATE_WORKERS": str(number)}
            falgate = stack.enter_context(gateway(setup.folder, redis.url, file, core=BOTH, **env))
            targets.append(hit(falgate, name)._replace(name=name, redis=redis.tree))
        at_once = _AT_ONCE[: setup.several(2, 1)]
        trees = _workers(falgate, number)
        before_us = [each.cpu_us() for each in trees]
        loads, failed = rounds(targets, at_once, setup.several(3, 1), setup.seconds)
        spent_us = [each.cpu_us() - had for each, had in zip(trees, before_us, strict=True)]
    parts = [each / sum(spent_us) for each in spent_us]
    if min(parts) < _PART_MIN:
        failed[name] = f"one of them did hardly anything: {_percent(parts)}"
    return [load_table(loads), Table(["", "CPU of each worker"], [[name, _percent(parts)]])], failed


def _workers(falgate: Gateway, number: int) -> list[Tree]:
    """The workers of a gateway, once all of them serve.

    Raises:
        Failed: They never do.
    """
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        if scrape.workers(falgate) == number:
            return [Tree(pid) for pid in falgate.process.pids() if pid != falgate.process.pid]
        time.sleep(0.1)
    raise Failed(f"{number} workers do not all serve: {falgate.process.last_words()}")


def _percent(parts: Sequence[float]) -> str:
    return " and ".join(f"{each:.0%}" for each in parts)
