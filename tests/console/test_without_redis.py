"""What the console says while Redis is not there, to whom, and that it comes back."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
from visiting import sign_in, visit

from falgate.console.entrance import COOKIE

TITLE = "Something that falgate needs is not there"


def test_only_who_was_signed_in_is_told_what_is_missing(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    with (
        serve(tmp_path, redis_timeout_s="1") as gateway,
        visit(gateway) as admin,
        visit(gateway) as stranger,
    ):
        sign_in(admin, gateway.admin_key)
        assert admin.get("/teams").status_code == 200
        process_id = asyncio.run(redis_of(gateway))
        os.kill(process_id, signal.SIGSTOP)
        try:
            told = admin.get("/teams")
            form = admin.post("/teams/new", data={"csrf": "x"})
            forged = stranger.get("/teams", headers={"Cookie": f"{COOKIE}={'0' * 64}.{'0' * 64}"})
            strange = stranger.post("/sign-in/link/x")
        finally:
            os.kill(process_id, signal.SIGCONT)

        for answer in (told, form, strange):
            check(answer)
        assert "redis: " in told.text
        assert "redis" not in strange.text.lower()
        assert forged.is_redirect
        assert admin.get("/teams").status_code == 200


async def redis_of(gateway: Any) -> int:
    """The process of a gateway's Redis."""
    async with gateway.redis() as redis:
        process_id: int = (await redis.info("server"))["process_id"]
        return process_id


def check(answer: httpx.Response) -> None:
    """Whether it is a page of the console about what is missing."""
    assert (answer.status_code, TITLE in answer.text) == (503, True), answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert int(answer.headers["retry-after"]) > 0
