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
    return "serves"

start(settings.read(dict(os.environ)), announce)
"""

PRESSED = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Presses(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Presses())
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


# Earlier, it is Python itself that starts.
@pytest.mark.parametrize("module", ["click", "msgspec", "falgate.app", "trustme", "uvloop"])
def test_ctrl_c_while_modules_are_loaded_is_one_sentence(
    module: str, data: Path, listening: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "pressed.py").write_text(PRESSED.format(module=module))
    done = subprocess.run(
        [sys.executable, "-c", "import pressed; from falgate.__main__ import main; main()", "run"],
        env={**listening, "FALGATE_DATA_DIR": str(data), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "\nStopped before anything was begun.\n")


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
