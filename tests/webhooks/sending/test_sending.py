"""Webhooks on the wire: what is sent, and what counts as taken."""

import asyncio

import pytest
from patience import PATIENCE_S
from receiving import NOW_S, SIGNER, Listen, Make, Names, post

from falgate.webhooks.delivery import Attempt


async def test_a_webhook_arrives_as_it_was_signed(listen: Listen, sender: Make) -> None:
    receiver = await listen()
    body = b'{"status":"OK","payload":"\xc3\xbc"}'

    attempt = await post(sender(), f"http://127.0.0.1:{receiver.port}/told", body)

    assert attempt == Attempt(taken=True, said="200")
    [(first, headers, sent)] = receiver.requests
    assert first == "POST /told HTTP/1.1"
    assert sent == body
    signed = {name.lower(): value for name, value in SIGNER.headers("r-1", body, NOW_S).items()}
    assert {name: headers[name] for name in signed} == signed
    assert headers["user-agent"].startswith("falgate/")
    assert not headers.keys() & {"authorization", "cookie", "transfer-encoding"}


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ("/a%20b?token=a%2Bb%3D%3D&next=https%3A%2F%2Fx%2Fy", None),
        ("/a/../%2e%2E/b?x=%c3%bc;y={z}", None),
        ("", "/"),
        ("?x#y", "/?x"),
        ("/b\N{LATIN SMALL LETTER U WITH DIAERESIS}?\N{EURO SIGN}", "/b%C3%BC?%E2%82%AC"),
    ],
)
async def test_a_url_arrives_as_it_was_given(
    given: str, arrives: str | None, listen: Listen, sender: Make
) -> None:
    receiver = await listen()

    assert (await post(sender(), f"http://127.0.0.1:{receiver.port}{given}")).taken

    assert receiver.requests[0][0] == f"POST {given if arrives is None else arrives} HTTP/1.1"
    assert receiver.requests[0][1]["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "204"),
        (b"HTTP/1.1 299 Fine\r\ncontent-length: 0\r\n\r\n", "299"),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "500"),
        (b"HTTP/1.1 404 Oh\r\ncontent-length: 0\r\n\r\n", "404"),
        (b"", "ServerDisconnectedError"),
        (b"nonsense\r\n\r\n", "ClientResponseError"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\n\r\n", "ClientResponseError"),
    ],
)
async def test_only_2xx_says_that_it_was_taken(
    answer: bytes, said: str, listen: Listen, sender: Make
) -> None:
    receiver = await listen()
    receiver.answer = answer

    attempt = await post(sender(), f"http://127.0.0.1:{receiver.port}/")

    assert attempt == Attempt(taken=said.startswith("2"), said=said)
    assert len(receiver.requests) == 1


async def test_a_redirect_is_not_followed(listen: Listen, sender: Make) -> None:
    elsewhere, receiver = await listen(), await listen()
    for status in (301, 302, 303, 307, 308):
        receiver.answer = (
            f"HTTP/1.1 {status} There\r\nlocation: http://127.0.0.1:{elsewhere.port}/\r\n"
            "content-length: 0\r\n\r\n"
        ).encode()
        attempt = await post(sender(), f"http://127.0.0.1:{receiver.port}/")

        assert attempt == Attempt(taken=False, said=str(status))
    assert elsewhere.connections == 0
    assert len(receiver.requests) == 5


async def test_a_receiver_has_so_long_for_all_of_it(listen: Listen, sender: Make) -> None:
    receiver = await listen()
    receiver.pause_s = 60

    attempt = await post(sender(deadline_s=0.2), f"http://127.0.0.1:{receiver.port}/")

    assert attempt == Attempt(taken=False, said="TimeoutError")


async def test_an_answer_without_end_is_not_read(listen: Listen, sender: Make) -> None:
    receiver = await listen()
    receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n" + b"a" * 10_000_000

    attempt = await post(sender(), f"http://127.0.0.1:{receiver.port}/")

    assert attempt == Attempt(taken=True, said="200")
    async with asyncio.timeout(PATIENCE_S):
        await receiver.closed.wait()


async def test_no_cookie_and_no_connection_is_kept(listen: Listen, sender: Make) -> None:
    receiver = await listen()
    receiver.answer = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
    webhooks = sender(lookups=Names(["127.0.0.1"]))

    for _ in range(2):
        assert (await post(webhooks, f"http://hooks.example:{receiver.port}/")).taken

    assert receiver.connections == 2
    assert all("cookie" not in headers for _, headers, _ in receiver.requests)


async def test_no_proxy_of_the_environment_is_asked(
    listen: Listen, sender: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, proxy = await listen(), await listen()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

    attempt = await post(sender(), f"http://127.0.0.1:{receiver.port}/")

    assert attempt.taken
    assert proxy.connections == 0
