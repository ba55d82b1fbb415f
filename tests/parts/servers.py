"""Debian's Redis, on a socket of its own, to be hung, killed and started again by one test."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE_S
from redis import Redis
from redis.exceptions import RedisError

DEADLINE_S = PATIENCE_S


class Server:
    """A server that writes every reply to its file first, and its folder.

    Attributes:
        folder: Where its files are.
        url: Where it listens.
        process: It.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        binary = shutil.which("redis-server")
        self._binary = binary or pytest.fail(
            "redis-server is missing: apt-get install redis-server"
        )
        self._flags = flags
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self) -> None:
        """Start, with all that was there."""
        usual = f"--unixsocket {self.folder / 'redis.sock'} --dir {self.folder} --appendonly yes"
        self.process = subprocess.Popen(
            [self._binary, *usual.split(), "--appendfsync", "always", "--save", "", *self._flags],
            stdout=subprocess.DEVNULL,
        )
        end_s = time.monotonic() + DEADLINE_S
        with Redis.from_url(self.url) as client:
            while not _answers(client):
                assert self.process.poll() is None, "it ended at once"
                assert time.monotonic() < end_s
                time.sleep(0.005)

    def kill(self) -> None:
        """As a crash does. Not asked to end: a primary would wait for replicas that lag behind."""
        self.process.kill()
        self.process.wait(DEADLINE_S)

    @property
    def log(self) -> Path:
        """The commands since its file was written anew."""
        return max(self.folder.glob("appendonlydir/*.incr.aof"), key=lambda each: each.name)


@contextmanager
def served(*flags: str) -> Iterator[Server]:
    """One server for as long as a block; on a port too where the flags name one."""
    with tempfile.TemporaryDirectory(prefix="fg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), *(flags or ("--port", "0")))
        try:
            yield server
        finally:
            server.kill()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
