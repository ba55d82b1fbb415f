"""A running gateway, and clients of other makes that are told what to ask it."""

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".cache" / "clients"
JARS = [
    f"/usr/share/java/{name}.jar"
    for name in ("httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api")
]
READY_S, CALL_S = 60, 30


class Answer(NamedTuple):
    """What a client says of an answer.

    Attributes:
        status: Its, or `error`.
        cache: Whether it was bought or found.
        body: Its, or what went wrong.
    """

    status: str
    cache: str
    body: bytes


class Client:
    """A client in a process of its own; its connections stay as it keeps them.

    Attributes:
        name: What it is.
    """

    def __init__(self, name: str, command: list[str | Path], folder: Path, cwd: Path) -> None:
        self.name = name
        self._folder = folder
        self._calls = 0
        # HOME is where Go keeps what it compiled; nothing else of the machine is for clients.
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        env |= {"GO111MODULE": "off", "GOFLAGS": "-mod=mod"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd=cwd, text=True
        )

    def ask(self, method: str, url: str, key: str, body: bytes = b"") -> Answer:
        """Make a call."""
        file = self._folder / f"{self.name}-{self._calls}"
        self._calls += 1
        if body:
            file.write_bytes(body)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # The first one compiles the client.
        watchdog = threading.Timer(READY_S + CALL_S, self._process.kill)
        watchdog.start()
        print(
            method, url, key, file if body else "", sep="\t", file=self._process.stdin, flush=True
        )
        line = self._process.stdout.readline()
        watchdog.cancel()
        assert line, f"{self.name} did not answer"
        status, cache, said = line.rstrip("\n").split("\t")
        return Answer(status, cache, base64.b64decode(said))

    def close(self) -> None:
        """End it, as what it reads ends."""
        with self._process:
            pass


def _found(command: str, package: str) -> str:
    return shutil.which(command) or pytest.fail(f"{command} is missing: apt-get install {package}")


def _java(name: str) -> list[str | Path]:
    """Java runs one file of source without more ado."""
    java = _found("java", "default-jdk-headless")
    if name == "Apache" and not all(map(os.path.exists, JARS)):
        pytest.fail("Apache's HttpClient is missing: apt-get install libhttpclient5-java")
    return [java, "-cp", ":".join(JARS), HERE / "drivers" / f"{name}.java"]


def _undici() -> tuple[list[str | Path], Path]:
    place = ENVIRONMENTS / "javascript-undici-6.29.1"
    if not (place / "made_from").exists():
        pytest.fail(f"{place} is missing: run `make clients`, and see what it says")
    return [_found("node", "nodejs"), HERE / "drivers" / "drive.mjs"], place


def _command(name: str) -> tuple[list[str | Path], Path]:
    """How a client is started, and where."""
    if name == "undici":
        return _undici()
    if name in ("Plain", "Apache"):
        return _java(name), HERE
    if name == "go":
        return [_found("go", "golang-go"), "run", HERE / "drivers" / "drive.go"], HERE
    return [sys.executable, HERE / "drivers" / "drive.py", name], HERE


CLIENTS = ("Plain", "Apache", "go", "undici", "requests", "httpx", "aiohttp")


@pytest.fixture(scope="module", params=CLIENTS)
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """Each client in turn."""
    command, cwd = _command(request.param)
    started = Client(request.param, command, tmp_path_factory.mktemp(request.param), cwd)
    yield started
    started.close()


class Relay:
    """Passes bytes on, and counts the connections that they came over.

    Attributes:
        port: Where it listens.
        connections: How many it was asked for.
    """

    def __init__(self, target: str) -> None:
        self.connections = 0
        self.port = 0
        self._target = target.rpartition("/")[2].split(":")
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(READY_S)

    def close(self) -> None:
        """Pass on no more."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        self._stopped = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            tasks.add(asyncio.create_task(self._pass_on(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(_copy(reader, behind[1]), _copy(behind[0], writer))
        finally:
            writer.close()
            behind[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@pytest.fixture
def relay(gateway: Any) -> Iterator[Relay]:
    """What counts a client's connections."""
    started = Relay(gateway.url)
    yield started
    started.close()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, start: Any) -> Iterator[Any]:
    """One gateway for all clients, with the sandbox in fal's place."""
    folder = tmp_path_factory.mktemp("gateway")
    with start(folder / "data", folder) as served:
        yield served


@pytest.fixture(scope="session")
def curl() -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """A function that types `curl`, quietly, with these arguments."""
    found = _found("curl", "curl")

    def typed(*arguments: str | Path, sent: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [found, "-sS", "--noproxy", "*", "--max-time", str(CALL_S), *arguments],
            input=sent,
            capture_output=True,
            check=False,
            timeout=2 * CALL_S,
        )

    return typed
