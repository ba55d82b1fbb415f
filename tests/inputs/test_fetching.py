"""Fetching a picture from a URL of a caller: what is taken, and what is given up."""

from collections.abc import Awaitable, Callable

import pytest
from patience import PATIENCE_S
from receiving import Names

from falgate.egress.target import Rules, rules
from falgate.inputs.fetching import FetchFailed, FetchTooLarge

Fetch = Callable[..., Awaitable[bytes]]

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


def redirect(target: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_what_is_there_is_fetched(fetch: Fetch) -> None:
    assert await fetch(OK + b"Content-Length: 3\r\n\r\n", b"abc") == b"abc"


@pytest.mark.parametrize("status", [204, 206, 401, 404, 500])
async def test_another_status_is_no_file(fetch: Fetch, status: int) -> None:
    with pytest.raises(FetchFailed, match=f"status {status}"):
        await fetch(f"HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n".encode())


async def test_a_declared_length_is_enough_to_give_up(fetch: Fetch) -> None:
    with pytest.raises(FetchTooLarge):
        await fetch(OK + b"Content-Length: 1001\r\n\r\n", pause_s=PATIENCE_S)


async def test_a_body_without_end_is_cut_off(fetch: Fetch) -> None:
    with pytest.raises(FetchTooLarge):
        await fetch(OK + b"\r\n", endless=True)


async def test_a_slow_body_is_given_up_as_a_whole(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match=r"within 0\.2 seconds"):
        await fetch(OK + b"\r\n", *(9 * [b"x"]), pause_s=0.05, deadline_s=0.2)


async def test_a_compressed_body_is_not_taken(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="compressed"):
        await fetch(OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx")


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/", "https://10.0.0.1/", "https://[::1]/", "file:///etc/passwd",
     "https://169.254.169.254/", "https://a@127.0.0.1:{port}/"],
)  # fmt: skip
async def test_a_redirect_is_checked_like_the_first_url(fetch: Fetch, target: str) -> None:
    with pytest.raises(FetchFailed, match="redirect, whose target") as failed:
        await fetch(redirect(target))
    assert "secret" not in str(failed.value)


async def test_redirects_come_to_an_end(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        await fetch(redirect("https://127.0.0.1:{port}/again"))


async def test_an_address_that_is_not_allowed_is_not_connected_to(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="TargetRefused"):
        await fetch(OK, allowed=Rules())


@pytest.mark.parametrize("head", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_half_a_body_is_no_file(head: bytes, fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="could not be fetched"):
        await fetch(OK + head + b"\r\n", b"3\r\nabc\r\n")


@pytest.mark.parametrize("answer", [b"", b"\x00\x01", b"HTTP/1.1 200 OK\r\nX: " + 99_999 * b"x"])
async def test_what_is_no_http_is_no_file(answer: bytes, fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="could not be fetched") as failed:
        await fetch(answer)
    assert "secret" not in str(failed.value)


async def test_a_server_that_says_nothing_is_given_up(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match=r"within 0\.2 seconds"):
        await fetch(b"", pause_s=PATIENCE_S, deadline_s=0.2)


async def test_a_redirect_without_a_target_comes_to_an_end(fetch: Fetch) -> None:
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        await fetch(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::", "100.64.0.1"],
)  # fmt: skip
async def test_an_allowed_name_with_a_private_address_is_not_connected_to(
    address: str, fetch: Fetch
) -> None:
    named = rules(("pictures.example",), allow_http=False)

    with pytest.raises(FetchFailed, match="TargetRefused"):
        await fetch(OK, allowed=named, host="pictures.example", lookups=Names([address]))


async def test_a_name_that_changes_its_address_between_redirects_gains_nothing(
    fetch: Fetch,
) -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    onward = redirect("https://pictures.example:{port}/again")

    with pytest.raises(FetchFailed, match="TargetRefused"):
        await fetch(onward, host="pictures.example", lookups=names)

    assert names.asked == ["pictures.example"] * 2
