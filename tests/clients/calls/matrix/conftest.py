"""Each call by each client: which work with which version, and what they ask of the server."""

import base64
import io
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from patience import PATIENCE_S
from PIL import Image

CLIENTS = Path(__file__).parent.parent.parent
MODEL = "fal-ai/gpt-image-1.5"

VERSIONS = {
    "python": [lock.stem for lock in CLIENTS.glob("python/*.lock")],
    "javascript": [lock.parent.name for lock in CLIENTS.glob("javascript/[0-9]*/*-lock.json")],
}
PROXY = next(CLIENTS.glob("javascript/server-proxy-*")).name.rpartition("-")[2]
OTHERS = {"curl": "any", "express": PROXY, "hono": PROXY}
"""What is there in one version: no client, or a server's proxy before the newest client."""

WAYS: dict[str, dict[str, Any]] = {
    "python": {},
    "python-async": {"asynchronous": True},
    "javascript": {"style": "middleware"},
    "javascript-fetch": {"style": "fetch"},
    "javascript-proxied": {"style": "proxy-middleware"},
    "javascript-proxyurl": {"style": "proxy-object"},
    "javascript-proxystring": {"style": "proxy-string"},
    "javascript-browser": {"style": "proxy-string", "browser": True},
}
"""How an app uses a client, by the name of a language and of the way where it is not the usual."""

STATUSES = {"Queued": "IN_QUEUE", "InProgress": "IN_PROGRESS", "Completed": "COMPLETED"}


class Client(NamedTuple):
    """A version of a client, in one of the ways of using it."""

    group: str
    version: str

    @property
    def name(self) -> str:
        """Of its environment; what stands before a server's proxy is the newest there is."""
        language = self.group.partition("-")[0]
        if language in VERSIONS:
            return f"{language}-{self.version}"
        return f"javascript-{max(VERSIONS['javascript'], key=Version)}"


def named(requirement: str) -> list[Client]:
    """The clients that `javascript-fetch>=1.9` means, the oldest first."""
    wanted = Requirement(requirement)
    language = wanted.name.partition("-")[0]
    if language not in VERSIONS:
        return [Client(wanted.name, OTHERS[wanted.name])]
    versions = sorted(VERSIONS[language], key=Version)
    return [Client(wanted.name, version) for version in wanted.specifier.filter(versions)]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "works(call, *clients, defect=): a line of the table in docs/clients.md"
    )


def marks(function: Any) -> Iterator[tuple[Client, pytest.Mark]]:
    """Each client that a test is marked for, beside the mark."""
    for mark in reversed(list(function.iter_markers("works"))):
        for requirement in mark.args[1:]:
            yield from ((client, mark) for client in named(requirement))


def ends(function: Any) -> Iterator[Client]:
    """The oldest and the newest of each requirement: a bound in a mark has both of its sides."""
    for mark in function.iter_markers("works"):
        for clients in map(named, mark.args[1:]):
            yield from (clients[0], clients[-1])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the clients that its marks name: the ends of each range, or in full all."""
    found = dict(marks(metafunc.definition))
    if found:
        ran = found if metafunc.config.getoption("full") else set(ends(metafunc.definition))
        cases = [pytest.param(client, id="-".join(client)) for client in found if client in ran]
        metafunc.parametrize("client", cases)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put into each test's report which cell of the table it proves."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("works"):
            client = item.callspec.getparam("client")
            assert isinstance(client, Client)
            mark = dict(marks(item))[client]
            cell = (mark.args[0], *client, mark.kwargs.get("defect", ""))
            item.user_properties.append(("cell", cell))


class Answer(NamedTuple):
    """What a client made of a call, in one shape for all of them.

    Attributes:
        said: All that the driver said.
        asked: What the client asked of the server for it, in order.
    """

    said: dict[str, Any]
    asked: list[str]

    @property
    def result(self) -> Any:
        """What the client returned, without its wrapping."""
        assert self.said["ok"], self.said
        result = self.said["result"]
        # Where a driver followed updates, they stand beside the result.
        result = result["result"] if isinstance(result, dict) and "updates" in result else result
        return result.get("data", result) if isinstance(result, dict) else result

    @property
    def images(self) -> list[dict[str, Any]]:
        """The pictures."""
        found: list[dict[str, Any]] = self.result["images"]
        return found

    @property
    def status(self) -> str:
        """Fal's word for the status that the client returned."""
        return status_of(self.result)

    @property
    def updates(self) -> list[dict[str, Any]]:
        """What the client was told on the way."""
        assert self.said["ok"], self.said
        found: list[dict[str, Any]] = self.said["result"]["updates"]
        return found

    @property
    def statuses(self) -> list[str]:
        """Fal's words for the updates, each once in a row."""
        return [word for word, _ in groupby(map(status_of, self.updates))]

    @property
    def steps(self) -> list[str]:
        """What was asked, each once in a row: how often one polls depends on the time."""
        return [word for word, _ in groupby(self.asked)]


