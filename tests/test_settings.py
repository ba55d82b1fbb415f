"""The settings: what is read, what stops a start, and what is never shown."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from falgate import settings
from falgate.accounts import apikey
from falgate.core.calendar import Calendar
from falgate.settings import SettingsWrong

SANDBOX = {"FALGATE_UPSTREAM_URL": "sandbox"}
KEY = {"FAL_KEY": "id:secret"}
ADMIN = apikey.mint("admin", bytes(8), bytes(32))

GOOD: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "fal": (KEY, {"fal_key": "id:secret", "upstream_url": "https://queue.fal.run"}),
    "blanks around keys": (
        {
            "FAL_KEY": " id:secret\n",
            "FALGATE_FAL_ADMIN_KEY": "\tc:d ",
            "FALGATE_ADMIN_KEY": f"{ADMIN}\n",
        },
        {"fal_key": "id:secret", "fal_admin_key": "c:d", "admin_key": ADMIN},
    ),
    "a bucket": ({**SANDBOX, "FALGATE_MEDIA_URL": "s3://b/p"}, {"media_url": "s3://b/p"}),
    "its own name comes first": ({**KEY, "FALGATE_FAL_KEY": "a:b"}, {"fal_key": "a:b"}),
    "the sandbox needs no key": (SANDBOX, {"uses_sandbox": True, "fal_key": ""}),
    "another upstream": (
        {**KEY, "FALGATE_UPSTREAM_URL": "http://127.0.0.1:9090/queue"},
        {"upstream_url": "http://127.0.0.1:9090/queue", "uses_sandbox": False},
    ),
    "numbers": ({**SANDBOX, "FALGATE_LEASE_S": "7"}, {"lease_s": 7}),
    "workers": ({**SANDBOX, "FALGATE_WORKERS": "64"}, {"workers": 64}),
    "one worker": (SANDBOX, {"workers": 1}),
    "no drain": ({**SANDBOX, "FALGATE_DRAIN_S": "0"}, {"drain_s": 0}),
    "true": ({**SANDBOX, "FALGATE_ALLOW_WEAK_DURABILITY": "true"}, {"allow_weak_durability": True}),
    "one": ({**SANDBOX, "FALGATE_ALLOW_WEAK_DURABILITY": "1"}, {"allow_weak_durability": True}),
    "false": (
        {**SANDBOX, "FALGATE_ALLOW_WEAK_DURABILITY": "false"},
        {"allow_weak_durability": False},
    ),
    "empty is not set": ({**SANDBOX, "FALGATE_LISTEN": ""}, {"listen": "127.0.0.1:8080"}),
    "IPv6": ({**SANDBOX, "FALGATE_LISTEN": "[::1]:80"}, {"listen": "[::1]:80"}),
    "a zone": ({**SANDBOX, "FALGATE_TIMEZONE": "Europe/Vienna"}, {"timezone": "Europe/Vienna"}),
    "another week": (
        {**SANDBOX, "FALGATE_WEEK_STARTS": "sunday", "FALGATE_TIMEZONE": "Asia/Tehran"},
        {"calendar": Calendar(ZoneInfo("Asia/Tehran"), "sunday")},
    ),
    "a week begins on monday": (SANDBOX, {"calendar": Calendar(ZoneInfo("UTC"), "monday")}),
    "slots": ({**SANDBOX, "FALGATE_UPSTREAM_CONCURRENCY": "40"}, {"upstream_concurrency": 40}),
    "any number of slots": (SANDBOX, {"upstream_concurrency": 0}),
    "no operator": (SANDBOX, {"admin_key": "", "fal_admin_key": ""}),
    "an operator": ({**SANDBOX, "FALGATE_ADMIN_KEY": ADMIN}, {"admin_key": ADMIN}),
    "proxies": (
        {**SANDBOX, "FALGATE_TRUSTED_PROXIES": "10.0.0.0/8, ::1,192.0.2.1"},
        {"trusted_proxies": "10.0.0.0/8, ::1,192.0.2.1"},
    ),
    "origins": (
        {**SANDBOX, "FALGATE_CORS_ORIGINS": "https://App.example, http://[::1]:3000,*"},
        {"cors_origins": "https://App.example, http://[::1]:3000,*"},
    ),
    "webhooks": (
        {**SANDBOX, "FALGATE_WEBHOOK_TARGETS": "*.x.example, 10.0.0.0/8"},
        {"webhook_targets": "*.x.example, 10.0.0.0/8", "webhook_allow_http": False},
    ),
    "alerts": (
        {**SANDBOX, "FALGATE_ALERT_URL": "https://x.example", "FALGATE_ALERT_SECRET": "s"},
        {"alert_url": "https://x.example", "alert_secret": "s"},
    ),
    "the ledger is kept": ({**SANDBOX, "FALGATE_LEDGER_KEPT_DAYS": "40"}, {"ledger_kept_days": 40}),
    "money": ({**SANDBOX, "FALGATE_ORG_DAILY_USD": "12.50"}, {"org_daily_usd": "12.50"}),
    "no money": ({**SANDBOX, "FALGATE_OVERAGE_USD": "0"}, {"overage_usd": "0"}),
    "others' variables": ({**SANDBOX, "PATH": "/bin", "FAL_RUN_HOST": "x"}, {"log_level": "info"}),
}


@pytest.mark.parametrize(("env", "expected"), GOOD.values(), ids=GOOD)
def test_what_is_good_is_read(env: dict[str, str], expected: dict[str, Any]) -> None:
    found = settings.read(env)

    assert {name: getattr(found, name) for name in expected} == expected


def with_sandbox(name: str, value: str) -> dict[str, str]:
    return {**SANDBOX, f"FALGATE_{name}": value}


OURS = apikey.mint("live", bytes(8), bytes(32))
BAD: dict[str, tuple[dict[str, str], str]] = {
    "unknown": (with_sandbox("LISTNE", "x"), "FALGATE_LISTNE (FALGATE_LISTEN?): no such setting;"),
    "two unknown": (
        {"FALGATE_B": "1", "FALGATE_A": "1"},
        "FALGATE_A, FALGATE_B: no such setting; `falgate serve --help` lists them",
    ),
    "no key": ({}, "FAL_KEY is not set: set your fal key, or FALGATE_UPSTREAM_URL=sandbox to try"),
    "falgate's key": ({"FAL_KEY": OURS}, "FAL_KEY is a falgate key, not a fal key: unset it"),
    "key of two lines": ({"FAL_KEY": "a:b\nc"}, "FAL_KEY contains characters that no fal key"),
    "key not ASCII": ({"FAL_KEY": "a:bé"}, "FAL_KEY contains characters that no fal key"),
    "text": (with_sandbox("LEASE_S", "soon"), "FALGATE_LEASE_S: Expected `int`, got `str`"),
    "zero": (with_sandbox("LEASE_S", "0"), "FALGATE_LEASE_S: Expected `int` >= 1"),
    "negative": (with_sandbox("DRAIN_S", "-1"), "FALGATE_DRAIN_S: Expected `int` >= 0"),
    "fraction": (with_sandbox("DRAIN_S", "1.5"), "FALGATE_DRAIN_S: Expected `int`"),
    "neither yes nor no": (
        with_sandbox("ALLOW_WEAK_DURABILITY", "perhaps"),
        "FALGATE_ALLOW_WEAK_DURABILITY: Expected `bool`",
    ),
    "no level": (with_sandbox("LOG_LEVEL", "loud"), "FALGATE_LOG_LEVEL: Invalid enum value"),
    "two addresses": (
        with_sandbox("LISTEN", "127.0.0.1:8080,[::1]:8080"),
        "FALGATE_LISTEN: '127.0.0.1:8080,[::1]:8080' is a list, but only one host:port",
    ),
    "a host that is none": (with_sandbox("OPS_LISTEN", "a/b:1"), "FALGATE_OPS_LISTEN: 'a/b:1' is"),
    "a name with a gap": (with_sandbox("LISTEN", "a..b:1"), "FALGATE_LISTEN: 'a..b:1' is not host"),
    "half an address": (with_sandbox("LISTEN", "[::1:1"), "FALGATE_LISTEN: '[::1:1' is not host"),
    "a store that is none": (
        with_sandbox("MEDIA_URL", "http://user:secret@x/y"),
        "FALGATE_MEDIA_URL: unknown kind of store; use file:///directory, s3://bucket/prefix, gs",
    ),
    "a store without a scheme": (
        with_sandbox("MEDIA_URL", "/data"),
        "FALGATE_MEDIA_URL: unknown kind",
    ),
    "a blank in a key": ({"FAL_KEY": "id: secret"}, "FAL_KEY contains characters that no fal key"),
    "a key of blanks": ({"FAL_KEY": " "}, "FAL_KEY is not set"),
    "an operator's key of two lines": (
        with_sandbox("FAL_ADMIN_KEY", "a:b\nc"),
        "FALGATE_FAL_ADMIN_KEY contains characters that no fal key has",
    ),
    "no zone": (with_sandbox("TIMEZONE", "Mars/Base"), "FALGATE_TIMEZONE: unknown IANA time zone"),
    "a folder of zones": (with_sandbox("TIMEZONE", "Europe"), "FALGATE_TIMEZONE: unknown IANA"),
    "a way out": (with_sandbox("TIMEZONE", "../../etc/passwd"), "FALGATE_TIMEZONE: unknown IANA"),
    "a long zone": (
        with_sandbox("TIMEZONE", "z" * 5000),
        "FALGATE_TIMEZONE: unknown IANA time zone",
    ),
    "words for money": (with_sandbox("ORG_DAILY_USD", "ten"), "FALGATE_ORG_DAILY_USD: 'ten' is"),
    "negative money": (
        with_sandbox("OVERAGE_USD", "-1"),
        "FALGATE_OVERAGE_USD: '-1' is not an amount",
    ),
    "https without files": (
        with_sandbox("TLS_LISTEN", "127.0.0.1:8443"),
        "FALGATE_TLS_LISTEN needs FALGATE_TLS_CERT and FALGATE_TLS_KEY",
    ),
    "a page for an origin": (
        with_sandbox("CORS_ORIGINS", "https://app.example/"),
        "FALGATE_CORS_ORIGINS: 'https://app.example/' is not an origin; example: https",
    ),
    "a host for an origin": (
        with_sandbox("CORS_ORIGINS", "https://app.example, app.example"),
        "FALGATE_CORS_ORIGINS: 'app.example' is not an origin",
    ),
    "many origins in one": (
        with_sandbox("CORS_ORIGINS", "https://*.example"),
        "FALGATE_CORS_ORIGINS: 'https://*.example' is not an origin",
    ),
    "no origin": (with_sandbox("CORS_ORIGINS", "null"), "FALGATE_CORS_ORIGINS: 'null' is not"),
    "no day": (with_sandbox("WEEK_STARTS", "someday"), "FALGATE_WEEK_STARTS: Invalid enum value"),
    "fewer slots than none": (
        with_sandbox("UPSTREAM_CONCURRENCY", "-1"),
        "FALGATE_UPSTREAM_CONCURRENCY: Expected `int` >= 0",
    ),
    "a ledger of a month": (
        with_sandbox("LEDGER_KEPT_DAYS", "39"),
        "FALGATE_LEDGER_KEPT_DAYS: Expected `int` >= 40",
    ),
    "an app's key for the operator": (
        with_sandbox("ADMIN_KEY", OURS),
        "FALGATE_ADMIN_KEY: not an admin key (fg_admin_...); create one with `falgate",
    ),
    "a password for the operator": (
        with_sandbox("ADMIN_KEY", "hunter2"),
        "FALGATE_ADMIN_KEY: not an admin key (fg_admin_...); create one with `falgate",
    ),
    "a slip in the operator's key": (
        with_sandbox("ADMIN_KEY", f"{ADMIN[:-1]}!"),
        "FALGATE_ADMIN_KEY: not an admin key",
    ),
    "a proxy's name": (
        with_sandbox("TRUSTED_PROXIES", "10.0.0.1,balancer"),
        "FALGATE_TRUSTED_PROXIES: 'balancer' is not an address or network; example: 10.0.0.0/8",
    ),
    "a URL for nginx's location": (
        with_sandbox("PICTURE_ACCEL", "http://nginx/stored"),
        "FALGATE_PICTURE_ACCEL: not a path; example: /stored",
    ),
    "an nginx that is not trusted": (
        with_sandbox("PICTURE_ACCEL", "/stored"),
        "FALGATE_PICTURE_ACCEL needs FALGATE_TRUSTED_PROXIES",
    ),
    "a webhook's URL for its host": (
        with_sandbox("WEBHOOK_TARGETS", "10.0.0.1,https://x.example"),
        "FALGATE_WEBHOOK_TARGETS: 'https://x.example' is neither a host name nor a network",
    ),
    "alerts that nobody can verify": (
        with_sandbox("ALERT_URL", "https://x.example"),
        "FALGATE_ALERT_URL needs FALGATE_ALERT_SECRET",
    ),
    "finer money than there is": (
        with_sandbox("ORG_DAILY_USD", "0.0000001"),
        "FALGATE_ORG_DAILY_USD: '0.0000001' is finer than a millionth of a dollar",
    ),
    "no number for money": (
        with_sandbox("OVERAGE_USD", "NaN"),
        "FALGATE_OVERAGE_USD: 'NaN' is not an",
    ),
    "more money than there is": (
        with_sandbox("OVERAGE_USD", "9" * 40),
        f"FALGATE_OVERAGE_USD: '{'9' * 40}' is more than a billion dollars",
    ),
    "public URL": (
        with_sandbox("PUBLIC_URL", "example.com"),
        "FALGATE_PUBLIC_URL: must begin with",
    ),
    "upstream": (
        {**KEY, "FALGATE_UPSTREAM_URL": "queue.fal.run"},
        "FALGATE_UPSTREAM_URL: must be an http(s):// URL or `sandbox`",
    ),
    **{
        f"upstream {url}": (
            {**KEY, "FALGATE_UPSTREAM_URL": url},
            "FALGATE_UPSTREAM_URL: must be an http(s):// URL or `sandbox`",
        )
        for url in ("https://", "http://a:port", "http://[::1", "http://a:0", "https:///queue")
    },
    **{
        f"no URL in {name}": (with_sandbox(name, "host:port"), f"FALGATE_{name}: not a URL like")
        for name in ("ALERT_URL", "PLATFORM_URL", "UPSTREAM_JWKS_URL")
    },
    **{
        f"listen {text}": (with_sandbox("LISTEN", text), f"FALGATE_LISTEN: '{text}' is not host:p")
        for text in ("8080", "localhost", ":8080", "a:", "a:0", "a:65536", "a:8²", "a:-1", "a:+80")
    },
}


@pytest.mark.parametrize(("env", "said"), BAD.values(), ids=BAD)
def test_what_is_bad_is_one_line_that_names_the_setting(env: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        settings.read(env)

    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_no_secret_is_quoted() -> None:
    for name in ("FAL_KEY", "FALGATE_FAL_KEY"):
        with pytest.raises(SettingsWrong) as caught:
            settings.read({name: "id:hunter2\x07"})
        assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsWrong) as caught:
        settings.read(with_sandbox("ADMIN_KEY", "hunter2"))
    assert "hunter2" not in str(caught.value)
    assert "secret" not in repr(settings.read(KEY))


def test_what_the_caller_knows_yields_to_the_environment() -> None:
    defaults = {"upstream_url": "sandbox", "drain_s": "2", "lease_s": "9"}

    found = settings.read({"FALGATE_DRAIN_S": "5"}, defaults)

    assert (found.drain_s, found.lease_s, found.uses_sandbox) == (5, 9, True)


ADDRESSES = {
    "127.0.0.1:80": ("127.0.0.1", 80),
    "[::1]:65535": ("::1", 65535),
    "::1:80": ("::1", 80),
    "[::]:80": ("::", 80),
    "*:80": ("::", 80),
    "a:1": ("a", 1),
    "gate_way-1.example:80": ("gate_way-1.example", 80),
}


@pytest.mark.parametrize(("text", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    found = settings.address(text, "LISTEN")

    assert (found.host, found.port) == expected


def test_names_are_read_by_commas_whatever_their_case() -> None:
    assert settings.names(" Fal.Media, ,b.example ,") == ("fal.media", "b.example")


def test_an_amount_is_micro_dollars_and_none_where_it_is_not_set() -> None:
    assert settings.amount("12.5", "OVERAGE_USD") == 12_500_000
    assert settings.amount("", "OVERAGE_USD") is None


@pytest.mark.parametrize(
    "url", ["https://fal.run", "https://fal.run/", "http://127.0.0.1:9090/run"]
)
def test_a_synchronous_api_is_no_upstream(url: str) -> None:
    with pytest.raises(SettingsWrong, match="synchronous"):
        settings.read({"FALGATE_UPSTREAM_URL": url, "FAL_KEY": "id:secret"})
