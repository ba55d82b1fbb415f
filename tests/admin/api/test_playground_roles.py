"""Leads buy with the keys of their team only, viewers not at all; a request's steps are told."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.types import Receive, Send

from falgate import settings
from falgate.accounts import apikey
from falgate.accounts.operator import SCOPE, Operator
from falgate.app import open_gateway

ADMIN = Operator(who="admin", role="admin")
LEAD = Operator(who="lead:ann", role="lead", team="web")
OTHER = Operator(who="lead:eve", role="lead", team="art")
VIEWER = Operator(who="viewer:bob", role="viewer")
As = Callable[[Operator], httpx.AsyncClient]
ORDER = ("waiting", "sending", "queued", "making", "storing", "done")


@pytest.fixture
async def signed_in(tmp_path: Path) -> AsyncIterator[As]:
    """Clients of a gateway in this process, whose sandbox takes its time."""
    admin_key = apikey.mint("admin", os.urandom(apikey.ID_BYTES), os.urandom(apikey.SECRET_BYTES))
    environment = {
        "FALGATE_DATA_DIR": str(tmp_path),
        "FALGATE_UPSTREAM_URL": "sandbox",
        "FALGATE_ADMIN_KEY": admin_key,
        "FALGATE_SANDBOX_WORK_S": "0.3",
    }
    async with open_gateway(settings.read(environment)) as gateway:

        def client(operator: Operator) -> httpx.AsyncClient:
            async def serve(scope: Any, receive: Receive, send: Send) -> None:
                scope[SCOPE] = operator
                await gateway.app(scope, receive, send)

            return httpx.AsyncClient(
                transport=httpx.ASGITransport(serve),  # type: ignore[arg-type]  # its own types
                base_url="http://127.0.0.1/admin/v1",
            )

        yield client


async def test_leads_play_with_their_teams_keys_and_viewers_do_not(signed_in: As) -> None:
    asked = {"app": "web/shop", "request": {"prompt": "a lighthouse", "quality": "low"}}
    async with (
        signed_in(ADMIN) as admin,
        signed_in(LEAD) as lead,
        signed_in(OTHER) as other,
        signed_in(VIEWER) as viewer,
    ):
        made = await admin.post(
            "/setup", json={"team": "web", "app": "shop", "key": {"name": "first"}}
        )
        by_key = asked | {"app": "", "key": made.json()["record"]["id"]}
        for nobody in (other, viewer):
            for body in (asked, by_key):
                for path in ("/playground", "/playground/quote"):
                    assert (await nobody.post(path, json=body)).status_code == 403

        assert (await lead.post("/playground/quote", json=by_key)).status_code == 200
        taken = await lead.post("/playground", json=asked)
        assert taken.status_code == 202, taken.text
        path = f"/playground/{taken.json()['request_id']}"
        for nobody in (other, viewer):
            assert (await nobody.get(path)).status_code == 403
        steps: list[str] = []
        while not steps or steps[-1] != "done":
            found = (await lead.get(path)).json()
            steps.append(found["step"])
            assert found["ended"] == (found["step"] == "done")
            assert bool(found["pictures"]) == found["ended"]
            await asyncio.sleep(0.02)
        audit = (await admin.get("/audit")).json()["items"]

    assert len(set(steps)) > 1
    assert steps == sorted(steps, key=ORDER.index)
    assert [each["who"] for each in audit if each["action"] == "playground"] == ["lead:ann"]
