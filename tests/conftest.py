"""Falgate as its users run it: commands, and processes that serve on ports of their own."""

import fcntl
import gc
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import pytest
from forking import Forked, popen, run
from hypothesis import settings
from patience import PATIENCE_S, TRIP_S
from processes import ended, reserved_port
from redis import Redis

from falgate.redis import keyspace
from falgate.redis.script import scripts

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they
# start; several tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["in_memory", "ledgers", "serving"]  # what tests of several domains stand on


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="all versions of fal's clients, all scripts on Redis 7.0 too, more random lives",
    )

    parser.addoption("--shots", default="", help="where tests/console/shots.py puts its pictures")


def pytest_configure(config: pytest.Config) -> None:
    examples = 200 if config.getoption("full") else 50
    settings.register_profile("ours", derandomize=True, deadline=None, max_examples=examples)
    settings.load_profile("ours")


def pytest_collection_finish() -> None:
    # Thousands of tests stay in memory; the garbage collector need not look at them again.
    gc.collect()
    gc.freeze()


class Falgate(NamedTuple):
    """A gateway that serves.

    Attributes:
        process: It.
        data: Its data directory.
        url: Where it speaks http.
        tls: host:port of its https listener.
        said: What it prints, so far, to stdout and to stderr.
    """

    process: Forked
    data: Path
    url: str
    tls: str
    said: tuple[Path, Path]

    @property
    def key(self) -> str:
        """The key of an app that it made."""
        return (self.data / "app-key").read_text().strip()

    @property
    def bundle(self) -> Path:
        """What Python's client is told to trust."""
        return self.data / "tls" / "bundle.pem"

    @property
    def banner(self) -> str:
        """What it told whoever started it."""
        return self.said[0].read_text()

    @property
    def log(self) -> str:
        """What it wrote for operators."""
        return self.said[1].read_text()


def clean(**settings: str) -> dict[str, str]:
    """The environment of a machine that knows nothing of falgate, with these settings."""
    return {"PATH": os.environ["PATH"], **settings}


@contextmanager
def reserved() -> Iterator[dict[str, str]]:
    """Free ports to listen on, kept from all but servers that reuse addresses, as ours do."""
    with ExitStack() as stack:
        ports = [stack.enter_context(reserved_port()) for _ in range(2)]
        yield {
            "FALGATE_LISTEN": f"127.0.0.1:{ports[0]}",
            "FALGATE_TLS_LISTEN": f"localhost:{ports[1]}",
        }


def run_command(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return run(arguments, clean(**settings))


@contextmanager
def running(data: Path, logs: Path, **settings: str) -> Iterator[Falgate]:
    """Type `falgate run`, wait until it serves, and press Ctrl-C after the block."""
    with ExitStack() as stack:
        addresses = stack.enter_context(reserved())
        url, tls = addresses.values()
        usual = {
            "FALGATE_DATA_DIR": str(data),
            "FALGATE_SANDBOX_WORK_S": "0",
            "FALGATE_REDIS_TIMEOUT_S": str(TRIP_S),
        }
        said = (logs / f"{url}.out", logs / f"{url}.err")
        process = stack.enter_context(
            ended(
                popen(
                    ["run"],
                    env=clean(**{**usual, **addresses, **settings}),
                    stdout=stack.enter_context(said[0].open("wb")),
                    stderr=stack.enter_context(said[1].open("wb")),
                )
            )
        )
        falgate = Falgate(process, data, f"http://{url}", tls, said)
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while "Ctrl-C stops it." not in falgate.banner:
                assert process.poll() is None, falgate.log
                assert time.monotonic() < deadline_s, falgate.log
                time.sleep(0.02)
            yield falgate
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
    assert process.returncode == 0, falgate.log
    assert "Traceback" not in falgate.log


def serves_redis(data: Path) -> bool:
    """Whether an embedded Redis lives on this data directory."""
    lock = data / "redis" / "lock"
    if not lock.is_file():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


_CHECKOUT_DATA = Path(__file__).parent.parent / ".falgate"


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_checkout() -> Iterator[None]:
    """Where a person's data directory is, none of ours may be; one that is there is theirs."""
    was_there = _CHECKOUT_DATA.exists()
    yield
    assert was_there or not _CHECKOUT_DATA.exists(), "give it a data directory of its own"


@pytest.fixture(scope="session", autouse=True)
def _authorities_are_loaded_once() -> Iterator[None]:
    """httpx loads them for each client, which takes longer than most of what is asked by one."""
    usual: Any = ssl.create_default_context
    loaded = cache(usual)
    # What httpx chooses, with and without its look at the environment.
    chosen = {certifi.where(), os.environ.get("SSL_CERT_FILE")}

    def create(*given: Any, **named: Any) -> Any:
        is_chosen = not given and named.keys() == {"cafile"} and named["cafile"] in chosen
        return (loaded if is_chosen else usual)(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", create)
        yield


@pytest.fixture(scope="session")
def falgate() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Types `falgate ARGUMENTS` with these settings, and waits for its end."""
    return run_command


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[Falgate]]:
    """Types `falgate run` with this data directory and these settings, for as long as a block."""
    return running


def enqueue_webhook(
    redis_url: str,
    request_id: str,
    url: str = "https://hooks.example/told?token=secret",
    *,
    subject: str = "web/shop",
    upstream: str = "sandbox",
) -> None:
    """Do what the script does that ends a request with a webhook."""
    parts = [scripts()[name].read_text() for name in ("_prelude.lua", "_deliveries.lua")]
    call = "enqueue_delivery(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], now_ms())"
    with Redis.from_url(redis_url) as redis:
        redis.eval(
            "\n".join([*parts, call]),
            2,
            keyspace.delivery(request_id),
            keyspace.deliveries("waiting"),
            *(request_id, url, subject, upstream),
        )


@pytest.fixture(scope="session")
def enqueue() -> Callable[..., None]:
    """Ends a request that wants to be told of: a Redis by its URL, the request, where to."""
    return enqueue_webhook


@pytest.fixture
def listening() -> Iterator[dict[str, str]]:
    """The settings of addresses that are free."""
    with reserved() as addresses:
        yield addresses


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Where a data directory may be made; a server that stays behind on it is an error."""
    path = tmp_path / "data"
    yield path
    left_behind = serves_redis(path)
    if left_behind:
        os.kill(int((path / "redis" / "server.pid").read_text()), signal.SIGKILL)
    assert not left_behind


@pytest.fixture
def closed_port_url() -> Iterator[str]:
    """Where no server listens, nor will one while the test lasts."""
    with socket.socket() as taken:
        # Bound and not listening: whoever connects is refused, and nobody else gets the port.
        taken.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{taken.getsockname()[1]}"
