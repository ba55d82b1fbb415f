"""Real processes to break: Redis, a sandbox that plays fal, and gateways."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from forking import Forked, popen
from patience import PATIENCE_S
from processes import reserved_port
from redis import Redis
from redis.exceptions import RedisError

DATABASES = 200


HELD = ExitStack()
"""The ports of all that this test process ever starts, for as long as it lives."""


def free_port() -> int:
    """A port that nobody else gets, now or while its server is away."""
    return HELD.enter_context(reserved_port())


class Process:
    """A process of ours, with all that it says going to a file."""

    def __init__(self, command: list[str], output: Path, env: dict[str, str]) -> None:
        """Run a command; where it begins with `falgate`, without importing that once more."""
        usual = {n: v for n, v in os.environ.items() if not n.startswith(("FAL", "PYTHON"))}
        self.output = output
        self.process: Forked | subprocess.Popen[bytes]
        with output.open("ab") as said:
            if command[0] == "falgate":
                self.process = popen(command[1:], env=usual | env, stdout=said, stderr=said)
            else:
                self.process = subprocess.Popen(
                    command, env=usual | env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
                )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    @property
    def said(self) -> str:
        """All that it said."""
        return self.output.read_text()

    def until(self, answers: Callable[[], bool]) -> None:
        """Wait until it does; where it does not, it is ended."""
        end_s = time.monotonic() + PATIENCE_S
        try:
            while not answers():
                assert self.alive, self.said
                assert time.monotonic() < end_s, self.said
                time.sleep(0.01)
        except BaseException:
            self.end()
            raise

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class RedisServer:
    """Debian's Redis, every reply on its disk first; killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        self.binary = binary or pytest.fail("redis-server is missing: apt-get install redis-server")
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start, with all that was there."""
        flags = f"--port {self.port} --bind 127.0.0.1 --dir {self.folder} --databases {DATABASES}"
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command = [self.binary, *flags.split(), *durable]
        self.process = Process(command, self.folder / "redis.log", {})
        self.process.until(self._answers)

    def kill(self) -> None:
        """As a crash does."""
        self.process.end()

    def _answers(self) -> bool:
        with Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


class Sandbox:
    """A stand-in for fal in a process of its own, with its dials and its books."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["falgate", "sandbox", "--port", str(port)]
        self.process = Process(command, folder / f"sandbox-{port}.log", {})
        self.client = httpx.Client(base_url=f"{self.url}/sandbox", timeout=PATIENCE_S)
        self.process.until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.client.get("/dials").is_success
        except httpx.TransportError:
            return False

    def turn(self, **dials: Any) -> None:
        """Change how it answers from the next submit on."""
        reply = self.client.post("/dials", json=dials)
        assert reply.status_code == 200, reply.text

    def hold(self, **dials: Any) -> None:
        """Have the work on what is submitted from now on go on until it is let go."""
        self.turn(work_s=3_600, **dials)

    def let_go(self) -> None:
        """Have all work that goes on be done, and that on later submits be quick."""
        self.turn(work_s=0.1)
        self.client.delete("/work").raise_for_status()

    def books(self) -> dict[str, Any]:
        """The truth."""
        books: dict[str, Any] = self.client.get("/books").json()
        return books

    def heal(self) -> None:
        """All dials as at the start, but quick."""
        self.client.delete("/dials")
        self.turn(work_s=0.1)

    def forget(self) -> None:
        """Healthy again, with empty books."""
        self.heal()
        self.client.delete("/books")


class Gateway(Process):
    """One gateway."""

    def __init__(self, command: list[str], output: Path, env: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(command, output, {"FALGATE_LISTEN": f"127.0.0.1:{self.port}", **env})

    async def serves(self) -> None:
        """Wait until it does."""
        end_s = time.monotonic() + PATIENCE_S
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            while self.alive and time.monotonic() < end_s:
                try:
                    await client.get(f"{self.url}/healthz")
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
                else:
                    return
        pytest.fail(f"does not serve: {self.said}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short name; an embedded Redis that is left in it is ended."""
    with tempfile.TemporaryDirectory(prefix="fg-", ignore_cleanup_errors=True) as name:
        yield Path(name)
        for pid_file in Path(name).rglob("server.pid"):
            process_id = int(pid_file.read_text())
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def command() -> list[str]:
    """What starts a gateway; modules may have one of their own."""
    return ["falgate", "serve"]


@pytest.fixture
def launch(command: list[str]) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway, given the file of its log and its settings; none outlives the test."""
    started: list[Gateway] = []

    def launch(output: Path, **settings: str) -> Gateway:
        env = {f"FALGATE_{name.upper()}": value for name, value in settings.items()}
        started.append(Gateway(command, output, env))
        return started[-1]

    with ExitStack() as stack:
        yield launch
        for gateway in started:
            stack.callback(gateway.end)


@pytest.fixture(scope="session")
def new_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Sandbox]]:
    """Starts one more sandbox, for as long as tests run."""
    with ExitStack() as stack:

        def start() -> Sandbox:
            sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
            stack.callback(sandbox.process.end)
            stack.callback(sandbox.client.close)
            return sandbox

        yield start


@pytest.fixture(scope="session")
def served_sandbox(new_sandbox: Callable[[], Sandbox]) -> Sandbox:
    """One sandbox for all tests of this process."""
    return new_sandbox()


@pytest.fixture
def sandbox(served_sandbox: Sandbox) -> Sandbox:
    """A sandbox that plays fal: healthy, quick, with empty books."""
    served_sandbox.forget()
    return served_sandbox


@pytest.fixture(scope="session")
def served_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of this process that leave it alone."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def redis_url(served_redis: RedisServer) -> str:
    """A database of its own for each test: gateways may outlive what a flush takes away."""
    with Redis.from_url(served_redis.url) as client:
        number = client.incr("databases")
    assert number < DATABASES
    return f"{served_redis.url}/{number}"


@pytest.fixture
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A Redis to be killed."""
    (folder / "redis-server").mkdir()
    server = RedisServer(folder / "redis-server")
    yield server
    server.kill()
