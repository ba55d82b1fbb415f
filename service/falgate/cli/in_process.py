"""The admin API in this process, on the Redis of these settings, for commands without a gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from falgate import settings
from falgate.admin.api.problems import PREFIX
from falgate.admin_app import open_admin_app
from falgate.cli.keys import mint
from falgate.cli.local import OF_PICTURES, opened, settings_here


@asynccontextmanager
async def in_process(
    *, headers: dict[str, str], pictures: bool
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the admin routes; no gateway runs for it, nothing listens and nothing is bought.

    Args:
        headers: Of each request.
        pictures: Whether the routes about pictures are wanted, which open the picture store.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is no such Redis.
    """
    key = mint("admin")
    async with opened("models_dir", *(OF_PICTURES if pictures else ())) as (found, redis):
        app_of = await open_admin_app(found, redis, admin_key=key, pictures=pictures)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            resource, *_ = scope["path"].removeprefix(f"{PREFIX}/").split("/")
            await app_of(resource, scope["method"])(scope, receive, send)

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://falgate",
            headers={"Authorization": f"Key {key}", **headers},
        ) as client:
            yield client


def listening() -> str:
    """Where the gateway of these settings is asked by its operators.

    Raises:
        SettingsWrong: The settings are wrong.
    """
    found = settings_here("listen", "ops_listen")
    at = settings.address(found.ops_listen or found.listen, "LISTEN")
    return f"http://{at.reachable}"
