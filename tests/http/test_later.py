"""Operators' routes: put together once, when somebody first asks, while others are answered."""

import asyncio
import threading
from typing import Any

import pytest
from patience import PATIENCE_S

from falgate.http.later import Later

Seen = list[tuple[str, str]]


def app_called(name: str, seen: Seen) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        seen.append((name, scope["path"]))

    return app


async def asked(app: Any, path: str) -> None:
    async def nothing(*_: Any) -> Any: ...

    await app({"type": "http", "path": path}, nothing, nothing)


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/admin/v1/teams", "operators"),
        ("/docs", "operators"),
        ("/docs/openapi.json", "operators"),
        ("/", "apps"),
        ("/fal-ai/admin/docs", "apps"),
        ("/administration", "apps"),
        ("/readyz", "apps"),
        ("/metrics", "apps"),
    ],
)
async def test_a_path_is_served_by_its_first_segment(path: str, by: str) -> None:
    seen: Seen = []
    app = Later(
        app_called("apps", seen),
        {each: lambda: app_called("operators", seen) for each in ("admin", "docs")},
    )

    await asked(app, path)

    assert seen == [(by, path)]


async def test_they_are_put_together_once_and_apps_are_answered_meanwhile() -> None:
    seen: Seen = []
    built = 0
    begun, may_end = threading.Event(), threading.Event()

    def build() -> Any:
        nonlocal built
        built += 1
        begun.set()
        assert may_end.wait(PATIENCE_S)
        return app_called("operators", seen)

    app = Later(app_called("apps", seen), {"admin": build})
    operators = [asyncio.create_task(asked(app, "/admin/v1/teams")) for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        while not begun.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.001)
    await asked(app, "/healthz")
    assert seen == [("apps", "/healthz")]
    may_end.set()
    await asyncio.gather(*operators)

    assert built == 1
    assert seen[1:] == [("operators", "/admin/v1/teams")] * 3
