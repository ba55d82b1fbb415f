"""The servers that the money store has to work on: the embedded Valkey, and Debian's Redis 7.0."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE_S
from redis import Redis as SyncRedis
from redis.exceptions import ConnectionError as NotConnected

from falgate.redis.embedded import EmbeddedRedis


def _valkey(directory: Path) -> Iterator[str]:
    server = EmbeddedRedis(directory)
    server.start()
    try:
        yield server.url
    finally:
        server.leave()


def _redis_7_0(directory: Path) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.fail("redis-server is missing: apt-get install redis-server")
    path = directory / "redis.sock"
    flags = f"--port 0 --unixsocket {path} --dir {directory} --appendonly yes --appendfsync always"
    server = subprocess.Popen([binary, *flags.split(), "--save", ""], stdout=subprocess.DEVNULL)
    try:
        url = f"unix://{path}"
        with SyncRedis.from_url(url) as client:
            _until(lambda: _answers(client))
        yield url
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@contextmanager
def embedded() -> Iterator[str]:
    """The address of a real server that nobody else uses, for as long as the block."""
    with tempfile.TemporaryDirectory(prefix="fg-") as directory:
        yield from _valkey(Path(directory))


SERVERS = {"valkey": _valkey, "redis-7.0": _redis_7_0}


def _answers(client: SyncRedis) -> bool:
    try:
        return bool(client.ping())
    except NotConnected:
        return False


def _until(true: Callable[[], bool], deadline_s: float = PATIENCE_S) -> None:
    end_s = time.monotonic() + deadline_s
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.005)
