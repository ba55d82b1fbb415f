"""A stop that is asked for while it starts, and whose cancellation gets lost on its way."""

import subprocess
import sys
from pathlib import Path

LOSES_IT = """
import asyncio, os, signal
from falgate import settings
from falgate.cli.serve import start

async def announce(gateway):
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:  # as libraries do that take it for a time-out of their own
        print("lost", flush=True)
    return lambda: print("serves", flush=True)

start(settings.read(dict(os.environ)), announce)
"""


def test_it_stops_all_the_same(data: Path, listening: dict[str, str]) -> None:
    env = {
        "FALGATE_DATA_DIR": str(data),
        "FALGATE_UPSTREAM_URL": "sandbox",
        "FALGATE_LISTEN": listening["FALGATE_LISTEN"],
    }
    done = subprocess.run(
        [sys.executable, "-c", LOSES_IT],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "lost\n"), done.stderr
