"""What the admin API answers is passed on part by part, and a refusal is raised instead."""

import asyncio
from typing import Any, NamedTuple

import pytest

from falgate.console.api import Refused
from falgate.console.passing import PassedOn

SCOPE: Any = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
    "server": None, "client": None, "headers": [(b"cookie", b"secret")], "query_string": b"own=1",
}  # fmt: skip


class Asked(NamedTuple):
    """An API that answers so."""

    app: Any


def part(text: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text, "more_body": more}


async def test_a_part_is_passed_on_before_the_next_one_is_there() -> None:
    passed, asked = asyncio.Queue[Any](), list[Any]()
    goes_on = asyncio.Event()

    async def app(scope: Any, _: Any, send: Any) -> None:
        asked.append(scope)
        headers = [(b"content-type", b"text/csv"), (b"set-cookie", b"x")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(part(b"one", more=True))
        await goes_on.wait()
        await send(part(b"two", more=False))

    answer = PassedOn(Asked(app), "ledger.csv", "team=web")
    answer.headers["Cache-Control"] = "no-store"
    task = asyncio.create_task(answer(SCOPE, None, passed.put))  # type: ignore[arg-type]  # unused

    start = await passed.get()
    assert start["headers"] == [(b"content-type", b"text/csv"), (b"cache-control", b"no-store")]
    assert (await passed.get())["body"] == b"one"
    assert not task.done()
    goes_on.set()
    assert (await passed.get())["body"] == b"two"
    await task
    [scope] = asked
    assert (scope["path"], scope["query_string"]) == ("/admin/v1/ledger.csv", b"team=web")
    assert scope["headers"] == [(b"host", b"falgate")]


async def test_a_refusal_is_raised_and_nothing_is_answered() -> None:
    passed = list[Any]()

    async def app(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 409, "headers": []})
        await send(part(b'{"detail": "The ledger', more=True))
        await send(part(b' is damaged"}', more=False))

    async def send(message: Any) -> None:
        passed.append(message)

    with pytest.raises(Refused, match="The ledger is damaged") as raised:
        await PassedOn(Asked(app), "ledger.csv", "")(SCOPE, None, send)  # type: ignore[arg-type]  # unused

    assert (raised.value.status, passed) == (409, [])
