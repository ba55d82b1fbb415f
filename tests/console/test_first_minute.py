"""The first minute: a link that signs in once, and an empty console that leads on."""

import json
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from filling import confirm, send
from patience import PATIENCE_S

from falgate.accounts import apikey
from falgate.console.entrance import COOKIE

Falgate = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]
LINK = re.compile(r"http://\S+/console/sign-in/link/\S+")
LINKS = "/admin/v1/sign-in-links"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that is not there yet."""
    return tmp_path / "data"


def browser() -> httpx.Client:
    """A browser of somebody who is not signed in."""
    return httpx.Client(trust_env=False, timeout=PATIENCE_S)


def console_of(gateway: Any) -> httpx.Client:
    """A browser that opens paths of a gateway's console."""
    return httpx.Client(base_url=f"{gateway.url}/console", trust_env=False, timeout=PATIENCE_S)


def asking(gateway: Any, key: str) -> httpx.Response:
    """The answer to who asks for a link with a key."""
    headers = {"Authorization": f"Key {key}"}
    return httpx.post(gateway.url + LINKS, headers=headers, timeout=PATIENCE_S)


def test_run_prints_a_link_that_signs_in_once_and_only_by_its_button(
    data: Path, tmp_path: Path, start: Start, falgate: Falgate
) -> None:
    with start(data, tmp_path) as gateway, browser() as first, browser() as second:
        (link,) = LINK.findall(gateway.banner)
        assert link.startswith(gateway.url)
        for _ in range(2):  # as programs that look at links do
            assert "signs in once" in first.get(link).text
        assert COOKIE not in first.cookies

        done = first.post(link)
        assert (done.status_code, done.headers["location"]) == (303, "/console")
        assert "Sign out" in first.get(f"{gateway.url}/console").text
        assert second.post(link).status_code == 403
        assert COOKIE not in second.cookies

        typed = falgate("console", FALGATE_DATA_DIR=str(data), FALGATE_URL=gateway.url)
        assert typed.returncode == 0, typed.stderr
        assert second.post(typed.stdout.strip()).status_code == 303
        as_json = falgate("console", "--json", "--url", gateway.url, FALGATE_DATA_DIR=str(data))
        assert json.loads(as_json.stdout).keys() == {"url", "expires_at"}
        secret = link.rpartition("/")[2]
        assert secret not in gateway.log


def test_links_that_are_switched_off_are_refused_and_not_printed(
    data: Path, tmp_path: Path, start: Start, falgate: Falgate
) -> None:
    with start(data, tmp_path, FALGATE_CONSOLE_LINKS="false") as gateway:
        assert not LINK.search(gateway.banner)
        assert f"{gateway.url}/console: sign in with the admin key" in gateway.banner
        typed = falgate("console", FALGATE_DATA_DIR=str(data), FALGATE_URL=gateway.url)
        assert typed.returncode == 1
        assert "switched off by FALGATE_CONSOLE_LINKS" in typed.stderr


@pytest.mark.parametrize("role", ["viewer", "lead"])
def test_only_admins_make_links(role: str, console: Any, staff: Callable[..., Any]) -> None:
    assert asking(console, staff(role).key).status_code == 403


def test_a_link_signs_in_as_the_admin_who_asked_and_stands_in_the_audit_log(
    console: Any, staff: Callable[..., Any], administration: httpx.Client
) -> None:
    carol = staff("admin")

    made = asking(console, carol.key)

    assert made.status_code == 201
    with browser() as client:
        client.post(made.json()["url"])
        assert f"admin:{carol.name}" in client.get(f"{console.url}/console").text
    told = administration.get("/audit").json()["items"]
    links = [each for each in told if each["action"] == "sign-in-link"]
    assert f"admin:{carol.name}" in {each["subject"] for each in links}
    assert made.json()["url"].rpartition("/")[2] not in str(told)


def test_an_empty_console_leads_from_an_app_to_its_line_in_the_ledger(
    data: Path, tmp_path: Path, start: Start
) -> None:
    with start(data, tmp_path) as gateway, console_of(gateway) as admin:
        admin.post("/sign-in", data={"key": (data / "admin-key").read_text().strip()})
        overview = admin.get("")
        assert "First steps" in overview.text
        assert overview.text.count(", done<") == 0

        asked = send(
            admin,
            admin.get("/setup"),
            team="web",
            app="shop",
            name="storefront",
            key_usd="$5",
            app_usd="1,000",
            qualities="low",
            requests_per_second="5",
        )
        made = confirm(admin, asked)
        key = re.search(r"fg_live_\w+", made.text)
        assert key is not None
        shown = apikey.present(key[0])
        assert shown is not None
        overview = admin.get("")
        assert overview.text.count(", done<") == 1
        assert f"/console/playground?key={shown.id}" in overview.text

        httpx.post(
            f"{gateway.url}/openai/gpt-image-2",
            json={"prompt": "a lighthouse", "quality": "low"},
            headers={"Authorization": f"Key {key[0]}"},
            timeout=PATIENCE_S,
        ).raise_for_status()
        overview = admin.get("")
        assert overview.text.count(", done<") == 2

        assert send(admin, overview, "/ledger").headers["location"] == "/console/ledger"
        assert "First steps" not in admin.get("").text


def test_viewers_and_leads_are_led_nowhere(enter: Callable[[str], httpx.Client]) -> None:
    for role in ("viewer", "lead"):
        assert "First steps" not in enter(role).get("").text
