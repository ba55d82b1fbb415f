"""What a fault on the way to fal means for the money: released where nothing can have left.

The table in docs/upstream-errors.md has the same cases; a test holds the two together.
"""

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
import trustme
from hops import Hops, close, greet, hear_and_reset, hops, reset, say, silence, tunnel

from falgate.fal.client import FalQueue
from falgate.fal.replies import Lost, Unsent
from falgate.jobs.settlement import after_submit

ENDPOINT = "fal-ai/gpt-image-1.5"
FAL = "https://queue.example"
CONNECT_S, SUBMIT_S = 0.3, 2.0
NONE_LEFT, MAY_HAVE_LEFT = "no", "yes"
DOCUMENT = Path(__file__).parents[2] / "docs" / "upstream-errors.md"


class Way(msgspec.Struct):
    """What stands between here and fal.

    Attributes:
        url: Of the queue.
        proxy: That the environment names for it.
        options: Of the client.
        body: Of the order.
        passed: Headers of the caller's.
    """

    url: str = FAL
    proxy: str = ""
    options: dict[str, Any] = {}
    body: dict[str, Any] = msgspec.field(default_factory=lambda: {"prompt": "a fox"})
    passed: dict[str, str] = {}


class World(NamedTuple):
    """What ways are made of."""

    hops: Hops
    good: ssl.SSLContext
    other_name: ssl.SSLContext
    unknown: ssl.SSLContext

    async def at(self, act: Any, tls: ssl.SSLContext | None = None) -> str:
        """host:port of a listener."""
        return f"127.0.0.1:{await self.hops.listen(act, tls)}"

    async def via(self, act: Any) -> Way:
        """By a proxy that does this with the question for a tunnel."""
        return Way(proxy=f"http://{await self.at(act)}")

    async def beyond(self, act: Any, tls: ssl.SSLContext | None) -> Way:
        """By a tunnel to a fal that does this."""
        return await self.via(tunnel(await self.hops.listen(act, tls)))


Make = Callable[[World], Awaitable[Way]]
_CASES: dict[str, tuple[str, Make]] = {}


def case(name: str, left: str) -> Callable[[Make], Make]:
    """Name a way, and say whether a byte of the request may have left on it."""

    def note(make: Make) -> Make:
        _CASES[name] = left, make
        return make

    return note


def cases(left: str, ways: dict[str, Make]) -> None:
    """The same for several."""
    for name, make in ways.items():
        case(name, left)(make)


def _plain(**way: Any) -> Make:
    async def make(_: World) -> Way:
        return Way(**way)

    return make


def _open(**way: Any) -> Make:
    """To somebody who would take it."""

    async def make(world: World) -> Way:
        return Way(f"http://{await world.at(silence)}", **way)

    return make


def _refusing(_: str) -> str:
    raise LookupError("no address")


async def _in_process(*_: Any) -> None:
    raise RuntimeError("it broke within")


cases(NONE_LEFT, {
    "URL without a host": _plain(url="http:///queue"),
    "URL whose port is none": _plain(url="http://queue.example:port"),
    "URL of another scheme": _plain(url="ftp://queue.example"),
    "address that is not spelt out": _plain(url="http://127.1:9"),
    "host that no name server can know": _plain(url=f"http://{'a' * 70}.example"),
    "header with a line feed": _open(passed={"x-note": "a\nb"}),
    "header outside of ASCII": _open(passed={"x-note": "schl\u00fcssel"}),
    "body that has no UTF-8": _open(body={"prompt": "\ud800"}),
    "completion hook without an address": _open(options={"hook": _refusing}),
    "name that does not resolve": _plain(url="http://queue.invalid"),
    "proxy whose name does not resolve": _plain(proxy="http://proxy.invalid:3128"),
    "proxy at a name that is none": _plain(proxy="http://-..-:3128"),
})  # fmt: skip


@case("nobody listens", NONE_LEFT)
async def _(world: World) -> Way:
    return Way(f"http://127.0.0.1:{world.hops.closed()}")


@case("connection not made in time", NONE_LEFT)
async def _(world: World) -> Way:
    return Way(f"http://127.0.0.1:{world.hops.full()}")


def _tls(act: Any, kind: str) -> Make:
    async def make(world: World) -> Way:
        return Way(f"https://{await world.at(act, getattr(world, kind) if kind else None)}")

    return make


cases(NONE_LEFT, {
    "certificate of an unknown authority": _tls(silence, "unknown"),
    "certificate of another name": _tls(silence, "other_name"),
    "TLS asked of who speaks none": _tls(greet, ""),
    "TLS handshake closed": _tls(close, ""),
    "TLS handshake reset": _tls(reset, ""),
    "TLS handshake without an answer": _tls(silence, ""),
})  # fmt: skip


@case("nobody listens where the proxy should", NONE_LEFT)
async def _(world: World) -> Way:
    return Way(proxy=f"http://127.0.0.1:{world.hops.closed()}")


@case("proxy of https with an unknown authority", NONE_LEFT)
async def _(world: World) -> Way:
    return Way(proxy=f"https://{await world.at(silence, world.unknown)}")


