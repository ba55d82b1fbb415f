"""A data directory for the embedded Redis, and looking at what runs on it."""

import fcntl
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from patience import PATIENCE_S

from falgate.redis.embedded import EmbeddedRedis


def _held(lock_file: Path) -> bool:
    """Whether any process holds the lock."""
    if not lock_file.exists():
        return False
    with lock_file.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _until(true: Callable[[], bool], deadline_s: float = PATIENCE_S) -> None:
    end_s = time.monotonic() + deadline_s
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is true, and fails when that takes long."""
    return _until


@pytest.fixture
def directory() -> Iterator[Path]:
    """A data directory with a short name; a server that a test leaves behind is an error."""
    with tempfile.TemporaryDirectory(prefix="fg-") as parent:
        path = Path(parent) / "data"
        yield path
        left_behind = _held(path / "lock")
        if left_behind:
            os.kill(int((path / "server.pid").read_text()), signal.SIGKILL)
            _until(lambda: not _held(path / "lock"))
        assert not left_behind


@pytest.fixture
def alive(directory: Path) -> Callable[[], bool]:
    """Whether a server lives on the data directory."""
    return lambda: _held(directory / "lock")


@pytest.fixture
def server_of() -> Callable[[EmbeddedRedis], int]:
    """The process id of the server that an instance uses; 0 while none answers."""

    def ask(instance: EmbeddedRedis) -> int:
        try:
            with redis.Redis.from_url(instance.url) as connection:
                return int(connection.info("server")["process_id"])
        except redis.ConnectionError:
            return 0

    return ask
