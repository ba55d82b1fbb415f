"""A real S3-compatible server in a process of its own, and a front before it that goes wrong."""

import asyncio
import contextlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from patience import PATIENCE_S
from processes import reserved_port

BUCKET = "pictures-of-tests"

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_FULL = (
    b"HTTP/1.1 507 Insufficient Storage\r\nContent-Type: application/xml\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class Bucket(NamedTuple):
    """Where a bucket is.

    Attributes:
        host: Of its server.
        port: Likewise.
    """

    host: str
    port: int

    def env(self, port: int = 0) -> dict[str, str]:
        """What obstore reads; with the `port` of a front before it, if there is one."""
        return {
            "AWS_ENDPOINT": f"http://{self.host}:{port or self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "NO_PROXY": "127.0.0.1",
        }


@contextmanager
def s3_server() -> Iterator[Bucket]:
    """A server with one bucket, until the block ends."""
    with reserved_port() as port, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=said,
            stderr=said,
            env={"PATH": os.environ["PATH"]},
        )
        try:
            bucket = Bucket("127.0.0.1", port)
            end_s = time.monotonic() + PATIENCE_S
            while not _made(bucket):
                assert process.poll() is None, "it ended at once"
                assert time.monotonic() < end_s, "it does not answer"
                time.sleep(0.05)
            yield bucket
        finally:
            process.kill()
            process.wait()


def _made(bucket: Bucket) -> bool:
    """Whether the server answers, and has the bucket now."""
    connection = http.client.HTTPConnection(bucket.host, bucket.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        try:
            connection.request("PUT", f"/{BUCKET}", headers={"Content-Length": "0"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False


class Front:
    """Stands before a bucket, on a port of its own in this event loop.

    Attributes:
        delay_s: How long each request waits.
        full: Whether writes are refused.
        full_after: How many writes still pass before they are; None: any number.
        away: Whether every connection is cut.
        writes: Paths that were written to.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.delay_s = 0.0
        self.full = self.away = False
        self.full_after: int | None = None
        self.writes: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Front"]:
        """Serve until the block ends."""
        server = await asyncio.start_server(self._serve, self._bucket.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # Whoever asked has gone.
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            return
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        body = await reader.readexactly(int(found[1]) if found else 0)
        await asyncio.sleep(self.delay_s)
        method, path, _ = head.decode("latin-1").split(" ", 2)
        if method == "PUT":
            self.writes.append(path)
            if self.full_after is not None:
                self.full, self.full_after = self.full_after <= 0, self.full_after - 1
            if self.full:
                writer.write(_FULL)
                await writer.drain()
                return
        behind, beside = await asyncio.open_connection(self._bucket.host, self._bucket.port)
        with contextlib.closing(beside):
            beside.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
            await beside.drain()
            while data := await behind.read(1 << 16):
                writer.write(data)
                await writer.drain()