def _via(act: Any) -> Make:
    async def make(world: World) -> Way:
        return await world.via(act)

    return make


cases(NONE_LEFT, {
    **{
        f"proxy answers {status} to CONNECT": _via(
            say(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
        )
        for status in (302, 403, 407, 429, 502, 503, 504)
    },
    "proxy closes at CONNECT": _via(say(b"")),
    "proxy resets at CONNECT": _via(hear_and_reset),
    "proxy says nothing to CONNECT": _via(silence),
    "proxy answers CONNECT with half a head": _via(say(b"HTTP/1.1 200 OK\r\n")),
    "proxy answers CONNECT with garbage": _via(say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    "tunnel that closes at once": _via(say(b"HTTP/1.1 200 OK\r\n\r\n")),
    "tunnel that says what is no TLS": _via(say(b"HTTP/1.1 200 OK\r\n\r\n<html>\r\n\r\n")),
})  # fmt: skip


def _beyond(act: Any, kind: str) -> Make:
    async def make(world: World) -> Way:
        return await world.beyond(act, getattr(world, kind) if kind else None)

    return make


cases(NONE_LEFT, {
    "tunnel to a certificate of an unknown authority": _beyond(silence, "unknown"),
    "tunnel to silence": _beyond(silence, ""),
})  # fmt: skip


def _http_by(act: Any) -> Make:
    async def make(world: World) -> Way:
        return Way("http://queue.example", proxy=f"http://{await world.at(act)}")

    return make


cases(NONE_LEFT, {
    "proxy answers 407 to a request that needs no tunnel": _http_by(
        say(b"HTTP/1.1 407 Sign in\r\nContent-Length: 0\r\n\r\n")
    ),
})  # fmt: skip
cases(MAY_HAVE_LEFT, {
    "proxy answers 502 to a request that needs no tunnel": _http_by(
        say(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    ),
    "proxy closes at a request that needs no tunnel": _http_by(say(b"")),
    "fal closes at the request": _tls(say(b""), "good"),
    "fal resets at the request": _tls(hear_and_reset, "good"),
    "fal closes after the handshake": _tls(close, "good"),
    "fal says nothing to the request": _tls(silence, "good"),
    "fal answers with garbage": _tls(say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "good"),
    "fal closes at the request, by a tunnel": _beyond(say(b""), "good"),
    "fal says nothing to the request, by a tunnel": _beyond(silence, "good"),
    "any fault of a transport that is no socket": _plain(
        options={"transport": httpx.ASGITransport(_in_process)}
    ),
})  # fmt: skip


_UNTIL_CONNECTED = {
    "connection not made in time",
    "TLS handshake without an answer",
    "proxy says nothing to CONNECT",
    "tunnel to silence",
}
_UNTIL_ANSWERED = {name for name in _CASES if name.startswith("fal says nothing")}


@pytest.fixture
async def world(authority: tuple[trustme.CA, Path]) -> AsyncIterator[World]:
    """Hops, and certificates for them."""

    def server(made: trustme.CA, *names: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.issue_cert(*names).configure_cert(context)
        return context

    names = "127.0.0.1", "queue.example"
    async with hops() as made:
        yield World(
            made,
            server(authority[0], *names),
            server(authority[0], "elsewhere.example"),
            server(trustme.CA(), *names),
        )


@pytest.mark.parametrize("name", _CASES)
async def test_a_hold_is_released_where_nothing_left_and_kept_where_something_may_have(
    world: World, queue: Callable[..., FalQueue], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name in _UNTIL_CONNECTED:
        monkeypatch.setattr("falgate.fal.connections._CONNECT_S", CONNECT_S)
    if name in _UNTIL_ANSWERED:
        monkeypatch.setattr("falgate.fal.client._SUBMIT_S", SUBMIT_S)
    left, make = _CASES[name]
    way = await make(world)
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, way.proxy.replace("://", "://user:canary-word@"))
    hook = {"hook": lambda _: "https://gate.example/hooks/fal/job.canary-mac"}
    fal = queue(way.url, **hook | way.options)

    submission = await fal.submit(ENDPOINT, way.body, "job", passed=way.passed)

    assert isinstance(submission, Lost if left == MAY_HAVE_LEFT else Unsent)
    if isinstance(submission, Unsent):
        settlement = after_submit(submission)
        assert (settlement.state, settlement.charge) == ("released", 0)
        assert settlement.answer
        assert settlement.answer.status == 503
    # An operator reads why, and no secret.
    assert isinstance(submission, Unsent | Lost)
    assert 0 < len(submission.why) <= 300
    assert submission.why.isprintable()
    assert "canary" not in submission.why
    assert "fox" not in submission.why


def test_each_case_stands_in_the_document_with_its_ruling() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| (yes|no) \|", DOCUMENT.read_text(), re.MULTILINE)
    told = {name: left for names, left in rows for name in names.strip().split("; ")}
    assert told == {name: left for name, (left, _) in _CASES.items()}
