"""`falgate serve`: production, everything from the environment."""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import click
import msgspec
import structlog
import uvloop

from falgate import listeners, settings
from falgate.app import Gateway, open_gateway
from falgate.settings import PREFIX, Settings
from falgate.stopping import Stop
from falgate.telemetry import logs

_LOG = structlog.get_logger()
_YOUNG_MAX = 10_000
"""Objects that are made before the collector looks at them; Python's own is 700."""


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
        stop = Stop()
        try:
            async with AsyncExitStack() as stack:
                async with stop.ends_start():
                    sockets = listeners.bind(chosen)
                    gateway = await stack.enter_async_context(open_gateway(chosen))
                    ready = await announce(gateway)
                # The cancellation that a stop is at a start may have been lost on its way.
                if not stop.asked.is_set():
                    _settle()
                    await listeners.serve(chosen, gateway, sockets, stop, ready)
        except asyncio.CancelledError:
            if not stop.asked.is_set():
                raise

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_gateway())


def _settle() -> None:
    """Let the garbage collector leave alone what stays for ever, and look less often.

    A full collection walks over all objects, which delays every request that comes meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, *gc.get_threshold()[1:])


@click.command(epilog="\b\nSettings, as variables or in the settings file:\n" + settings_help())
def serve() -> None:
    """Serve, with settings from the environment and the file FALGATE_SETTINGS_FILE."""

    async def announce(_: Gateway) -> Callable[[], None]:
        operators = f", operators http://{chosen.ops_listen}" if chosen.ops_listen else ""
        return lambda: click.echo(f"falgate serves http://{chosen.listen}{operators}", err=True)

    chosen = settings.read(settings.environment(os.environ))
    start(chosen, announce)
