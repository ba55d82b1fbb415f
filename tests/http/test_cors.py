"""Pages of other origins: off unless the operator names them, and then on errors too."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "cors", "quality": "low", "output_format": "jpeg"}
PAGE, OTHER = "https://app.example", "https://evil.example"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
PATHS = (MODEL, f"/run{MODEL}", f"/queue{MODEL}/requests/1/status", "/api/fal/proxy", "/nowhere")


@pytest.fixture(scope="module")
def open_to_one(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway for the pages of two origins, whose budget is for one low picture."""
    folder = tmp_path_factory.mktemp("open")
    origins = "https://App.example, http://localhost:3000"
    with serve(folder, cors_origins=origins, org_daily_usd="0.03", body_bytes_max="1000") as served:
        yield served


@pytest.fixture(scope="module")
def open_to_all(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway for the pages of any origin."""
    with serve(tmp_path_factory.mktemp("all"), cors_origins="*") as served:
        yield served


def listed(answer: httpx.Response, name: str) -> set[str]:
    """What a header lists, in one line or several."""
    return {each.strip().lower() for each in answer.headers.get(name, "").split(",") if each}


def page_of(origin: str, gateway: Any) -> httpx.AsyncClient:
    """A page that calls a gateway with its key, and happens to have a cookie."""
    client: httpx.AsyncClient = gateway.client()
    client.headers.update({"Origin": origin, "Cookie": "a=b"})
    return client


def said(answer: httpx.Response) -> set[str]:
    """Everything that an answer says to browsers about origins."""
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_off_unless_it_is_asked_for(gateway: Any, path: str) -> None:
    async with gateway.client() as client:
        for answer in (
            await client.options(path, headers=PREFLIGHT),
            await client.post(path, json={}, headers={"Origin": PAGE}),
        ):
            assert said(answer) == set()
            assert "vary" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_that_asks_first_needs_no_key(open_to_one: Any, path: str) -> None:
    async with httpx.AsyncClient(
        base_url=open_to_one.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        for origin in (PAGE, "http://localhost:3000"):
            answer = await stranger.options(path, headers={**PREFLIGHT, "Origin": origin})
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["access-control-allow-origin"] == origin
            methods = listed(answer, "access-control-allow-methods")
            assert methods == {"get", "post", "put", "options"}
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["access-control-max-age"] == "600"
            assert listed(answer, "vary") == {"origin", "access-control-request-headers"}
            assert answer.headers["x-fal-request-id"]


async def test_whatever_is_a_headers_name_may_be_sent(open_to_one: Any) -> None:
    names = ["x-fal-new", "X-App-Fal-Disable-Fallback", "baggage", "sentry-trace", "traceparent"]
    asked = ", ".join([*names, "x-falgate-variation", "a b", "x-fal-\u00e9", "", "x" * 65])
    async with httpx.AsyncClient(
        base_url=open_to_one.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        plain = await stranger.options(MODEL, headers=PREFLIGHT)
        headers = {**PREFLIGHT, "Access-Control-Request-Headers": asked.encode()}
        more = await stranger.options(MODEL, headers=headers)  # type: ignore[arg-type]  # bytes too

    always = listed(plain, "access-control-allow-headers")
    assert always >= {
        "authorization", "content-type", "accept", "x-fal-target-url", "x-fal-queue-priority",
        "x-fal-runner-hint", "x-fal-request-timeout", "x-fal-object-lifecycle-preference",
        "x-fal-object-lifecycle", "idempotency-key", "cache-control", "x-falgate-variation",
    }  # fmt: skip
    new = {name.lower() for name in names}
    assert listed(more, "access-control-allow-headers") == always | new


async def test_all_lines_of_what_is_asked_count_together(open_to_one: Any) -> None:
    asked = "Access-Control-Request-Headers"
    headers = [*PREFLIGHT.items(), (asked, "x-first"), (asked, "x-second, x-third")]
    async with httpx.AsyncClient(
        base_url=open_to_one.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        answer = await stranger.options(MODEL, headers=headers)

    names = {"x-first", "x-second", "x-third"}
    assert listed(answer, "access-control-allow-headers") >= names


async def test_names_without_end_are_not_said_back(open_to_one: Any) -> None:
    asked = ",".join(f"x{number}" for number in range(500))
    async with httpx.AsyncClient(
        base_url=open_to_one.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        plain = await stranger.options(MODEL, headers=PREFLIGHT)
        more = {**PREFLIGHT, "Access-Control-Request-Headers": asked}
        answer = await stranger.options(MODEL, headers=more)
        evil = await stranger.options(MODEL, headers={**more, "Origin": OTHER})

    allowed = listed(answer, "access-control-allow-headers")
    assert allowed - listed(plain, "access-control-allow-headers") == {f"x{n}" for n in range(64)}
    assert said(evil) == set()


async def test_errors_and_answers_may_be_read(open_to_one: Any) -> None:
    proxied = {"x-fal-target-url": "https://evil.example"}
    async with page_of(PAGE, open_to_one) as client:
        answers = [
            await client.post(MODEL, json=BODY),
            await client.post(MODEL, json={**BODY, "num_images": 4}),
            await client.post(MODEL, json={}),
            await client.post(MODEL, json=BODY, headers={"Authorization": "Key x"}),
            await client.post(MODEL, content=b"x" * 1001),
            await client.post("/api/fal/proxy", content=b"x" * 1001, headers=proxied),
            await client.delete(MODEL),
            await client.delete("/api/fal/proxy"),
            await client.get("/nowhere"),
        ]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [200, 402, 422, 401, 413, 400, 405, 405, 404]
    for answer in answers:
        assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
        assert "access-control-allow-credentials" not in answer.headers
        assert listed(answer, "vary") == {"origin"}
        readable = listed(answer, "access-control-expose-headers")
        assert readable >= {
            "x-fal-request-id", "x-fal-request-timeout-type", "cache-status", "age", "retry-after",
        }  # fmt: skip
        fals = {name for name in answer.headers if name.startswith("x-fal")}
        assert fals <= readable


async def test_another_origins_page_may_read_nothing(open_to_one: Any) -> None:
    for origin in (OTHER, "null", "http://app.example", f"{PAGE}:8443", f"{PAGE}.evil.example"):
        async with page_of(origin, open_to_one) as client:
            asked = await client.options(MODEL, headers={"Access-Control-Request-Method": "POST"})
            answer = await client.post(MODEL, json={})
            assert said(asked) | said(answer) == set()
            # A cache in between must not give this answer to the page that may read it.
            assert listed(answer, "vary") == {"origin"}


async def test_any_origin_is_said_as_such_and_without_credentials(open_to_all: Any) -> None:
    async with page_of(OTHER, open_to_all) as client:
        asked = await client.options(MODEL, headers={"Access-Control-Request-Method": "PUT"})
        answer = await client.post(MODEL, json={})

    for each in (asked, answer):
        assert each.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in each.headers


@pytest.mark.parametrize("path", ["/admin/v1/teams", "/metrics", "/hooks/fal/a.b"])
async def test_what_is_the_operators_is_no_pages(open_to_all: Any, path: str) -> None:
    async with open_to_all.client() as client:
        for answer in (
            await client.options(path, headers=PREFLIGHT),
            await client.get(path, headers={"Origin": PAGE}),
        ):
            assert said(answer) == set()


async def test_a_request_that_is_no_pages_is_told_nothing(open_to_one: Any) -> None:
    async with open_to_one.client() as client:
        answer = await client.post(MODEL, json={})
        options = await client.options(MODEL, headers={"Origin": PAGE})

    assert said(answer) == set()
    # Not a preflight, but a page's own OPTIONS.
    assert options.headers["access-control-allow-origin"] == PAGE
    assert "POST" in options.headers["allow"]


async def test_pictures_are_for_every_page_once(open_to_one: Any) -> None:
    async with page_of(OTHER, open_to_one) as client:
        bought = await client.post(MODEL, json=BODY)
        picture = await client.get(bought.json()["images"][0]["url"])

    assert picture.headers.get_list("access-control-allow-origin") == ["*"]
    assert picture.headers["content-type"] == "image/jpeg"
    assert "vary" not in picture.headers
