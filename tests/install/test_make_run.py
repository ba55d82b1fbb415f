"""`make run` as a newcomer types it: it sets itself up, serves, and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from patience import PATIENCE_S
from processes import reserved_port
from tree import MADE, ROOT

# A minute on an idle machine.
SET_UP_S = 5 * PATIENCE_S


class Run(NamedTuple):
    """One `make run` under way, with all that it says going to a file."""

    process: "subprocess.Popen[bytes]"
    output: Path
    port: int


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clean copy whose path has a space, with what an interrupted set-up may have left."""
    copy = tmp_path / "a copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE, "*_cache"))
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").symlink_to("/gone/python3")
    return copy


def make_run(project: Path, output: Path, port: int, tls_port: int) -> Run:
    """Type it, as the leader of a session of its own."""
    with output.open("wb") as said:
        process = subprocess.Popen(
            ["make", "-C", project, "run"],
            env={
                **{
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(("FAL", "MAKE"))
                },
                "FALGATE_LISTEN": f"127.0.0.1:{port}",
                "FALGATE_TLS_LISTEN": f"localhost:{tls_port}",
                "FALGATE_DATA_DIR": str(project / "data"),
            },
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Run(process, output, port)


def curl_line(run: Run, within_s: float) -> str:
    """The command that it prints for a first try, once it is there and serving."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        said = run.output.read_text()
        assert run.process.poll() is None, said
        found = re.search(r"^\s*(curl (?:.*\\\n)*.*)$", said, re.MULTILINE)
        if found:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", run.port)) == 0:
                    return found[1]
        time.sleep(0.05)
    pytest.fail(f"did not serve within {within_s} s:\n{run.output.read_text()}")


def processes_of(project: Path) -> dict[int, str]:
    """All that runs on this project's behalf: the command lines by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (
                (folder / "cmdline").read_bytes(),
                (folder / "environ").read_bytes(),
            )
        except OSError:  # it has ended, or is somebody else's
            continue
        if bytes(project) in command + environment:
            found[int(folder.name)] = command.replace(b"\0", b" ").decode()
    return found


def press_ctrl_c(run: Run) -> None:
    """What a terminal does, and what has to come of it."""
    os.killpg(run.process.pid, signal.SIGINT)
    run.process.wait(PATIENCE_S)


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Two that are free."""
    with reserved_port() as one, reserved_port() as other:
        yield one, other


@pytest.fixture
def runs(project: Path) -> Iterator[list[Run]]:
    """The runs of a test; what they leave behind is ended hard."""
    started: list[Run] = []
    try:
        yield started
    finally:
        # None of them is reaped before it is killed: its id is its own.
        for process_id in processes_of(project):
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        for run in started:
            run.process.kill()
            run.process.wait(PATIENCE_S)


def test_make_run_repairs_serves_stops_and_starts_again_at_once(
    project: Path, runs: list[Run], ports: tuple[int, int], tmp_path: Path
) -> None:
    pictures = []
    for number, within_s in enumerate((SET_UP_S, PATIENCE_S)):
        typed_s = time.monotonic()
        runs.append(make_run(project, tmp_path / f"{number}.txt", *ports))
        line = curl_line(runs[-1], within_s)
        sys.stderr.write(f"Start {number + 1} took {time.monotonic() - typed_s:.1f} s.\n")
        answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
        (image,) = json.loads(answer.stdout)["images"]
        pictures.append(image["file_name"])

        press_ctrl_c(runs[-1])

        said = runs[-1].output.read_text()
        assert processes_of(project) == {}, said
        assert ("Installing" in said) == (number == 0), "it sets itself up once"
        assert "Traceback" not in said
        assert "make: ***" not in said
    assert pictures[0] == pictures[1]
