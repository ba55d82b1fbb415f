"""`falgate serve`: production, everything from the environment."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import click
import msgspec
import structlog
import uvloop

from falgate import asgi, settings
from falgate.settings import PREFIX, Settings
from falgate.telemetry import logs
from falgate.wiring import Gateway, open_gateway

_LOG = structlog.get_logger()


class _Loop(uvloop.Loop):
    """uvloop's, but a TLS handshake has only as long as the head of a request.

    uvicorn has no setting for it, and the default is a minute.
    """

    def __init__(self, handshake_s: float) -> None:
        super().__init__()
        self._handshake_s = handshake_s

    async def create_server(  # type: ignore[override]  # one signature for both overloads
        self, *args: Any, **named: Any
    ) -> asyncio.AbstractServer:
        """Listen."""
        if named.get("ssl") is not None:
            named["ssl_handshake_timeout"] = self._handshake_s
        return await super().create_server(*args, **named)


def settings_help() -> str:
    """Every setting, for people."""
    described = msgspec.json.schema(Settings)["$defs"]["Settings"]["properties"]
    lines = []
    for name, field in described.items():
        default = "" if field["default"] == "" else f" [{field['default']}]"
        lines.append(f"  {PREFIX}{name.upper()}{default}: {field['description']}")
    return "\n".join(lines)


def start(chosen: Settings, announce: Callable[[Gateway], Awaitable[Callable[[], None]]]) -> None:
    """Open everything and serve until a signal says stop.

    Args:
        chosen: The settings.
        announce: Given the gateway, prepares what to do once requests are taken.
    """
    logs.configure(chosen.log_level, people=sys.stderr.isatty())
    if links := settings.service_links(os.environ):
        _LOG.info("settings.service_links", ignored=links)
    for each in settings.exposed(chosen):
        _LOG.warning("file.exposed", path=each.path, mode=each.mode, remedy=each.remedy)

    async def serve_gateway() -> None:
        sockets = asgi.bind(chosen)
        async with open_gateway(chosen) as gateway:
            await asgi.serve(chosen, gateway, sockets, await announce(gateway))

    with asyncio.Runner(loop_factory=lambda: _Loop(chosen.header_timeout_s)) as runner:
        runner.run(serve_gateway())


@click.command(epilog="\b\nSettings, all from the environment:\n" + settings_help())
def serve() -> None:
    """Serve, with all settings from the environment."""

    async def announce(_: Gateway) -> Callable[[], None]:
        operators = f", operators http://{chosen.ops_listen}" if chosen.ops_listen else ""
        return lambda: click.echo(f"falgate serves http://{chosen.listen}{operators}", err=True)

    chosen = settings.read(os.environ)
    start(chosen, announce)
