"""What comes of every kind of bytes: whole, in pieces, over TLS, and one case behind another."""

import asyncio
import random
import ssl
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

SPLIT_BYTES_MAX = 260
LINGER_S = 30.0
"""Who is slow to send the rest still hears its answer, and leaves as soon as it did."""

AT_ONCE = 50
SEQUENCES, CASES_IN_ONE = 200, 5


@pytest.fixture(name="serve")
def serve_with_shortcut(serve: Any, shortcut: Any) -> Any:
    """The server of the gateway: some requests never reach the application."""
    return partial(serve, shortcut=shortcut)


async def test_bytes_that_come_in_one_piece_are_answered_right(
    case: Any, serve: Any, judged: Any
) -> None:
    async with serve() as server, serve(shortcut=None) as without:
        assert judged(case, await server.hear(case.sent, last=not case.closed)) == ""
        assert judged(case, await server.hear(case.sent, last=not case.closed)) == ""
        assert judged(case, await without.hear(case.sent, last=not case.closed)) == ""


async def test_bytes_that_are_cut_in_two_anywhere_are_answered_the_same(
    serve: Any, cases: Iterable[Any], judged: Any
) -> None:
    places = [
        (case, at)
        for case in cases
        if len(case.sent) < SPLIT_BYTES_MAX
        for at in range(1, len(case.sent))
    ]
    room = asyncio.Semaphore(AT_ONCE)
    async with serve(linger_s=LINGER_S) as server:

        async def sent(case: Any, at: int) -> None:
            async with room:
                heard = await server.hear(case.sent[:at], case.sent[at:], last=not case.closed)
            assert judged(case, heard) == ""

        async with asyncio.TaskGroup() as tasks:
            for case, at in places:
                tasks.create_task(sent(case, at))

    assert len(places) > 5_000


async def test_bytes_that_come_one_by_one_are_answered_the_same(
    serve: Any, cases: Iterable[Any], judged: Any
) -> None:
    short = [case for case in cases if len(case.sent) < SPLIT_BYTES_MAX]
    async with serve(linger_s=LINGER_S) as server, asyncio.TaskGroup() as tasks:

        async def sent(case: Any) -> None:
            parts = [case.sent[at : at + 1] for at in range(len(case.sent))]
            heard = await server.hear(*parts, last=not case.closed)
            assert judged(case, heard) == ""

        for case in short:
            tasks.create_task(sent(case))

    assert len(short) > 80


async def test_bytes_over_tls_are_answered_the_same(
    serve: Any,
    cases: Iterable[Any],
    judged: Any,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    shown, trusted = tls
    room = asyncio.Semaphore(AT_ONCE)
    async with serve(tls=shown, linger_s=0.5) as server, asyncio.TaskGroup() as tasks:

        async def sent(case: Any) -> None:
            async with room:
                heard = await server.hear(case.sent, last=not case.closed, tls=trusted)
            assert judged(case, heard) == ""

        for case in cases:
            tasks.create_task(sent(case))


@pytest.mark.parametrize("seed", range(4))
async def test_cases_behind_one_another_and_cut_anywhere_are_answered_in_order(
    seed: int, serve: Any, cases: list[Any], judged: Any
) -> None:
    """The last one may end the connection; an answer is nobody else's."""
    chance = random.Random(seed)
    keeping = [case for case in cases if not case.closed]
    room = asyncio.Semaphore(AT_ONCE)
    async with serve(linger_s=LINGER_S) as server, asyncio.TaskGroup() as tasks:

        async def sent() -> None:
            chosen = [*chance.choices(keeping, k=CASES_IN_ONE - 1), chance.choice(cases)]
            whole = b"".join(case.sent for case in chosen)
            cuts = sorted(chance.choices(range(len(whole)), k=chance.randrange(1, 8)))
            bounds = zip([0, *cuts], [*cuts, len(whole)], strict=True)
            parts = [whole[start:end] for start, end in bounds]
            async with room:
                heard = await server.hear(*parts, last=not chosen[-1].closed)
            joined = chosen[-1]._replace(
                name=" + ".join(case.name for case in chosen),
                statuses=[status for case in chosen for status in case.statuses],
            )
            assert judged(joined, heard) == ""

        for _ in range(SEQUENCES // 4):
            tasks.create_task(sent())
