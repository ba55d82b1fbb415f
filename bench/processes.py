"""Processes of the benchmark: started on one core, waited for, measured as a tree, ended.

What is measured has one core, and load, Redis and stubs have the other. The benchmark's own process
is on that other core, and what it starts stays there unless it says otherwise.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SERVED, LOAD, BOTH = "0", "1", "0,1"
"""The cores: of what is measured, of everything else, and of what is measured on more than one."""

_ALLOWED = os.sched_getaffinity(0)
START_S, STOP_S, IDLE_S = 60.0, 20.0, 15.0
_LOOK_S, _BUSY = 0.05, 0.1


class Failed(Exception):
    """Something does not run or answers wrongly; the message says what and why."""


class Tree:
    """A process and its descendants."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def pids(self) -> list[int]:
        """All processes of the tree that run."""
        found, left = [], [self.pid]
        while left:
            pid = left.pop()
            if not Path(f"/proc/{pid}").exists():
                continue
            found.append(pid)
            for children in _read(f"/proc/{pid}/task/*/children"):
                left.extend(map(int, children.split()))
        return found

    def cpu_us(self) -> float:
        """User and system time of all threads so far, in microseconds."""
        return sum(
            int(text.split()[0]) / 1000
            for pid in self.pids()
            for text in _read(f"/proc/{pid}/task/*/schedstat")
        )

    def until_idle(self) -> None:
        """Wait until it does hardly anything, or for `IDLE_S` at most."""
        end_s = time.monotonic() + IDLE_S
        now_us = self.cpu_us()
        while time.monotonic() < end_s:
            before_us = now_us
            time.sleep(_LOOK_S)
            now_us = self.cpu_us()
            if now_us - before_us < _LOOK_S * 1e6 * _BUSY:
                return

    def rss_bytes(self) -> int:
        """Resident memory of the tree."""
        pages = (
            int(text.split()[1]) for pid in self.pids() for text in _read(f"/proc/{pid}/statm")
        )
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")


class Process(Tree):
    """A process that the benchmark started.

    Attributes:
        log: The file that it writes to.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        super().__init__(popen.pid)
        self._popen = popen
        self.log = log

    def until(self, port: int) -> None:
        """Wait until it accepts connections.

        Raises:
            Failed: It ended, or does not within `START_S`.
        """
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            self.check()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.01)
        raise Failed(f"{self.log.name} does not listen: {self.last_words()}")

    def check(self) -> None:
        """Raise `Failed` if it has ended."""
        if self._popen.poll() is not None:
            raise Failed(f"{self.log.name} ended by itself: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-800:].strip()

    def stop(self) -> None:
        """End it and all that it started."""
        self._popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(STOP_S)


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    folder: Path,
    *,
    core: str = LOAD,
    env: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """Run a command until the block ends; its log is the file `name` in the folder.

    It sees only the variables that programs need to run, and `env`.
    """
    log = folder / name
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*on_core(core), *command],
            env={**_needed(), **(env or {})},
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        process.stop()


def until_answered(url: str) -> None:
    """Wait until somebody answers there.

    Raises:
        Failed: Nobody does within `START_S`.
    """
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=START_S).close()
            return
        time.sleep(0.05)
    raise Failed(f"nobody answers at {url}")


def on_core(core: str) -> list[str]:
    """A prefix that keeps a command on its core, where there are two and a tool for it."""
    return ["taskset", "-c", str(core)] if pinned() else []


def pinned() -> bool:
    """Whether what is measured has a core to itself."""
    return shutil.which("taskset") is not None and {int(SERVED), int(LOAD)} <= _ALLOWED


def stay() -> None:
    """Keep this process, and what it starts by itself, on the core of the load."""
    if pinned():
        os.sched_setaffinity(0, {int(LOAD)})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


def _needed() -> dict[str, str]:
    names = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in names if name in os.environ}


def _read(pattern: str) -> list[str]:
    """The contents of files of /proc; those of processes that have just ended are left out."""
    found: list[Any] = []
    for path in Path("/proc").glob(pattern.removeprefix("/proc/")):
        with suppress(OSError):
            found.append(path.read_text())
    return found
