"""A listener for operators: what it has, the apps' listener has not, and the other way round."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import httpx
import pytest
from click.testing import CliRunner
from patience import PATIENCE_S

from falgate.cli.main import main

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "operators", "quality": "low", "output_format": "jpeg"}
OPERATORS = (
    "/metrics",
    "/readyz",
    "/docs",
    "/docs/openapi.json",
    "/docs/assets/start.js",
    "/admin/v1/teams",
)
SPELT = ("//metrics", "/metrics/", "/%6detrics", "/./metrics", "/x/../metrics", "/metrics%2f")


class Apart(NamedTuple):
    """A gateway with an operators' listener.

    Attributes:
        apps: It, as apps see it.
        operators: The URL of the other listener.
    """

    apps: Any
    operators: str


@pytest.fixture(scope="module")
def apart(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apart]:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        operators = f"127.0.0.1:{holder.getsockname()[1]}"
        with serve(tmp_path_factory.mktemp("apart"), ops_listen=operators) as served:
            yield Apart(served, f"http://{operators}")


async def asked(apart: Apart, method: str, path: str) -> httpx.Response:
    """What the apps' listener answers the operator; the path goes out as it is spelt."""
    headers = {"Authorization": f"Key {apart.apps.admin_key}"}
    async with apart.apps.client() as client:
        request = client.build_request(method, apart.apps.url, headers=headers)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer: httpx.Response = await client.send(request)
        return answer


@pytest.mark.parametrize("path", [*OPERATORS, "/admin", "/admin/v1/keys", "//metrics", "/docs/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
async def test_the_apps_listener_has_nothing_for_operators(
    apart: Apart, method: str, path: str
) -> None:
    answer = await asked(apart, method, path)

    assert answer.status_code == 404
    assert answer.content == b"" if method == "HEAD" else answer.json() == {"detail": "Not Found"}
    assert answer.headers["x-fal-request-id"]


@pytest.mark.parametrize("path", SPELT)
async def test_no_spelling_of_a_path_reaches_them(apart: Apart, path: str) -> None:
    assert (await asked(apart, "GET", path)).status_code == 404


async def test_the_operators_listener_has_all_that_is_theirs(apart: Apart) -> None:
    headers = {"Authorization": f"Key {apart.apps.admin_key}"}
    async with httpx.AsyncClient(
        base_url=apart.operators, trust_env=False, timeout=PATIENCE_S
    ) as client:
        found = {path: await client.get(path, headers=headers) for path in OPERATORS}
        keyless = await client.get("/admin/v1/teams")
        made = await client.post("/admin/v1/teams", json={"name": "made"}, headers=headers)
        documented = found["/docs/openapi.json"].json()["paths"]

    assert {answer.status_code for answer in found.values()} == {200}
    assert keyless.status_code == 401
    assert made.status_code == 201
    assert {MODEL, "/metrics", "/admin/v1/teams"} <= documented.keys()


async def test_apps_are_served_where_they_call_and_nowhere_else(apart: Apart) -> None:
    headers = {"Authorization": f"Key {apart.apps.key}"}
    async with apart.apps.client() as client:
        bought = await client.post(MODEL, json=BODY)
        alive, root = await client.get("/healthz"), await client.get("/")
        url = bought.json()["images"][0]["url"]
        shown = await client.get(url)
        elsewhere = [
            await client.post(f"{apart.operators}{MODEL}", json=BODY, headers=headers),
            await client.post(f"{apart.operators}/queue{MODEL}", json=BODY, headers=headers),
            await client.get(url.replace(apart.apps.url, apart.operators)),
            await client.post(f"{apart.operators}/api/fal/proxy"),
        ]
        also_alive = await client.get(f"{apart.operators}/healthz")

    assert [each.status_code for each in (bought, alive, shown, also_alive)] == [200] * 4
    assert "docs" not in root.json()
    assert [each.status_code for each in elsewhere] == [404] * 4
    assert all(each.headers["x-fal-request-id"] for each in elsewhere)


async def test_requests_of_both_are_counted(apart: Apart) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        await client.get(f"{apart.apps.url}/metrics")
        told = (await client.get(f"{apart.operators}/metrics")).text

    assert 'falgate_requests_total{route="metrics",status="404"}' in told


def test_commands_that_need_a_gateway_find_it_there(apart: Apart) -> None:
    env = {
        "FALGATE_DATA_DIR": str(apart.apps.data),
        "FALGATE_LISTEN": apart.apps.host,
        "FALGATE_OPS_LISTEN": apart.operators.removeprefix("http://"),
        "FALGATE_ADMIN_KEY": apart.apps.admin_key,
    }
    done = CliRunner().invoke(main, ["cache", "forget", "never asked for"], env=env)

    assert done.exit_code == 0, done.output
    assert "receipt" in done.stdout
