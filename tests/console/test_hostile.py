"""What attackers, broken programs and two people at once send: it changes nothing it should not."""

import asyncio
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from html import unescape
from typing import Any

import httpx
import pytest
from console_teams import team_of
from filling import confirm, send, sheet
from patience import PATIENCE_S
from visiting import visit

from falgate.accounts.operator import Operator
from falgate.console.entrance import COOKIE
from falgate.console.session import Session
from falgate.console.sign_in import within
from falgate.console.store.sessions import Sessions

FORM = "application/x-www-form-urlencoded"
PART = "multipart/form-data; boundary=a"
ODD = (
    "a family \U0001f468\u200d\U0001f469\u200d\U0001f467, \u0627\u200f, x\u202ey\x1b, \u0085 & <b>"
)


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--a\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


BROKEN: dict[str, tuple[bytes, dict[str, str], int]] = {
    "bytes that are no text": (part("name", b"\xff\xfe") + b"--a--", {"Content-Type": PART}, 400),
    "an encoding that nobody has": (
        part("name", b"x", "\r\nContent-Type: text/plain; charset=nope") + b"--a--",
        {"Content-Type": PART},
        400,
    ),
    "too many parts": (
        b"".join(part(f"x{number}", b"") for number in range(5_000)) + b"--a--",
        {"Content-Type": PART},
        400,
    ),
    "a part without an end": (b"--a\r\n", {"Content-Type": PART}, 400),
    "too many fields": (b"a=b&" * 10_000, {"Content-Type": FORM}, 400),
    "a body that is too long": (b"a=" + b"b" * 2_000_000, {"Content-Type": FORM}, 413),
    "a compressed body": (b"a=b", {"Content-Type": FORM, "Content-Encoding": "gzip"}, 415),
    "an origin that is no URL": (b"a=b", {"Content-Type": FORM, "Origin": "http://[::1"}, 403),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_form_is_refused_in_words_and_logged_as_no_failure(
    case: str, admin: httpx.Client, console: Any
) -> None:
    body, headers, status = BROKEN[case]
    refused = admin.post("/teams/new", content=body, headers=headers)

    assert refused.status_code == status, refused.text
    assert "<h1>" in refused.text
    assert refused.headers["content-security-policy"].startswith("default-src 'none'")
    assert '"console.failed"' not in console.logged()


@pytest.mark.parametrize("path", ["/models/acme:none/edit", "/models/none", "/keys/none/edit"])
def test_a_page_of_what_is_not_there_says_so(path: str, admin: httpx.Client) -> None:
    assert admin.get(path).status_code == 404


def test_a_name_of_any_length_is_refused_in_the_form(admin: httpx.Client) -> None:
    at = "/models/aliases/new"
    name = "x" * 100_000
    refused = send(admin, admin.get(at), at, name=name, target="openai/gpt-image-2")

    assert refused.status_code == 422
    assert "too long" in refused.text


@pytest.mark.parametrize("path", ["/console/%2e%2e/docs", "/console/.%2E/", "/console/a/%2E./x"])
def test_dots_that_browsers_resolve_lead_nowhere_else(path: str) -> None:
    assert within(path) == "/console"


def test_what_was_entered_comes_back_as_it_was_and_rearranges_nothing(admin: httpx.Client) -> None:
    at = "/teams/new"
    refused = send(admin, admin.get(at), at, name=ODD)

    assert refused.status_code == 422
    assert not re.search("[\u200d\u200f\u202e\x1b]", refused.text)
    entered = re.search(r'id="f-name" name="name" value="([^"]*)"', refused.text)
    assert entered is not None
    # Python drops the references to control characters that browsers keep.
    assert unescape(entered[1].replace("&#x1b;", "\x1b")) == ODD.replace("\u0085", r"\u{85}")


def test_a_prompt_is_the_same_after_another_look_at_its_price(admin: httpx.Client) -> None:
    prompt = "a family \U0001f468\u200d\U0001f469\u200d\U0001f467"
    at = "/playground"
    shown = send(admin, admin.get(at), at, **{"a.prompt": prompt}, step="look")
    assert shown.status_code in {200, 303}
    form = sheet(admin.get(at), at).fields | {"a.prompt": prompt, "step": "look"}
    looked = admin.post("/playground/quote", data=form)

    assert sheet(looked, at).fields["a.prompt"].strip() == prompt


def test_of_two_people_who_change_a_record_the_second_looks_again(
    admin: httpx.Client, administration: httpx.Client, named: Callable[[str], str]
) -> None:
    team = named("two")
    administration.post("/teams", json={"name": team, "weight": 2}).raise_for_status()
    at = f"/teams/{team}/edit"
    first = send(admin, admin.get(at), at, weight="5")
    second = send(admin, admin.get(at), at, generations_at_once="7")
    assert confirm(admin, first).status_code == 303

    late = confirm(admin, second)

    assert late.status_code == 409
    assert "has changed since" in late.text
    assert administration.get(f"/teams/{team}").json()["weight"] == 5
    assert re.search(r"for a turn</th><td><del>5</del></td><td><ins>2</ins>", late.text)
    assert send(admin, late).status_code == 303
    assert administration.get(f"/teams/{team}").json()["weight"] == 2


def test_spending_between_a_preview_and_its_confirmation_is_no_other_change(
    admin: httpx.Client, console: Any, named: Callable[[str], str]
) -> None:
    team = team_of(console, named("spends"))
    budget = f"/budgets/team:{team.name}/day"
    team.api.does("PUT", budget, limit_usd="5")
    at = f"{budget}/set"
    asked = send(admin, admin.get(at), at, limit_usd="4")
    team.ask(console, prompt=team.name)
    assert team.api.get(budget).json()["spent_usd"] != "0"

    assert confirm(admin, asked).status_code == 303


def test_signing_in_again_ends_the_session_before(admin: httpx.Client, console: Any) -> None:
    before = dict(admin.cookies)
    admin.post("/sign-in", data={"key": console.admin_key})
    assert admin.cookies[COOKIE] != before[COOKIE]

    with visit(console, cookies=before) as older:
        assert older.get("/teams").is_redirect
    assert admin.get("/teams").status_code == 200


@pytest.mark.parametrize(("origin", "status"), [("falgate.example", 303), ("internal:80", 403)])
def test_behind_a_trusted_proxy_the_origin_is_the_host_that_it_tells(
    origin: str, status: int, managed: Any
) -> None:
    told = {"Host": "internal:80", "X-Forwarded-Host": "falgate.example"}
    with visit(managed, headers={**told, "X-Forwarded-Proto": "https"}) as visitor:
        own = {"Origin": f"https://{origin}"}
        answer = visitor.post("/sign-in", data={"key": managed.admin_key}, headers=own)

    assert answer.status_code == status
    assert status != 303 or "; secure" in answer.headers["set-cookie"].lower()


def test_nobody_but_a_trusted_proxy_tells_the_host(console: Any) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"}
    with visit(console, headers=forged) as visitor:
        answer = visitor.post("/sign-in", data={"key": console.admin_key})

    assert answer.status_code == 403


XSS = b"<script>alert(1)</script>"
OF_THE_SERVER: dict[str, tuple[bytes, bytes]] = {
    "no host": (b"GET /console/%s HTTP/1.1\r\n\r\n" % XSS, b"400"),
    "no request": (b"%s\r\n\r\n" % XSS, b"400"),
    "no path": (b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % XSS, b"400"),
    "a long target": (b"GET /console/%s HTTP/1.1\r\nHost: x\r\n\r\n" % (2_000 * XSS), b"414"),
    "a large head": (b"GET /console HTTP/1.1\r\nHost: x\r\n%s" % (9_000 * b"A: b\r\n"), b"431"),
    "a long header": (
        b"GET /console HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n" % (700 * XSS),
        b"431",
    ),
}
"""What is refused before the console is asked."""


@pytest.mark.parametrize("case", OF_THE_SERVER)
def test_what_the_server_itself_refuses_is_no_page_and_repeats_nothing(
    case: str, console: Any
) -> None:
    sent, status = OF_THE_SERVER[case]
    host, port = console.host.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")

    assert head.split(b" ")[1] == status
    lines = head.lower().split(b"\r\n")
    assert {b"content-type: application/json", b"x-content-type-options: nosniff"} <= {*lines}
    assert b"script" not in head + body


@pytest.fixture
async def sessions(console: Any) -> AsyncIterator[Sessions]:
    """Sessions in the gateway's Redis."""
    async with console.redis() as redis:
        yield Sessions(redis, idle_s=60)


async def test_a_session_that_was_ended_is_not_begun_again_by_a_late_notice(
    sessions: Sessions,
) -> None:
    operator = Operator(who="admin", role="admin")
    ends_s = await sessions.now_s() + 60
    session = Session(identity="x y", operator=operator, csrf="c", ends_s=ends_s)
    session_id = await sessions.begin(session)
    assert await sessions.read(session_id) == session
    await sessions.end(session_id)

    await sessions.put(session_id, session)

    assert await sessions.read(session_id) is None


async def test_of_many_who_follow_a_link_at_once_one_gets_in(sessions: Sessions) -> None:
    secret = await sessions.link("an identity")
    found = await asyncio.gather(*(sessions.follow(secret) for _ in range(20)))

    assert sorted(each or "" for each in found) == [""] * 19 + ["an identity"]
    assert await sessions.follow(secrets.token_urlsafe(32)) is None
