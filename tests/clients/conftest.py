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
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import pytest
import trustme
import uvicorn

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".cache" / "clients"
NAMES = ("localhost", "queue.localhost", "127.0.0.1", "::1")

Answers = list[dict[str, Any]]


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
    deadline_s = time.monotonic() + 10
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
        thread.join(10)


def environment(name: str) -> Path:
    """The folder that `make clients` installed a client in."""
    folder = ENVIRONMENTS / name
    if not (folder / "made_from").exists():
        pytest.fail(f"{folder} is missing: run `make clients`, and see what it says")
    return folder


def answers_of(command: list[str | Path], given: Any, **settings: Any) -> Answers:
    """Run a driver on a JSON document; a driver that breaks shows what it said."""
    done = subprocess.run(
        command,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **settings,
    )
    assert done.returncode == 0, done.stderr
    answers: Answers = json.loads(done.stdout)
    return answers


def drive_python(name: str, target: Target, calls: Answers) -> Answers:
    """Calls by the Python client, whose whole configuration is these four variables."""
    return answers_of(
        [environment(name) / "bin" / "python", HERE / "python" / "drive.py"],
        calls,
        env={
            "FAL_RUN_HOST": target.tls,
            "FAL_QUEUE_RUN_HOST": f"{target.tls}/queue",
            "FAL_KEY": target.key,
            "SSL_CERT_FILE": str(target.ca_bundle),
        },
    )


def drive_javascript(name: str, style: str, target: Target, calls: Answers) -> Answers:
    """Calls by the JavaScript client, reached by its `style` of configuration."""
    node = shutil.which("node") or pytest.fail("Node is missing: apt-get install nodejs")
    return answers_of(
        [node, HERE / "javascript" / "drive.mjs"],
        {"base": target.base_url, "key": target.key, "style": style, "calls": calls},
        env={},
        cwd=environment(name),
    )


PYTHON = [f"python-{lock.stem}" for lock in sorted(HERE.glob("python/*.lock"))]
JAVASCRIPT = [
    f"javascript-{lock.parent.name}" for lock in sorted(HERE.glob("javascript/*/package-lock.json"))
]
CLIENTS: dict[str, Callable[[Target, Answers], Answers]] = {
    **{name: partial(drive_python, name) for name in PYTHON},
    **{
        f"{name}-{style}": partial(drive_javascript, name, style)
        for name in JAVASCRIPT
        for style in ("middleware", "fetch")
    },
}


@pytest.fixture(scope="session")
def environment_of() -> Callable[[str], Path]:
    """The folder that a client is installed in, by the client's name."""
    return environment


@pytest.fixture(params=CLIENTS)
def drive(request: pytest.FixtureRequest) -> Callable[[Target, Answers], Answers]:
    """Each client in turn, as a function from a target and calls to the client's answers."""
    return CLIENTS[request.param]


@pytest.fixture(scope="session")
def serve(authority: Authority) -> Callable[[Any, str], AbstractContextManager[Target]]:
    """A function that serves an app to a client with the given key, for as long as a block."""
    return partial(served, authority)


@pytest.fixture(scope="session")
def target_of() -> Callable[[Any], Target]:
    """Where a client is pointed to reach a gateway: at what `falgate run` prints."""
    return lambda gateway: Target(gateway.tls, gateway.url, gateway.key, gateway.bundle)
