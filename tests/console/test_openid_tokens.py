"""ID tokens that a provider should not have sent, over HTTP, and keys that it changes."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import openid
import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from openid import EvilProvider, visit

from falgate.console.entrance import COOKIE
from falgate.console.oidc.provider import Provider
from falgate.console.oidc.roles import Roles, SignInRefused

Serve = Callable[..., AbstractContextManager[Any]]
HOUR_S = 3_600


@pytest.fixture(scope="module")
def evil() -> Iterator[EvilProvider]:
    with openid.evil_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(
    serve: Serve, evil: EvilProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    with serve(tmp_path_factory.mktemp("evil"), **openid.settings(evil.issuer)) as served:
        yield served


@pytest.fixture
def visitor(gateway: Any) -> Iterator[httpx.Client]:
    with visit(gateway) as client:
        yield client


def arrive(
    visitor: httpx.Client,
    evil: EvilProvider,
    token: Callable[[dict[str, Any]], str],
    **changed: Any,
) -> httpx.Response:
    """Begin, and come back to an ID token of good claims, but for those that are changed.

    Times are in seconds from now.
    """
    asked = openid.asked_of(openid.depart(visitor))
    assert (asked["realm"], asked["code_challenge_method"]) == ("1", "S256")
    now_s = int(time.time())
    good = {
        "iss": evil.issuer,
        "aud": openid.CLIENT,
        "sub": "s-1",
        "exp": HOUR_S,
        "iat": 0,
        "nonce": asked["nonce"],
        "groups": ["staff"],
        "email": "vic@example.org",
    }
    claims = {name: value for name, value in {**good, **changed}.items() if value is not None}
    times = {name: now_s + value for name, value in claims.items() if isinstance(value, int)}
    evil.token = token({**claims, **times})
    return visitor.get("/sign-in/oidc/callback", params={"state": asked["state"], "code": "c"})


def untrusted(answer: httpx.Response) -> None:
    """Check that nobody was let in."""
    assert (answer.status_code, COOKIE in answer.cookies) == (502, False), answer.text
    assert "cannot be trusted" in answer.text


@pytest.mark.parametrize("alg", openid.ALGORITHMS)
def test_a_good_token_of_each_algorithm_is_believed(
    visitor: httpx.Client, evil: EvilProvider, alg: str
) -> None:
    made: dict[str, Callable[[], Key]] = {
        "RS256": lambda: RSAKey.generate_key(2048, {"kid": "rs"}),
        "ES256": lambda: ECKey.generate_key("P-256", {"kid": "es"}),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    }
    key = made[alg]()
    evil.published = [evil.key, key]

    answer = arrive(visitor, evil, lambda claims: evil.signed(claims, key=key, alg=alg))

    assert answer.status_code == 200, answer.text
    assert "viewer:vic@<wbr>example.org" in visitor.get("").text


@pytest.mark.parametrize("how", ["unsigned", "hashed"])
def test_a_token_without_a_real_signature_is_refused(
    visitor: httpx.Client, evil: EvilProvider, how: str
) -> None:
    untrusted(arrive(visitor, evil, getattr(evil, how)))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another-client"},
        {"aud": [openid.CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://other.example"},
        {"exp": -HOUR_S},
        {"exp": None},
        {"exp": "never"},
        {"nbf": HOUR_S},
        {"iat": HOUR_S},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": ["s-1"]},
        {"sub": "s" * 300},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    visitor: httpx.Client, evil: EvilProvider, changed: dict[str, Any]
) -> None:
    untrusted(arrive(visitor, evil, evil.signed, **changed))


def test_a_token_that_was_changed_is_refused(visitor: httpx.Client, evil: EvilProvider) -> None:
    def changed(claims: dict[str, Any]) -> str:
        header, _, signature = evil.signed(claims).split(".")
        body = evil.signed({**claims, "groups": ["platform"]}).split(".")[1]
        return f"{header}.{body}.{signature}"

    untrusted(arrive(visitor, evil, changed))


def test_a_key_of_another_is_refused_though_it_has_the_id(
    visitor: httpx.Client, evil: EvilProvider
) -> None:
    stolen = RSAKey.generate_key(2048, {"kid": "first"})

    untrusted(arrive(visitor, evil, lambda claims: evil.signed(claims, key=stolen)))


def test_a_new_key_is_read_when_a_token_names_it(visitor: httpx.Client, evil: EvilProvider) -> None:
    assert arrive(visitor, evil, evil.signed).status_code == 200
    new = RSAKey.generate_key(2048, {"kid": "second"})

    untrusted(arrive(visitor, evil, lambda claims: evil.signed(claims, key=new)))
    evil.published = [evil.key, new]

    assert arrive(visitor, evil, lambda claims: evil.signed(claims, key=new)).status_code == 200


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 1_000_000, '{"a":1}', "ä.ö.ü"])
def test_what_is_no_token_is_refused(visitor: httpx.Client, evil: EvilProvider, token: str) -> None:
    answer = arrive(visitor, evil, lambda _: token)

    untrusted(answer)


def test_a_provider_that_fails_on_the_way_back_is_said(
    visitor: httpx.Client, evil: EvilProvider
) -> None:
    asked = openid.asked_of(openid.depart(visitor))
    evil.down = True
    try:
        answer = visitor.get(
            "/sign-in/oidc/callback", params={"state": asked["state"], "code": "c"}
        )
    finally:
        evil.down = False

    untrusted(answer)


@pytest.mark.parametrize(
    "params",
    [
        {"code": "c" * 5_000},
        {"code": ["c", "d"]},
        {},
        {"code": "c", "iss": "i" * 3_000},
        {"code": "c", "error": "e" * 100},
    ],
    ids=["long", "twice", "none", "long issuer", "long error"],
)
def test_an_answer_of_another_form_is_refused(
    visitor: httpx.Client, evil: EvilProvider, params: dict[str, Any]
) -> None:
    asked = openid.asked_of(openid.depart(visitor))
    evil.token = ""

    answer = visitor.get("/sign-in/oidc/callback", params={"state": asked["state"], **params})

    assert (answer.status_code, COOKIE in answer.cookies) == (400, False), answer.text


def test_a_strange_error_is_not_shown(visitor: httpx.Client) -> None:
    asked = openid.asked_of(openid.depart(visitor))

    answer = visitor.get(
        "/sign-in/oidc/callback",
        params={"state": asked["state"], "error": "call_0900", "error_description": "call 0900"},
    )

    assert (answer.status_code, "0900" in answer.text) == (403, False)
    assert "The provider has refused this sign-in" in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://other.example/token"},
        {"jwks_uri": None},
        {"userinfo_endpoint": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_a_provider_that_is_not_as_it_should_be_is_refused(
    serve: Serve, tmp_path: Any, changed: dict[str, Any]
) -> None:
    with (
        openid.evil_provider() as strange,
        serve(tmp_path, **openid.settings(strange.issuer)) as served,
        visit(served) as visitor,
    ):
        strange.discovery = changed

        untrusted(visitor.get("/sign-in/oidc"))


async def test_a_provider_that_does_not_come_to_an_end_is_given_up(evil: EvilProvider) -> None:
    roles = Roles(issuer=evil.issuer, client_id=openid.CLIENT, claim="groups", mapped=())
    provider = Provider(roles, openid.SECRET, "openid", deadline_s=0.2)
    evil.going_on.clear()
    try:
        with pytest.raises(SignInRefused, match="cannot be reached now") as caught:
            await provider.address(redirect_uri="r", state="s", nonce="n", challenge="c")
    finally:
        evil.going_on.set()

    assert caught.value.status == 503
    address = await Provider(roles, openid.SECRET, "openid").address(
        redirect_uri="r", state="s", nonce="n", challenge="c"
    )
    assert address.startswith(f"{evil.issuer}/auth?realm=1&")


def test_an_answer_that_is_too_large_is_refused(serve: Serve, tmp_path: Any) -> None:
    with (
        openid.evil_provider() as large,
        serve(tmp_path, **openid.settings(large.issuer)) as served,
        visit(served) as visitor,
    ):
        large.discovery = {"more": "x" * 600_000}
        untrusted(visitor.get("/sign-in/oidc"))
        large.discovery = {}
        openid.depart(visitor)
