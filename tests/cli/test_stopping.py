"""A stop that is asked for while it starts, and whose cancellation gets lost on its way."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import PATIENCE_S
from processes import ended

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
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "lost\n"), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.03, 0.1])
def test_the_sandbox_stops_however_early_it_is_asked_to(
    number: signal.Signals, after_s: float, listening: dict[str, str]
) -> None:
    port = listening["FALGATE_LISTEN"].rpartition(":")[2]
    command = [sys.executable, "-um", "falgate", "sandbox", "--port", port]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as sandbox:
        assert sandbox.stdout is not None
        assert "serves" in sandbox.stdout.readline()
        time.sleep(after_s)
        sandbox.send_signal(number)
        assert sandbox.wait(PATIENCE_S) == 0