def status_of(status: dict[str, Any]) -> str:
    """Fal's word for a status: JavaScript has it, and Python a class of that name."""
    return str(STATUSES.get(status.get("type", ""), status.get("status")))


class App:
    """An app that uses a client.

    Attributes:
        world: What it is pointed at.
        client: What it uses.
        defect: What is known to be wrong with that, for the call that is tested; or "".
        prompt: One that nobody else has.
    """

    def __init__(self, world: Any, client: Client, ask: Callable[..., Any], prompt: str) -> None:
        self.world = world
        self.client = client
        self.defect = ""
        self.prompt = prompt
        self.way = WAYS.get(client.group, {})
        self._ask = ask

    @property
    def is_python(self) -> bool:
        """Whether it is written in Python."""
        return self.client.group.startswith("python")

    @property
    def logs(self) -> dict[str, bool]:
        """How the client is asked for logs."""
        return {"with_logs" if self.is_python else "logs": True}

    def make(
        self,
        call: str,
        arguments: dict[str, Any],
        *,
        key: str = "",
        model: str = MODEL,
        **options: Any,
    ) -> Answer:
        """Make a call with a prompt, and with another key or model where one is given."""
        arguments = {"prompt": self.prompt, "quality": "low", **arguments}
        target = {"key": key} if key else {}
        about = {"model": model, "arguments": arguments, "options": options}
        return self.call({"call": call, **about}, **target)

    def about(self, call: str, **options: Any) -> Answer:
        """Make a call about the request that was submitted last."""
        return self.call({"call": call, "options": options})

    def call(self, call: dict[str, Any], **target: Any) -> Answer:
        """Make a call, with another key where one is given."""
        before = len(self.world.front.asked)
        place = self.world.target._replace(**target)
        said = self._ask(self.client.name, place, {"model": MODEL, **self.way, **call})
        return Answer(said, self.world.front.asked[before:])


@pytest.fixture(scope="session")
def make_app(drivers: Any) -> Callable[[Any, Client, Any], App]:
    """A function that makes an app for a test, pointed at a world."""

    def make_app(world: Any, client: Client, test: pytest.Function) -> App:
        app = App(world, client, drivers.ask, f"a fox for {test.name}")
        app.defect = dict(marks(test))[client].kwargs.get("defect", "")
        return app

    return make_app


@pytest.fixture
def app(
    world: Any, client: Client, make_app: Callable[..., App], request: pytest.FixtureRequest
) -> Iterator[App]:
    """An app that uses the client; what the test did to the sandbox is undone."""
    yield make_app(world, client, request.node)
    world.heal()


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, for what a client does not wait for itself."""

    def wait_until(holds: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline_s, "it did not come to that"
            time.sleep(0.02)

    return wait_until


@pytest.fixture(scope="session")
def picture() -> str:
    """An input picture: a PNG, as base64."""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
