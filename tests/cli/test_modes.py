"""What falgate makes is for its owner alone, and what others can reach all the same is told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

Start = Callable[..., AbstractContextManager[Any]]


@contextmanager
def serving(command: list[str], said: Path, settings: dict[str, str]) -> Iterator[None]:
    """Run a command under the usual umask until the block ends, from when it says it serves."""
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "falgate", *command],
            env={"PATH": os.environ["PATH"], **settings},
            stdout=output,
            stderr=output,
            umask=0o022,
        )
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while " serves " not in said.read_text():
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline_s, said.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


def others_reach(made: Path) -> set[str]:
    """What of all that is in a directory, and of it, somebody else has rights on."""
    return {
        str(path)
        for path in (made, *made.rglob("*"))
        if not path.is_symlink() and not path.is_socket() and path.stat().st_mode & 0o77
    }


@pytest.mark.parametrize("command", ["serve", "run"])
def test_a_data_directory_is_for_its_owner_whoever_makes_it(
    command: str, tmp_path: Path, listening: dict[str, str]
) -> None:
    made = tmp_path / "var"
    settings = {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_DATA_DIR": str(made / "lib" / "data")}
    if command == "serve":
        listening.pop("FALGATE_TLS_LISTEN")

    with serving([command], tmp_path / "said", {**settings, **listening}):
        assert (made / "lib" / "data" / "media").is_dir()
        assert others_reach(made) == set()


def test_what_the_sandbox_keeps_is_too(tmp_path: Path, listening: dict[str, str]) -> None:
    port = listening["FALGATE_LISTEN"].rpartition(":")[2]
    command = ["sandbox", "--port", port, "--data", str(tmp_path / "kept" / "here")]

    with serving(command, tmp_path / "said", {"PYTHONUNBUFFERED": "1"}):
        assert (tmp_path / "kept" / "here").is_dir()
        assert others_reach(tmp_path / "kept") == set()


def log(data: Path, start: Start, logs: Path) -> list[str]:
    """What a gateway on this directory tells of files."""
    with start(data, logs) as gateway:
        pass
    return [line for line in gateway.log.splitlines() if "file.exposed" in line]


def test_what_others_can_reach_is_told_with_the_mode_to_set(
    data: Path, start: Start, tmp_path: Path
) -> None:
    assert log(data, start, tmp_path) == []
    data.chmod(0o750)
    key = data / "tls" / "key.pem"
    key.chmod(0o640)
    assert log(data, start, tmp_path) == [], "groups are the operator's business"
    data.chmod(0o755)
    key.chmod(0o644)

    warned = log(data, start, tmp_path)

    assert len(warned) == 2
    assert f"chmod 700 {data}" in warned[0]
    assert f"chmod 600 {key}" in warned[1]
