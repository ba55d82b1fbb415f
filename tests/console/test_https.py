"""The console over https: its cookies are bound to the host, and the plain ones do not count."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

import httpx
import openid
import pytest
from patience import PATIENCE_S
from processes import reserved_port
from visiting import hidden, send, sign_in, visit

from falgate.cli import localtls
from falgate.console.entrance import COOKIE
from falgate.console.oidc.routes import COOKIE as ATTEMPT

Serve = Callable[..., AbstractContextManager[Any]]
BOUND = f"__Host-{COOKIE}"


@pytest.fixture(scope="module")
def gateway(
    serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, str, ssl.SSLContext]]:
    """One that people reach both ways, and sign in to by a provider; its https; whom to trust."""
    folder = tmp_path_factory.mktemp("https")
    tls = localtls.ensure(folder / "tls")
    with openid.real_provider() as issuer, reserved_port() as port:
        at = f"localhost:{port}"
        given = {"tls_listen": at, "tls_cert": str(tls.cert), "tls_key": str(tls.key)}
        with serve(folder, **given, **openid.settings(issuer)) as served:
            yield served, f"https://{at}", ssl.create_default_context(cafile=str(tls.ca))


@pytest.fixture
def browser(gateway: tuple[Any, str, ssl.SSLContext]) -> Iterator[httpx.Client]:
    """A browser at the console by https."""
    _, url, trusted = gateway
    base = f"{url}/console"
    client = httpx.Client(base_url=base, verify=trusted, trust_env=False, timeout=PATIENCE_S)
    with closing(client):
        yield client


def test_over_https_the_cookie_is_bound_to_the_host(
    browser: httpx.Client, gateway: tuple[Any, str, ssl.SSLContext]
) -> None:
    answer = browser.post("/sign-in", data={"key": gateway[0].admin_key})

    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{BOUND}=")
    # What browsers demand of such a name: Secure, all paths, and no Domain.
    wanted = {"httponly", "samesite=strict", "path=/", "max-age=43200", "secure"}
    assert {flag.lower() for flag in flags} == wanted


def test_over_https_one_signs_in_acts_and_signs_out(
    browser: httpx.Client, gateway: tuple[Any, str, ssl.SSLContext]
) -> None:
    browser.post("/sign-in", data={"key": gateway[0].admin_key})
    assert browser.get("/teams").status_code == 200
    assert send(browser, "/teams/new", name="by-https").status_code == 303
    session = browser.cookies[BOUND]

    browser.post("/sign-out", data=hidden(browser.get("/"), "/console/sign-out"))

    assert BOUND not in browser.cookies
    assert browser.get("/teams", headers={"Cookie": f"{BOUND}={session}"}).is_redirect


def test_a_cookie_of_the_plain_name_opens_nothing_over_https(
    browser: httpx.Client, gateway: tuple[Any, str, ssl.SSLContext]
) -> None:
    with visit(gateway[0]) as plain:
        session = sign_in(plain, gateway[0].admin_key).cookies[COOKIE]
        assert plain.get("/teams").status_code == 200

    assert browser.get("/teams", headers={"Cookie": f"{COOKIE}={session}"}).is_redirect
    assert browser.get("/teams", headers={"Cookie": f"{BOUND}={session}"}).status_code == 200


def test_over_https_one_signs_in_by_a_provider(browser: httpx.Client) -> None:
    back = openid.at_provider(openid.depart(browser), "vic")
    attempt = browser.cookies[f"__Host-{ATTEMPT}"]
    plain = {"Cookie": f"{ATTEMPT}={attempt}"}
    begun = browser.build_request("GET", back, headers=plain)

    assert browser.get(back).status_code == 200
    assert browser.get("/teams").status_code == 200
    assert f"__Host-{ATTEMPT}" not in browser.cookies
    assert "was not begun in this browser" in browser.send(begun).text


def test_the_page_of_a_new_key_says_what_python_needs(
    browser: httpx.Client, gateway: tuple[Any, str, ssl.SSLContext]
) -> None:
    browser.post("/sign-in", data={"key": gateway[0].admin_key})
    asked = {"team": "snakes", "app": "shop", "name": "first", "kind": "live"}

    page = send(browser, "/setup", **asked).text

    assert f"export FAL_RUN_HOST={gateway[1].removeprefix('https://')} " in page
    assert "no https is known" not in page


def test_without_https_the_page_of_a_new_key_names_the_settings_and_no_option_of_a_command(
    admin: httpx.Client, named: Callable[[str], str]
) -> None:
    page = send(admin, "/setup", team=named("snakes"), app="shop", name="first", kind="live").text

    assert "no https is known here" in page
    assert "set FALGATE_PUBLIC_URL" in page.replace("\n# ", " ")
    assert "--url" not in page
