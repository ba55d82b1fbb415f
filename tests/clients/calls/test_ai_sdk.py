"""Vercel's AI SDK, unmodified: several pictures of one prompt are several, bought once."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

CLIENTS = Path(__file__).parent.parent
SDK = next(CLIENTS.glob("javascript/ai-sdk-*")).name
CALLS_S = 60


class World(NamedTuple):
    """A running gateway, the environment that the SDK is installed in, and who plays fal."""

    gateway: Any
    environment: Path
    falgate: Callable[..., Any]
    sandbox: httpx.Client

    def set(self, *words: str) -> None:
        """Say how the app uses the cache."""
        done = self.falgate(
            "apps", "cache", "default/default", *words, FALGATE_DATA_DIR=str(self.gateway.data)
        )
        assert done.returncode == 0, done.stderr

    def generate(self, *calls: dict[str, Any]) -> list[dict[str, Any]]:
        """What the SDK gets for calls of `generateImage`, one after the other."""
        node = shutil.which("node") or pytest.fail("Node is missing: apt-get install nodejs")
        where = {"base": self.gateway.url, "key": self.gateway.key, "calls": calls}
        done = subprocess.run(
            [node, CLIENTS / "javascript" / "generate.mjs", json.dumps(where)],
            cwd=self.environment,
            env={},
            capture_output=True,
            text=True,
            check=False,
            timeout=CALLS_S,
        )
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    def sold(self, prompt: str) -> list[int]:
        """How many pictures of a prompt fal's stand-in sold by each purchase."""
        books = self.sandbox.get("/sandbox/books").json()
        return [
            submit["input"]["num_images"]
            for submit in books["submits"]
            if submit["accepted"] and submit["input"]["prompt"] == prompt
        ]


@pytest.fixture(scope="module")
def world(
    start: Callable[..., AbstractContextManager[Any]],
    falgate: Callable[..., Any],
    sandbox: httpx.Client,
    environment_of: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gateway")
    settings = {
        "FALGATE_UPSTREAM_URL": str(sandbox.base_url.join("/queue")),
        "FALGATE_FAL_KEY": "id:secret",
        # However slow this machine is, what was sent together meets.
        "FALGATE_DISTINCT_WAIT_MS": "3000",
    }
    with start(folder / "data", folder, **settings) as gateway:
        yield World(gateway, environment_of(f"javascript-{SDK}"), falgate, sandbox)


@pytest.fixture
def call(world: World, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A call for three pictures of this test's own prompt; fal takes its time for them."""
    world.sandbox.post("/sandbox/dials", json={"work_s": 1}).raise_for_status()
    quality = {"fal": {"quality": "low"}}
    yield {"prompt": f"a fox for {request.node.name}", "n": 3, "providerOptions": quality}
    world.sandbox.delete("/sandbox/dials").raise_for_status()


def test_three_pictures_are_asked_for_by_three_equal_requests_that_share_one(
    world: World, call: dict[str, Any]
) -> None:
    """What `distinct` is for: an app that says nothing gets one picture three times."""
    world.set("--identical", "share")

    (answer,) = world.generate(call)

    assert answer["asked"] == [1, 1, 1]
    assert len(set(answer["pictures"])) == 1
    assert world.sold(call["prompt"]) == [1]


def test_an_app_that_is_set_to_distinct_gets_three_and_later_the_same_for_nothing(
    world: World, call: dict[str, Any]
) -> None:
    world.set("--identical", "distinct")

    bought, found = world.generate(call, call)

    assert bought["asked"] == found["asked"] == [1, 1, 1]
    assert len(set(bought["pictures"])) == 3
    assert set(found["pictures"]) == set(bought["pictures"])
    assert world.sold(call["prompt"]) == [1, 1, 1]


@pytest.mark.parametrize("identical", ["share", "distinct"])
def test_the_sdks_own_remedy_is_one_request_for_three(
    world: World, call: dict[str, Any], identical: str
) -> None:
    world.set("--identical", identical)
    in_one = {**call, "maxImagesPerCall": 4}

    bought, found = world.generate(in_one, in_one)

    assert bought["asked"] == found["asked"] == [3]
    assert len(set(bought["pictures"])) == 3
    assert found["pictures"] == bought["pictures"]
    assert world.sold(call["prompt"]) == [3]
