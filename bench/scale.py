"""Scale: many bodies, pools and keys; starts, and more than one instance and worker."""

import sys
import time
import urllib.request
from contextlib import ExitStack

from redis import Redis

from bench import filling, work, workers
from bench.gateway import BUDGET_USD, gateway, ledger
from bench.hits import hit
from bench.load import Target, checked, median, rounds
from bench.processes import SERVED, START_S, Failed, free_port, started
from bench.report import Section, Setup, Table, load_table

_AT_ONCE = 32
_STARTS = 3
_PROMPT = "a lighthouse at dawn"
_TEXT = f"""\
Hits at {_AT_ONCE} connections: of one body, and of 5,000 bodies in turn; then of one body again
with more and more pools, and at last many keys, in Redis. Two instances share a Redis and a core,
and each has hits of what the first one bought. A start lasts from the start of the process to the
first 200 of `/healthz`, beside a Redis that runs. With workers (`FALGATE_WORKERS`), falgate may use
both cores, of which wrk and Redis use one as ever: two workers have what these leave of it. Its CPU
is then that of all its processes.\
"""


def measure(setup: Setup) -> Section:
    """The part of the report."""
    with ExitStack() as stack:
        redis = stack.enter_context(ledger(setup.folder))
        client = stack.enter_context(Redis.from_url(redis.url))
        falgate = stack.enter_context(gateway(setup.folder, redis.url))
        one = hit(falgate, _PROMPT)._replace(redis=redis.tree)
        bodies = [work.body(f"{_PROMPT}, number {each}") for each in range(5_000)]
        first = _filled_row("1 pool", client, one, setup)
        bought = filling.fingerprint_of(one.bodies[0])
        filling.copy_pool(client, bought, map(filling.fingerprint_of, bodies))
        targets = [
            one._replace(name="one body"),
            one._replace(name="5,000 bodies in turn", bodies=bodies),
            *_second(stack, setup, redis.url, one),
        ]
        loads, failed = rounds(targets, [_AT_ONCE], setup.several(3, 1), setup.seconds)
        filled = _filled(client, one, setup, first)
    shared, wrong = workers.measure(setup)
    tables = [load_table(loads), *shared, filled, _starts(setup)]
    return Section("Scale", _TEXT, tables, failed | wrong)


def _second(stack: ExitStack, setup: Setup, redis_url: str, first: Target) -> list[Target]:
    """Another instance, which has its hits from what the first one bought."""
    other = stack.enter_context(gateway(setup.folder, redis_url, "falgate-2"))
    second = first._replace(
        name="one body, second instance", url=other.http + work.MODEL, tree=other.process
    )
    if checked(second).headers["x-falgate-cache"] != "hit":
        raise Failed("the second instance has no hit of what the first one bought")
    return [second]


def _filled(client: Redis, target: Target, setup: Setup, first: list[str]) -> Table:
    """Hits with more and more in Redis; the first row is given."""
    many = [setup.several(full, quick) for full, quick in ((10_000, 100), (1_000_000, 1_000))]
    keys = setup.several(100_000, 1_000)
    steps = [
        (f"{many[0]:,} pools more", many[0], 0),
        (f"{many[1]:,} pools more", many[1] - many[0], 0),
        (f"{many[1]:,} pools and {keys:,} keys more", 0, keys),
    ]
    rows = [first]
    for name, pools, more_keys in steps:
        bought = filling.fingerprint_of(target.bodies[0])
        filling.copy_pool(client, bought, filling.random_fingerprints(pools))
        filling.add_keys(client, more_keys)
        rows.append(_filled_row(name, client, target, setup))
    head = ["in Redis", "hits/s", "p50 ms", "p99 ms", "CPU µs", "Redis's", "Redis's MiB"]
    return Table(head, rows)


def _filled_row(name: str, client: Redis, target: Target, setup: Setup) -> list[str]:
    # Redis rewrites its file when it has grown.
    assert target.redis
    target.redis.until_idle()
    loads, failed = rounds([target], [_AT_ONCE], setup.several(3, 1), setup.seconds)
    if failed:
        raise Failed(failed[target.name])
    (found,) = loads.values()
    return [
        name,
        f"{median(found, 'rps'):,.0f}",
        f"{median(found, 'p50_us') / 1000:.2f}",
        f"{median(found, 'p99_us') / 1000:.2f}",
        f"{median(found, 'cpu_us'):,.0f}",
        f"{median(found, 'redis_us'):.1f}",
        f"{filling.used_mib(client):,.0f}",
    ]


def _starts(setup: Setup) -> Table:
    """From the start of the process to its first 200."""
    with ledger(setup.folder / "starts") as redis:
        rows = []
        for command in ("run", "serve"):
            took_s = sorted(
                _start_s(command, setup, redis.url) for _ in range(setup.several(_STARTS, 2))
            )
            middle = took_s[len(took_s) // 2]
            rows.append([f"falgate {command}", f"{middle:.2f} ({took_s[0]:.2f}-{took_s[-1]:.2f})"])
    return Table(["start", "s to the first 200 of /healthz"], rows)


def _start_s(command: str, setup: Setup, redis_url: str) -> float:
    port = free_port()
    env = {
        "FALGATE_DATA_DIR": str(setup.folder / f"starts-{command}"),
        "FALGATE_LISTEN": f"127.0.0.1:{port}",
        "FALGATE_REDIS_URL": redis_url,
        "FALGATE_UPSTREAM_URL": "sandbox",
        "FALGATE_ORG_DAILY_USD": BUDGET_USD,
        "FALGATE_DRAIN_ACCEPT_S": "0",
    }
    if command == "run":
        env["FALGATE_TLS_LISTEN"] = f"127.0.0.1:{free_port()}"
    began_s = time.monotonic()
    program = [sys.executable, "-m", "falgate", command]
    with started(f"start-{command}", program, setup.folder, core=SERVED, env=env) as process:
        while time.monotonic() < began_s + START_S:
            process.check()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
            except OSError:
                time.sleep(0.005)
            else:
                return time.monotonic() - began_s
    raise Failed(f"falgate {command} does not answer /healthz: {process.last_words()}")
