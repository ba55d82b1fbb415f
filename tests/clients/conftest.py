"""Fal's own clients as fixtures: unmodified, each in its environment, pointed at a server here."""

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import pytest
import trustme
import uvicorn
from packaging.version import Version
from patience import PATIENCE_S

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".cache" / "clients"
NAMES = ("localhost", "queue.localhost", "127.0.0.1", "::1")


Call = dict[str, Any]
Answers = list[Call]


class Target(NamedTuple):
    """Where a client is pointed.

    Attributes:
        tls: host:port of the https listener, which is all that Python's client speaks.
        base_url: The http listener.
        key: What the client is given as FAL_KEY.
        ca_bundle: The authority of the https listener and the public ones, a PEM file.
    """

    tls: str
    base_url: str
    key: str
    ca_bundle: Path


class Authority(NamedTuple):
    """A certificate for this machine's names, and the bundle that trusts it; PEM files."""

    certificate: Path
    bundle: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Trusted beside the public authorities, since SSL_CERT_FILE replaces them."""
    folder = tmp_path_factory.mktemp("authority")
    authority = Authority(folder / "certificate.pem", folder / "bundle.pem")
    ca = trustme.CA()
    ca.issue_cert(*NAMES).private_key_and_cert_chain_pem.write_to_path(str(authority.certificate))
    authority.bundle.write_bytes(ca.cert_pem.bytes() + Path(certifi.where()).read_bytes())
    return authority


def listener() -> socket.socket:
    """A socket on a free port of this machine."""
    opened = socket.socket()
    opened.bind(("127.0.0.1", 0))
    return opened


@contextmanager
def served(authority: Authority, app: Any, key: str) -> Iterator[Target]:
    """Serve one app over http and https until the block ends."""
    plain, tls = listener(), listener()
    configs = [
        uvicorn.Config(app, log_level="warning"),
        # One app, started and stopped by the other server.
        uvicorn.Config(
            app, log_level="warning", lifespan="off", ssl_certfile=authority.certificate
        ),
    ]
    servers = [uvicorn.Server(config) for config in configs]

    async def serve() -> None:
        await asyncio.gather(servers[0].serve([plain]), servers[1].serve([tls]))

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    deadline_s = time.monotonic() + PATIENCE_S
    while not all(server.started for server in servers):
        assert time.monotonic() < deadline_s, "the server under the client did not start"
        time.sleep(0.01)
    try:
        yield Target(
            tls=f"localhost:{tls.getsockname()[1]}",
            base_url=f"http://127.0.0.1:{plain.getsockname()[1]}",
            key=key,
            ca_bundle=authority.bundle,
        )
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(PATIENCE_S)


def environment(name: str) -> Path:
    """The folder that `make clients` installed a client in."""
    folder = ENVIRONMENTS / name
    if not (folder / "made_from").exists():
        pytest.fail(f"{folder} is missing: run `make clients`, and see what it says")
    return folder


class Driver:
    """A process with one of fal's clients, which makes the calls that it is told to."""

    def __init__(self, command: list[str | Path], log: Path, **settings: Any) -> None:
        self._log = log
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                **settings,
            )

    def ask(self, call: Call) -> Call:
        """Make a call; a client that breaks or hangs shows what it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self._process.kill)
        watchdog.start()
        print(json.dumps(call), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        watchdog.cancel()
        assert line, f"no answer to {call['call']}: {self._log.read_text()}"
        answer: Call = json.loads(line)
        return answer

    def close(self) -> None:
        """End it, as what it reads ends."""
        with self._process:
            pass


def drive_python(name: str, target: Target, log: Path) -> Driver:
    """The Python client, whose whole configuration is these four variables."""
    return Driver(
        [environment(name) / "bin" / "python", HERE / "python" / "drive.py"],
        log,
        env={
            "FAL_RUN_HOST": target.tls,
            "FAL_QUEUE_RUN_HOST": f"{target.tls}/queue",
            "FAL_KEY": target.key,
            "SSL_CERT_FILE": str(target.ca_bundle),
        },
    )


def drive_javascript(name: str, target: Target, log: Path) -> Driver:
    """The JavaScript client, which each call tells how the gateway is reached."""
    node = shutil.which("node") or pytest.fail("Node is missing: apt-get install nodejs")
    where = json.dumps({"base": target.base_url, "key": target.key})
    return Driver(
        [node, HERE / "javascript" / "drive.mjs", where], log, env={}, cwd=environment(name)
    )


def versions(locks: str) -> list[str]:
    """The versions of a client, the oldest first."""
    found = {lock.stem if lock.suffix == ".lock" else lock.parent.name for lock in HERE.glob(locks)}
    return sorted(found, key=Version)


PYTHON = versions("python/*.lock")
JAVASCRIPT = versions("javascript/[0-9]*/package-lock.json")
# The oldest and the newest: tests/clients/calls has each version.
CLIENTS: dict[str, tuple[str, Call]] = {
    **{f"python-{version}": (f"python-{version}", {}) for version in (PYTHON[0], PYTHON[-1])},
    **{
        f"javascript-{version}-{style}": (f"javascript-{version}", {"style": style})
        for version, style in [
            (JAVASCRIPT[0], "middleware"),
            (JAVASCRIPT[-1], "middleware"),
            (JAVASCRIPT[-1], "fetch"),
        ]
    },
}


class Drivers:
    """The clients' processes, one for each client and target."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[tuple[str, Target], Driver] = {}

    def ask(self, name: str, target: Target, call: Call) -> Call:
        """Have a client make a call at a target."""
        if (name, target) not in self._running:
            drive = drive_python if name.startswith("python") else drive_javascript
            log = self._folder / f"{name}-{len(self._running)}.log"
            self._running[name, target] = drive(name, target, log)
        return self._running[name, target].ask(call)

    def leave(self, tls: str) -> None:
        """End those at a target: a server that stops would wait for their connections."""
        for place in [place for place in self._running if place[1].tls == tls]:
            self._running.pop(place).close()


@pytest.fixture(scope="session")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Drivers:
    """Empty again where every target has been left."""
    return Drivers(tmp_path_factory.mktemp("drivers"))


@pytest.fixture(params=CLIENTS)
def drive(request: pytest.FixtureRequest, drivers: Drivers) -> Callable[[Target, Answers], Answers]:
    """Each client in turn, as a function from a target and calls to the client's answers."""
    name, way = CLIENTS[request.param]
    return lambda target, calls: [drivers.ask(name, target, {**way, **call}) for call in calls]


@pytest.fixture(scope="session")
def environment_of() -> Callable[[str], Path]:
    """The folder that a client is installed in, by the client's name."""
    return environment


@pytest.fixture(scope="session")
def serve(
    authority: Authority, drivers: Drivers
) -> Callable[[Any, str], AbstractContextManager[Target]]:
    """A function that serves an app to a client with the given key, for as long as a block."""

    @contextmanager
    def serve(app: Any, key: str) -> Iterator[Target]:
        with served(authority, app, key) as target:
            yield target
            drivers.leave(target.tls)

    return serve


@pytest.fixture(scope="session")
def reach(drivers: Drivers) -> Callable[[Any], AbstractContextManager[Target]]:
    """Where a client is pointed to reach a gateway: at what `falgate run` prints."""

    @contextmanager
    def reach(gateway: Any) -> Iterator[Target]:
        yield Target(gateway.tls, gateway.url, gateway.key, gateway.bundle)
        drivers.leave(gateway.tls)

    return reach
