"""Fal's own clients, unmodified, against the gateway that `falgate run` starts."""

import base64
import io
import re
import shlex
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from patience import PATIENCE_S
from PIL import Image

from falgate.accounts import apikey

MODEL = "fal-ai/gpt-image-1.5"

Answers = list[dict[str, Any]]
Drive = Callable[[Any, Answers], Answers]
Start = Callable[..., AbstractContextManager[Any]]


class World(NamedTuple):
    """A running gateway, and what clients are told of it."""

    gateway: Any
    target: Any


@pytest.fixture(scope="module")
def world(start: Start, reach: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gateway")
    with start(folder / "data", folder) as gateway, reach(gateway) as target:
        yield World(gateway, target)


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """A prompt of this test and client alone: nobody else can have bought its pictures."""
    return f"a fox for {request.node.name}"


def run(prompt: str, **arguments: Any) -> dict[str, Any]:
    """A call of a client."""
    arguments = {"prompt": prompt, "quality": "low", **arguments}
    return {"call": "run", "model": MODEL, "arguments": arguments}


def images(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The pictures of an answer, which JavaScript has beside the request's id."""
    assert answer["ok"], answer
    assert answer["attempts"] == 1
    found: list[dict[str, Any]] = answer["result"].get("data", answer["result"])["images"]
    return found


def fetched(url: str, target: Any) -> bytes:
    """What is behind a picture's URL, trusting whom the client trusts."""
    trust = ssl.create_default_context(cafile=str(target.ca_bundle))
    return httpx.get(url, verify=trust, timeout=PATIENCE_S).raise_for_status().content


def answered(gateway: Any) -> Counter[str]:
    """How many answers came from where, so far."""
    text = httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE_S).text
    found = re.findall(
        r'^falgate_answers_total\{.*source="(\w+)".*\} ([\d.]+)$', text, re.MULTILINE
    )
    answers: Counter[str] = Counter()
    for source, number in found:  # of every app
        answers[source] += int(float(number))
    return answers


def test_run_buys_a_picture_once(drive: Drive, world: World, prompt: str) -> None:
    before = answered(world.gateway)

    bought, found = drive(world.target, [run(prompt, image_size="1536x1024")] * 2)

    (image,) = images(bought)
    picture = Image.open(io.BytesIO(fetched(image["url"], world.target)))
    assert (picture.format, picture.size) == ("PNG", (1536, 1024))
    assert (image["content_type"], image["width"], image["height"]) == ("image/png", 1536, 1024)
    assert images(found) == images(bought)
    after = answered(world.gateway)
    assert {source: after[source] - before.get(source, 0) for source in after} == {
        **dict.fromkeys(after, 0),
        "miss": 1,
        "hit": 1,
    }


def test_the_pictures_url_is_where_the_client_found_the_gateway(
    drive: Drive, world: World, prompt: str, request: pytest.FixtureRequest
) -> None:
    (answer,) = drive(world.target, [run(prompt)])

    base_url = (
        f"https://{world.gateway.tls}" if "python" in request.node.name else world.gateway.url
    )
    assert images(answer)[0]["url"].startswith(f"{base_url}/pictures/")


def test_of_several_pictures_only_the_missing_are_bought(
    drive: Drive, world: World, prompt: str
) -> None:
    before = answered(world.gateway)

    one, two = (images(a) for a in drive(world.target, [run(prompt), run(prompt, num_images=2)]))

    assert two[0] == one[0]
    assert two[1]["url"] != two[0]["url"]
    assert answered(world.gateway)["partial"] - before.get("partial", 0) == 1


def test_sync_mode_has_the_same_picture_in_the_answer(
    drive: Drive, world: World, prompt: str
) -> None:
    inline, linked = drive(world.target, [run(prompt, sync_mode=True), run(prompt)])

    head, _, data = images(inline)[0]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == fetched(images(linked)[0]["url"], world.target)


def test_bad_input_is_told_as_fal_tells_it(drive: Drive, world: World, prompt: str) -> None:
    (answer,) = drive(world.target, [run(prompt, num_images=9, quality="best")])

    assert (answer["status"], answer["attempts"]) == (422, 1)
    assert answer["error"] in {"FalClientError", "FalClientHTTPError", "ValidationError"}
    assert {tuple(problem["loc"]) for problem in answer["body"]["detail"]} == {
        ("body", "num_images"),
        ("body", "quality"),
    }


def test_an_unknown_model_is_not_found(drive: Drive, world: World, prompt: str) -> None:
    (answer,) = drive(world.target, [{**run(prompt), "model": "fal-ai/nothing"}])

    assert (answer["status"], answer["attempts"]) == (404, 1)
    assert answer["error"] in {"FalClientError", "FalClientHTTPError", "ApiError"}
    assert answer["body"] == {"detail": 'Application "nothing" not found'}


@pytest.mark.parametrize("key", [apikey.mint("live", bytes(8), bytes(32)), "id:secret"])
def test_a_key_that_nobody_has_is_refused(
    drive: Drive, world: World, prompt: str, key: str
) -> None:
    (answer,) = drive(world.target._replace(key=key), [run(prompt)])

    assert (answer["status"], answer["attempts"]) == (401, 1)
    assert answer["body"] == {"detail": "No user found for Key ID and Secret"}


@pytest.fixture(scope="module")
def revoked_key(world: World, falgate: Callable[..., Any]) -> str:
    where = {"FALGATE_DATA_DIR": str(world.gateway.data)}
    key: str = falgate("keys", "create", **where).stdout.strip()
    assert falgate("keys", "revoke", key, "--yes", **where).returncode == 0
    return key


def test_a_revoked_key_is_refused(
    drive: Drive, world: World, prompt: str, revoked_key: str
) -> None:
    (answer,) = drive(world.target._replace(key=revoked_key), [run(prompt)])

    assert (answer["status"], answer["attempts"]) == (403, 1)
    assert "revoked" in answer["body"]["detail"]


@pytest.fixture(scope="module")
def poor(start: Start, reach: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("poor")
    daily = {"FALGATE_ORG_DAILY_USD": "0.001"}
    with start(folder / "data", folder, **daily) as gateway, reach(gateway) as target:
        yield World(gateway, target)


def test_an_exhausted_budget_refuses_before_anything_is_bought(
    drive: Drive, poor: World, prompt: str
) -> None:
    (answer,) = drive(poor.target, [run(prompt)])

    assert (answer["status"], answer["attempts"]) == (402, 1)
    assert answer["error"] in {"FalClientError", "FalClientHTTPError", "ApiError"}
    assert answer["body"]["error_type"] == "budget_exceeded"
    assert "limit $0.001, spent $0.00" in answer["body"]["detail"]
    assert list((poor.gateway.data / "sandbox").glob("*.json")) == []


@pytest.mark.parametrize("name", ["localhost", "queue.localhost", "127.0.0.1", "::1"])
def test_the_certificate_holds_for_every_name_of_this_machine(world: World, name: str) -> None:
    """By the address of IPv4, as not every machine has the other."""
    trust = ssl.create_default_context(cafile=str(world.target.ca_bundle))
    port = int(world.gateway.tls.rpartition(":")[2])

    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        trust.wrap_socket(connection, server_hostname=name) as secure,
    ):
        assert secure.version() == "TLSv1.3"


def typed(script: str, folder: Path) -> str:
    """What bash says to these lines, in an environment that has nothing else."""
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_printed_curl_line_works_as_it_stands(world: World, tmp_path: Path) -> None:
    (line,) = re.findall(r"^curl .*$", world.gateway.banner, re.MULTILINE)

    assert '"images":[{"url":"http://127.0.0.1:' in typed(line, tmp_path)


def test_the_printed_lines_set_up_pythons_client(
    world: World, environment_of: Callable[[str], Path], tmp_path: Path
) -> None:
    printed = world.gateway.banner.partition("Python's fal_client:")[2]
    exports = printed.partition("JavaScript's")[0]
    python = environment_of("python-1.0.3") / "bin" / "python"
    call = f"fal_client.run('{MODEL}', arguments={{'prompt': 'a hare', 'quality': 'low'}})"

    program = f'{shlex.quote(str(python))} -c "import fal_client; print({call})"'
    said = typed(f"{exports}\n{program}", tmp_path)

    assert f"https://{world.gateway.tls}/pictures/" in said


def test_the_printed_lines_set_up_javascripts_client(
    world: World, environment_of: Callable[[str], Path]
) -> None:
    printed = world.gateway.banner.partition("JavaScript's @fal-ai/client")[2].partition(":\n")[2]
    exports, _, config = printed.partition("Ctrl-C")[0].partition("  fal.config")
    script = (
        'const { fal } = require("@fal-ai/client");\n'
        f"fal.config{config};\n"
        f'fal.run("{MODEL}", {{ input: {{ prompt: "a hare", quality: "low" }} }})'
        ".then((answer) => console.log(answer.data.images[0].url));\n"
    )

    said = typed(f"{exports}\nnode - <<'END'\n{script}END", environment_of("javascript-1.10.1"))

    assert said.startswith(f"{world.gateway.url}/pictures/")
