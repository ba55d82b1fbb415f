"""Clients that are slow, endless or half gone: cut in time, while others are served as ever."""

import asyncio
import time
from contextlib import suppress
from typing import Any, NamedTuple

LIMIT_S, WATCHED_S, IDLE_S, LINGER_S = 1, 60.0, 4, 2
# What a deadline and the last answer to who still sends take together, on an idle machine.
CUT_S = LIMIT_S + LINGER_S + 2.0
OVER = 2 * 1024 * 1024


class Heard(NamedTuple):
    """What a server said over a connection, and when it ended it.

    Attributes:
        data: All that came.
        closed_s: Time after the start; None where the connection stands.
    """

    data: bytes
    closed_s: float | None


async def talk(
    port: int, opening: bytes, *, drip: bytes = b"", every_s: float = 0.2, leave: bool = False
) -> Heard:
    """Say something, then a little more again and again, until the server has had enough.

    Args:
        port: Of the server.
        opening: What is said at once.
        drip: What is said again and again.
        every_s: How often.
        leave: Say no more, and still listen.
    """
    began_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = bytearray()

    async def listen() -> float:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                heard.extend(data)
        return time.monotonic() - began_s

    listening = asyncio.create_task(listen())
    with suppress(ConnectionError):
        writer.write(opening)
        if leave:
            writer.write_eof()
        while drip and not listening.done() and time.monotonic() - began_s < WATCHED_S:
            writer.write(drip)
            await writer.drain()
            await asyncio.sleep(every_s)
    left_s = WATCHED_S - (time.monotonic() - began_s)
    await asyncio.wait([listening], timeout=max(0.0, left_s))
    closed_s = listening.result() if listening.done() else None
    listening.cancel()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return Heard(bytes(heard), closed_s)


def slack(took_s: list[float]) -> float:
    """How much later all may be on a machine that takes so long for a hit, or for a look."""
    return 20 * max(took_s)


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /fal-ai/gpt-image-1.5 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LONG, TOO_LONG = b"Content-Length: 1000\r\n\r\n", b"Content-Length: %d\r\n\r\n" % OVER
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"40000\r\n" + bytes(0x40000) + b"\r\n"

HEADS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "half_a_line": (b"GET /healthz HT", b""),
    "a_byte_at_a_time": (b"GET /", b"x"),
    "a_line_at_a_time": (GET, b"a: b\r\n"),
    "second_request": (GET + b"\r\n" + GET, b"a: b\r\n"),
    "empty_lines": (GET + b"\r\n", b"\r\n"),
    "endless_line": (b"GET /", bytes(0x10000).replace(b"\0", b"x")),
}
BODIES: dict[str, tuple[bytes, bytes, bytes]] = {
    "silent": (LONG, b"", b"400"),
    "a_byte_at_a_time": (LONG, b"x", b"400"),
    "a_chunk_at_a_time": (CHUNKED, b"1\r\nx\r\n", b"400"),
    "too_long": (TOO_LONG, b"", b"413"),
    "too_long_and_slow": (TOO_LONG, b"x", b"413"),
    "too_long_in_chunks": (CHUNKED, CHUNK, b"413"),
}
UNREAD: dict[str, tuple[bytes, bytes, bytes]] = {
    "without_a_key": (POST + LONG, b"x", b"401"),
    "without_a_key_in_chunks": (POST + CHUNKED, CHUNK, b"401"),
    "where_none_is_wanted": (GET + LONG, b"x", b"200"),
    "where_nothing_is": (b"DELETE /nothing HTTP/1.1\r\nHost: x\r\n" + LONG, b"x", b"404"),
}


async def test_slow_clients_are_cut_while_others_are_served(site: Any) -> None:
    gateway = await site.start(header_timeout_s=LIMIT_S, body_timeout_s=LIMIT_S)
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "miss"
    signed = POST + b"Authorization: Key " + (await site.key()).encode() + b"\r\n"
    says = {f"head {name}": case for name, case in HEADS.items()}
    says |= {f"body {name}": (signed + head, drip) for name, (head, drip, _) in BODIES.items()}
    says |= {f"unread {name}": (head, drip) for name, (head, drip, _) in UNREAD.items()}

    async def serve_others() -> list[float]:
        took_s = []
        for _ in range(20):
            began_s = time.monotonic()
            assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"
            took_s.append(time.monotonic() - began_s)
            await asyncio.sleep(0.05)
        return took_s

    cut_s = CUT_S + slack(await serve_others())
    others = asyncio.create_task(serve_others())
    heard = await asyncio.gather(
        *(talk(gateway.port, opening, drip=drip) for opening, drip in says.values())
    )

    stood = {
        name: each.closed_s
        for name, each in zip(says, heard, strict=True)
        if each.closed_s is None or each.closed_s > cut_s
    }
    assert stood == {}
    statuses = dict(zip(says, (each.data[9:12] for each in heard), strict=True))
    assert statuses["head endless_line"] == b"414"
    expected = {f"body {name}": status for name, (_, _, status) in BODIES.items()}
    expected |= {f"unread {name}": status for name, (_, _, status) in UNREAD.items()}
    assert {name: statuses[name] for name in expected} == expected
    assert max(await others) < cut_s


async def test_requests_that_come_together_are_answered_in_turn_and_idleness_ends(
    site: Any,
) -> None:
    gateway = await site.start(header_timeout_s=LIMIT_S, idle_timeout_s=IDLE_S)

    looks = [await talk(gateway.port, GET + b"Connection: close\r\n\r\n") for _ in range(20)]
    late_s = slack([look.closed_s or WATCHED_S for look in looks])
    together, idle, half_closed = await asyncio.gather(
        talk(gateway.port, (GET + b"\r\n") * 3 + GET + b"Connection: close\r\n\r\n"),
        talk(gateway.port, GET + b"\r\n"),
        talk(gateway.port, GET + b"\r\n", leave=True),
    )

    for heard, times, within_s in (
        (together, 4, CUT_S),
        (idle, 1, IDLE_S + CUT_S),
        (half_closed, 1, CUT_S),
    ):
        assert heard.data.count(b"HTTP/1.1 200 OK\r\n") == times
        assert heard.closed_s is not None
        assert heard.closed_s < within_s + late_s
