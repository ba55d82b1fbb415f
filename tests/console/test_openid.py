"""Signing in to the console by a real OpenID provider, and what is refused on the way."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

import httpx
import openid
import pytest
from openid import visit

from falgate.console.entrance import COOKIE
from falgate.console.oidc.attempt import ATTEMPT_S, STATE_BYTES, Attempt
from falgate.console.oidc.routes import COOKIE as ATTEMPT
from falgate.redis import keyspace
from falgate.webhooks.store.secrets import secret

Serve = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with openid.real_provider() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def gateway(serve: Serve, provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve(tmp_path_factory.mktemp("openid"), **openid.settings(provider)) as served:
        yield served


@pytest.fixture
def visitor(gateway: Any) -> Iterator[httpx.Client]:
    with visit(gateway) as client:
        yield client


def sign_in(visitor: httpx.Client, name: str, to: str = "") -> httpx.Response:
    return visitor.get(openid.at_provider(openid.depart(visitor, to), name))


def refused(answer: httpx.Response, status: int, words: str) -> None:
    """Check that nobody was let in, and why they are told so, with another way in."""
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert COOKIE not in answer.cookies
    assert 'name="key"' in answer.text


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("alice@example.org", "admin:alice@example.org"),
        ("vic", "viewer:vic@localhost:"),
        ("lea", "lead:lea@localhost:"),
    ],
)
def test_the_strongest_role_of_somebodys_groups_is_theirs(
    visitor: httpx.Client, name: str, who: str
) -> None:
    answer = sign_in(visitor, name)

    assert answer.status_code == 200, answer.text
    # A redirect would come without the session's cookie: the provider's site led here.
    assert '<meta http-equiv="refresh" content="0; url=/console">' in answer.text
    assert '<a class="button main" href="/console">' in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    overview = visitor.get("")
    assert overview.status_code == 200
    assert f"<span>{who.replace('@', '@<wbr>')}" in overview.text
    assert ("team default" in overview.text) == (name == "lea")


def test_a_viewer_by_a_provider_changes_nothing(visitor: httpx.Client) -> None:
    sign_in(visitor, "vic")
    assert visitor.get("/teams").status_code == 200
    csrf = re.findall(r'name="csrf" value="(\w+)"', visitor.get("/teams").text)[0]

    sent = {"csrf": csrf, "form_id": "1", "step": "confirmed", "name": "of-a-viewer"}
    answer = visitor.post("/teams/new", data=sent)

    assert "A viewer changes nothing" in answer.text


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_whose_groups_are_not_mapped_is_refused(visitor: httpx.Client, name: str) -> None:
    refused(sign_in(visitor, name), 403, "None of your groups may use the console")


def test_who_cancels_at_the_provider_is_told_so(visitor: httpx.Client) -> None:
    refused(sign_in(visitor, ""), 403, "cancelled at the provider")


def test_an_answer_works_once(visitor: httpx.Client) -> None:
    back = openid.at_provider(openid.depart(visitor), "vic")
    kept = visitor.cookies[ATTEMPT]
    assert visitor.get(back).status_code == 200

    assert ATTEMPT not in visitor.cookies
    again = visitor.get(back, headers={"Cookie": f"{ATTEMPT}={kept}"})

    refused(again, 400, "was used before")


def test_a_code_of_another_attempt_is_refused(visitor: httpx.Client, gateway: Any) -> None:
    stolen = openid.asked_of(openid.at_provider(openid.depart(visitor), "alice@example.org"))
    with visit(gateway) as other:
        own = openid.asked_of(openid.depart(other))

        answer = other.get("/sign-in/oidc/callback", params={**stolen, "state": own["state"]})

    refused(answer, 403, "does not accept this sign-in (invalid_grant)")


def test_an_answer_in_a_browser_that_did_not_begin_it_is_refused(
    visitor: httpx.Client, gateway: Any
) -> None:
    back = openid.at_provider(openid.depart(visitor), "alice@example.org")
    with visit(gateway) as other:
        refused(other.get(back), 400, "was not begun in this browser")
        openid.depart(other)
        refused(other.get(back), 400, "was not begun in this browser")


@pytest.mark.parametrize("named", ["https://other.example", None])
def test_an_answer_of_another_issuer_is_refused(visitor: httpx.Client, named: str | None) -> None:
    back = openid.asked_of(openid.at_provider(openid.depart(visitor), "vic"))
    back.pop("iss")

    params = {**back, **({"iss": named} if named else {})}
    answer = visitor.get("/sign-in/oidc/callback", params=params)

    refused(answer, 502, "cannot be trusted")


@pytest.fixture
async def signs(gateway: Any) -> AsyncIterator[bytes]:
    """What the gateway signs its cookies with."""
    redis = gateway.redis()
    yield await secret(redis, "console_secret")
    await redis.aclose()


def test_an_attempt_that_took_too_long_is_refused(visitor: httpx.Client, signs: bytes) -> None:
    late = Attempt(state="s" * 43, until_s=1, to="/console")
    visitor.cookies.set(ATTEMPT, late.sealed(signs), path="/console/sign-in")

    answer = visitor.get("/sign-in/oidc/callback", params={"state": late.state, "code": "c"})

    refused(answer, 400, "took too long")


async def test_strangers_fill_redis_no_longer_than_their_attempts_can_be_used(
    visitor: httpx.Client, signs: bytes, gateway: Any
) -> None:
    state = secrets.token_urlsafe(STATE_BYTES)
    attempt = Attempt(state=state, until_s=2**40, to="/console")
    visitor.cookies.set(ATTEMPT, attempt.sealed(signs), path="/console/sign-in")

    params = {"state": state, "error": "access_denied"}
    answer = await asyncio.to_thread(visitor.get, "/sign-in/oidc/callback", params=params)

    refused(answer, 403, "cancelled")
    used = keyspace.sent_form(sha256(f"{state} {ATTEMPT}".encode()).hexdigest())
    async with gateway.redis() as redis:
        assert 0 < await redis.ttl(used) <= ATTEMPT_S


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("/console/keys?team=web", "/console/keys?team=web"),
        ("https://evil.example", "/console"),
        ("//evil.example", "/console"),
        ("/console/../..//evil.example", "/console"),
        ("/console/" + "a" * 2_000, "/console"),
    ],
)
def test_only_pages_of_the_console_are_gone_on_to(
    visitor: httpx.Client, to: str, shown: str
) -> None:
    answer = sign_in(visitor, "vic", to)

    assert f'content="0; url={shown}"' in answer.text


def test_the_address_to_come_back_to_is_the_one_that_browsers_use(
    serve: Serve, provider: str, visitor: httpx.Client, gateway: Any, tmp_path: Any
) -> None:
    own = f"{gateway.url}/console/sign-in/oidc/callback"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = visitor.get("/sign-in/oidc", headers=forged)
    assert openid.asked_of(answer.headers["location"])["redirect_uri"] == own

    with (
        serve(tmp_path, **openid.settings(provider), trusted_proxies="127.0.0.1") as proxied,
        visit(proxied) as behind,
    ):
        told = {"X-Forwarded-Host": "gate.example", "X-Forwarded-Proto": "https"}
        answer = behind.get("/sign-in/oidc", headers=told)
    asked = openid.asked_of(answer.headers["location"])
    assert asked["redirect_uri"] == "https://gate.example/console/sign-in/oidc/callback"
    flags = answer.headers["set-cookie"].lower()
    assert all(flag in flags for flag in ("httponly", "secure", "samesite=lax"))
    assert flags.startswith("__host-")


def test_the_public_address_is_come_back_to_where_there_is_one(
    serve: Serve, provider: str, tmp_path: Any
) -> None:
    known = {**openid.settings(provider), "public_url": "https://gate.example/"}
    with serve(tmp_path, **known) as served, visit(served) as visitor:
        asked = openid.asked_of(openid.depart(visitor))
    assert asked["redirect_uri"] == "https://gate.example/console/sign-in/oidc/callback"


def test_another_site_does_not_begin_a_sign_in(visitor: httpx.Client) -> None:
    answer = visitor.get("/sign-in/oidc", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200
    assert ATTEMPT not in visitor.cookies
    assert "Sign in with localhost:" in answer.text


def test_the_log_has_who_signed_in_and_nothing_secret(visitor: httpx.Client, gateway: Any) -> None:
    address = openid.depart(visitor)
    back = openid.at_provider(address, "lea")
    kept = visitor.cookies[ATTEMPT]
    visitor.get(back)

    log = gateway.logged()

    assert "console.signed_in" in log
    for text in (*openid.asked_of(back).values(), kept, visitor.cookies[COOKIE], openid.SECRET):
        assert text.startswith("http://localhost:") or text not in log


@pytest.mark.parametrize("there", [True, False], ids=["changed", "switched off"])
def test_sessions_end_when_the_mapping_changes(
    serve: Serve, provider: str, gateway: Any, visitor: httpx.Client, tmp_path: Any, *, there: bool
) -> None:
    sign_in(visitor, "vic")
    changed = {**openid.settings(provider), "oidc_roles": "staff=admin"} if there else {}
    with serve(tmp_path, **changed, redis_url=gateway.redis_url) as other:
        for served, status in ((gateway, 200), (other, 303)):
            with visit(served) as browser:
                cookie = f"{COOKIE}={visitor.cookies[COOKIE]}"
                got = browser.get("", headers={"Cookie": cookie})
            assert got.status_code == status


def test_without_the_provider_keys_still_open_the_console(serve: Serve, tmp_path: Any) -> None:
    with (
        serve(tmp_path, **openid.settings("http://127.0.0.1:9")) as served,
        visit(served) as visitor,
    ):
        refused(visitor.get("/sign-in/oidc"), 503, "cannot be reached now")
        answer = visitor.post("/sign-in", data={"key": served.admin_key})
        assert (answer.status_code, COOKIE in answer.cookies) == (303, True)


def test_without_a_provider_there_is_no_such_page(console: Any) -> None:
    with visit(console) as visitor:
        assert visitor.get("/sign-in/oidc").status_code == 404
        assert visitor.get("/sign-in/oidc/callback").status_code == 404
        assert "Sign in with" not in visitor.get("/sign-in").text


def test_somebody_signs_in_through_the_providers_pages(
    browse: Callable[..., str], gateway: Any, provider: str
) -> None:
    assert browse("by_provider", gateway, provider=provider) == ""
