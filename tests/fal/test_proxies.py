"""Proxies of the environment: which values are one, which are refused, and for which hosts."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.fal.client import FalQueue
from falgate.fal.platform import FalPlatform
from falgate.fal.proxies import ProxyWrong, proxy_of, read
from falgate.fal.replies import Accepted
from falgate.fal.signatures import Signatures
from falgate.webhooks.alert_hook import AlertHook

READ = {
    "proxy.corp:3128": "http://proxy.corp:3128",
    "user:word@proxy.corp:3128": "http://user:word@proxy.corp:3128",
    "proxy.corp": "http://proxy.corp",
    "//proxy.corp:3128": "http://proxy.corp:3128",
    "proxy.corp:3128/": "http://proxy.corp:3128/",
    "[::1]:3128": "http://[::1]:3128",
    "127.0.0.1:3128": "http://127.0.0.1:3128",
    "http://proxy.corp:3128": "http://proxy.corp:3128",
    "HTTP://proxy.corp:3128": "http://proxy.corp:3128",
    "https://user:w%40rd@proxy.corp": "https://user:w%40rd@proxy.corp",
}
WRONG = [
    "socks5://proxy.corp:1080", "socks5h://proxy.corp:1080", "socks4://proxy.corp", "ftp://proxy",
    "http:proxy.corp:3128", "http:/proxy.corp:3128", "http://", "https://:3128", "://proxy:1",
    "user:w#rd@proxy.corp:3128", "proxy.corp:port", "proxy.corp:0", "proxy.corp:99999",
    "::1:3128", "[::1:3128", "http://[no]:3128", "proxy corp:3128", "proxy\x00.corp:3128",
    "/var/run/proxy.sock", "3128 proxy",
]  # fmt: skip
KEY = "whsec_" + "A" * 44


@pytest.mark.parametrize(("value", "url"), READ.items())
def test_a_value_is_read_as_curl_reads_it(value: str, url: str) -> None:
    assert read(value) == url


@pytest.mark.parametrize("value", WRONG)
def test_what_cannot_be_a_proxy_is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(ValueError, match="proxy") as refused:
        read(value)
    assert value not in str(refused.value)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_the_variable_that_names_no_proxy_is_named_wherever_it_would_be_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "socks5://user:canary@proxy.corp:1080")
    url = "https://somewhere.example"
    for make in (
        lambda: FalQueue("fal", url, key="id:secret"),
        lambda: FalPlatform(url, "id:secret"),
        lambda: Signatures(url),
        lambda: AlertHook(url, KEY),
    ):
        with pytest.raises(ProxyWrong, match=variable) as refused:
            make()
        assert "canary" not in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "one:1"}, "http://one:1"),
        ({"HTTPS_PROXY": "one:1", "https_proxy": "two:2"}, "http://two:2"),
        ({"HTTP_PROXY": "one:1"}, None),
        ({"HTTP_PROXY": "socks5://one:1"}, None),
        ({"ALL_PROXY": "one:1"}, "http://one:1"),
        ({"ALL_PROXY": "one:1", "HTTPS_PROXY": "two:2"}, "http://two:2"),
        ({"HTTPS_PROXY": " "}, None),
        ({"HTTPS_PROXY": " one:1 "}, "http://one:1"),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": " , .fal.run,,"}, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "queue.fal.run"}, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "run"}, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "al.run"}, "http://one:1"),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "["}, "http://one:1"),
        ({"HTTPS_PROXY": "socks5://one:1", "NO_PROXY": "fal.run"}, None),
    ],
)
def test_a_host_is_spoken_to_by_the_proxy_that_is_named_for_it(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], proxy: str | None
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert proxy_of("https://queue.fal.run") == proxy


async def test_an_order_goes_by_a_proxy_that_is_named_without_a_scheme(
    peer: Callable[..., Awaitable[Any]],
    queue: Callable[..., FalQueue],
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[..., bytes],
) -> None:
    proxy = await peer(say(200, '{"request_id":"abc"}'))
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "user:word@"))
    fal = queue("http://queue.example")
    assert await fal.submit("fal-ai/gpt-image-1.5", {"prompt": "a fox"}, "job") == Accepted("abc")
    [asked] = proxy.heard
    assert asked.startswith(b"POST http://queue.example/fal-ai/gpt-image-1.5 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in asked
