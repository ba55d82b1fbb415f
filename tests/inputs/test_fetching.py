"""Input pictures from URLs: within a time and a size, and from allowed addresses only."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from patience import PATIENCE_S
from receiving import Names

from falgate.egress.target import rules
from falgate.inputs.fetching import REDIRECTS_MAX, FetchFailed, FetchTooLarge, InputFetcher

HERE = rules(("127.0.0.2/32",), allow_http=True)
MOST = 1_000
Handler = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each path as it is told to."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.heads: list[str] = []
        self.port = 0
        self.drips = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            path = head.split()[1]
            writer.write(
                self.answers.get(path, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            )
            await writer.drain()
            while self.drips:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """On an address that is allowed."""
    serving = Server()
    listening = await asyncio.start_server(serving.take, "127.0.0.2", 0)
    serving.port = listening.sockets[0].getsockname()[1]
    yield serving
    serving.drips = False
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def fetcher() -> AsyncIterator[InputFetcher]:
    """A fetcher that is allowed one address."""
    fetching = InputFetcher(HERE, ssl.create_default_context(), deadline_s=PATIENCE_S)
    yield fetching
    await fetching.close()


def at(server: Server, path: str = "/picture.png", host: str = "127.0.0.2") -> str:
    return f"http://{host}:{server.port}{path}"


async def test_a_picture_is_fetched_without_credentials_and_cookies(
    server: Server, fetcher: InputFetcher
) -> None:
    server.answers["/picture.png"] = answer("200 OK", b"picture", set_cookie="a=b")

    assert await fetcher.fetch(at(server), MOST) == b"picture"
    assert await fetcher.fetch(at(server), MOST) == b"picture"
    for head in server.heads:
        assert "cookie" not in head.lower()
        assert "authorization" not in head.lower()


async def test_redirects_are_followed_and_each_is_checked(
    server: Server, fetcher: InputFetcher
) -> None:
    server.answers["/picture.png"] = answer("200 OK", b"picture")
    server.answers["/1"] = answer("302 Found", location="/picture.png")
    server.answers["/private"] = answer(
        "302 Found", location=f"http://127.0.0.1:{server.port}/picture.png"
    )
    server.answers["/file"] = answer("301 Moved", location="file:///etc/passwd")
    server.answers["/loop"] = answer("307 Temporary Redirect", location="/loop")

    assert await fetcher.fetch(at(server, "/1"), MOST) == b"picture"
    with pytest.raises(FetchFailed, match=r"could not be fetched|redirect, whose target"):
        await fetcher.fetch(at(server, "/private"), MOST)
    with pytest.raises(FetchFailed, match="redirect, whose target"):
        await fetcher.fetch(at(server, "/file"), MOST)
    before = len(server.heads)
    with pytest.raises(FetchFailed, match=f"more than {REDIRECTS_MAX} redirects"):
        await fetcher.fetch(at(server, "/loop"), MOST)
    assert len(server.heads) - before == REDIRECTS_MAX + 1


async def test_what_is_too_large_is_not_read_to_its_end(
    server: Server, fetcher: InputFetcher
) -> None:
    server.answers["/declared"] = answer("200 OK", b"x" * (MOST + 1))
    server.answers["/endless"] = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 * MOST)
    server.answers["/exact"] = answer("200 OK", b"x" * MOST)

    assert len(await fetcher.fetch(at(server, "/exact"), MOST)) == MOST
    with pytest.raises(FetchTooLarge):
        await fetcher.fetch(at(server, "/declared"), MOST)
    server.drips = True
    with pytest.raises(FetchTooLarge):
        await fetcher.fetch(at(server, "/endless"), MOST)


async def test_what_comes_too_slowly_is_given_up(server: Server) -> None:
    server.answers["/slow"] = b"HTTP/1.1 200 OK\r\n\r\n"
    server.drips = True
    fetching = InputFetcher(HERE, ssl.create_default_context(), deadline_s=0.3)

    with pytest.raises(FetchFailed, match=r"within 0\.3 seconds"):
        await fetching.fetch(at(server, "/slow"), 10**6)
    await fetching.close()


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "401 No"])
async def test_what_is_not_there_is_told_by_its_status(
    status: str, server: Server, fetcher: InputFetcher
) -> None:
    server.answers["/picture.png"] = answer(status)

    with pytest.raises(FetchFailed, match=f"status {status[:3]}"):
        await fetcher.fetch(at(server), MOST)


async def test_what_comes_compressed_is_refused(server: Server, fetcher: InputFetcher) -> None:
    """A few bytes could be a gigabyte."""
    server.answers["/picture.png"] = answer("200 OK", b"\x1f\x8b", content_encoding="gzip")

    with pytest.raises(FetchFailed, match="compressed"):
        await fetcher.fetch(at(server), MOST)


async def test_a_name_that_leads_to_a_private_address_by_now_is_not_connected_to(
    server: Server,
) -> None:
    server.answers["/picture.png"] = answer("200 OK", b"picture")
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    fetching = InputFetcher(HERE, ssl.create_default_context(), lookups=names)

    assert await fetching.fetch(at(server, host="pictures.example"), MOST) == b"picture"
    with pytest.raises(FetchFailed, match="could not be fetched") as failed:
        await fetching.fetch(at(server, host="pictures.example"), MOST)
    assert "pictures.example" not in str(failed.value)
    await fetching.close()
