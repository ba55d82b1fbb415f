"""The page and the document that describe the routes, as a browser and a generator see them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import msgspec
import pytest
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS
from falgate.models.endpoints.gpt_image_1_5 import SPEC, Input

MODEL = "/fal-ai/gpt-image-1.5"
LOADED = (
    "assets/swagger-ui.css",
    "assets/swagger-ui-bundle.js",
    "assets/swagger-ui-standalone-preset.js",
    "assets/start.js",
    "openapi.json",
)
# Nothing but the page itself may want the network.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def browse(url: str, folder: Path, *options: str) -> str:
    """Open a page in a browser until it is quiet; what the options print."""
    chromium = shutil.which("chromium") or pytest.fail("Chromium is missing: run deploy/tools.sh")
    done = subprocess.run(
        [
            chromium,
            *QUIET,
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={folder / 'net.json'}",
            "--virtual-time-budget=10000",
            *options,
            url,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def requested(folder: Path, url: str) -> set[str]:
    """What the page at this URL made the browser ask for, apart from what browsers ask anyway."""
    events = json.loads((folder / "net.json").read_text())["events"]
    params: list[dict[str, Any]] = [each.get("params", {}) for each in events]
    return {
        each["url"]
        for each in params
        if "url" in each and str(each.get("initiator", "")).startswith(url)
    }


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    """The OpenAPI document."""
    answer = await client.get("/docs/openapi.json")
    assert answer.status_code == 200
    return answer.json()


async def test_a_browser_shows_the_model_and_asks_nobody_else(gateway: Any, tmp_path: Path) -> None:
    seen = browse(f"{gateway.url}/docs", tmp_path, "--dump-dom")

    for words in (
        "fal-ai/gpt-image-1.5",
        "Run GPT Image 1.5 and wait for its pictures",
        "Authorize",
    ):
        assert words.replace("/", "/\u200b") in seen or words in seen, words
    assert requested(tmp_path, gateway.url) == {f"{gateway.url}/docs/{name}" for name in LOADED}
    links = set(re.findall(r'(?:src|href|action)="([^"]*)"', seen))
    assert {link for link in links if re.match(r"(?!data:)\w+:|//", link)} == set()


async def test_the_page_runs_no_script_but_its_own_and_is_framed_by_nobody(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        page = await stranger.get("/docs")
        answers = [page, *[await stranger.get(f"/docs/{name}") for name in LOADED]]

    for answer in answers:
        policy = dict(
            each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert re.findall(r"<script(?! src=)|<style| on\w+=", page.text) == []


async def test_the_page_is_the_same_without_its_slash_and_needs_no_key(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        pages = [await stranger.get(path) for path in ("/docs", "/docs/")]
        assets = set(re.findall(r'(?:src|href)="(/[^"]*)"', pages[0].text))
        found = {asset: await stranger.get(asset) for asset in assets}

    assert {page.status_code for page in pages} == {200}
    assert pages[0].content == pages[1].content
    assert len(found) == 4
    for asset, answer in found.items():
        kind = "text/css" if asset.endswith(".css") else "text/javascript"
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    "name", ["index.html", "..%2f__init__.py", "%2e%2e%2f%2e%2e%2fsetup.py", "", "x" * 5000]
)
async def test_nothing_else_is_an_asset(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/docs/assets/{name}")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_each_field_is_described_as_the_model_declares_it(document: Any) -> None:
    operation = document["paths"][MODEL]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    declared = get_type_hints(Input)

    assert operation["requestBody"]["required"] is True
    assert schema["required"] == ["prompt"]
    assert list(schema["properties"]) == list(Input.__struct_fields__)
    for field in msgspec.structs.fields(Input):
        shown = schema["properties"][field.name]
        assert shown["description"]
        assert shown["title"]
        if not field.required:
            assert shown["default"] == field.default
        if isinstance(field.default, str):
            assert set(shown["enum"]) == set(get_args(declared[field.name]))
    limits = schema["properties"]["num_images"]
    assert (limits["minimum"], limits["maximum"]) == (1, 4)


def test_the_answer_and_every_refusal_is_described(document: Any) -> None:
    operation = document["paths"][MODEL]["post"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    image = answer["properties"][SPEC.pictures]["items"]

    assert set(image["properties"]) == {
        "url",
        "content_type",
        "file_name",
        "file_size",
        "width",
        "height",
    }
    assert image["required"] == ["url"]
    assert set(operation["responses"]) == {
        "200", "401", "402", "403", "413", "422", "429", "500", "503", "504",
    }  # fmt: skip
    assert all(each["description"] for each in operation["responses"].values())
    assert operation["security"] == [{"apiKeyAuth": []}]
    scheme = document["components"]["securitySchemes"]["apiKeyAuth"]
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")


def test_a_quote_takes_the_models_body_and_says_what_it_answers(document: Any) -> None:
    run, quote = (document["paths"][path]["post"] for path in (MODEL, f"/v1/quote{MODEL}"))
    answer = quote["responses"]["200"]["content"]["application/json"]["schema"]

    assert quote["operationId"] == "quoteGptImage15"
    assert quote["requestBody"] == run["requestBody"]
    assert quote["security"] == run["security"]
    assert set(answer["properties"]) == {
        "cache", "asked", "cached", "list_usd", "estimate_usd", "hold_usd", "price_version",
        "allowed", "refused_by", "stopped", "overdrawn", "model", "ended", "successor",
    }  # fmt: skip
    budget = answer["properties"]["refused_by"]["items"]
    assert set(budget["properties"]) == {
        "account", "window", "limit_usd", "spent_usd", "held_usd", "remaining_usd", "resets_at",
    }  # fmt: skip


MONEY = {"/v1/budgets", "/v1/usage"}


def test_the_document_is_whole(document: Any) -> None:
    operations = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]

    assert document["openapi"].startswith("3.1.")
    others = {path for path in document["paths"] if not path.startswith("/admin/v1/")}
    assert {*others, "/admin/v1/teams"} <= {*document["paths"]}
    assert others == {
        *(f"/{endpoint}" for endpoint in MODELS),
        *(f"/v1/quote/{endpoint}" for endpoint in MODELS),
        "/api/openapi/queue/openapi.json",
        *MONEY,
        "/pictures/{name}",
        "/.well-known/jwks.json",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, _, operation in operations:
        assert operation["summary"]
        assert len(operation["tags"]) == 1
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
    # Models are shown whole, so that a reader need not look elsewhere.
    assert "$ref" not in json.dumps([document["paths"][path] for path in others - MONEY])
