"""`falgate serve`: production, everything from the environment."""

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import click
import msgspec
import structlog
import uvloop

from falgate import listeners, settings
from falgate.app import Gateway, open_gateway
from falgate.listeners import Sockets
from falgate.settings import PREFIX, Settings
from falgate.stopping import RelayedStop, Stop
from falgate.telemetry import logs
from falgate.telemetry.siblings import Siblings
from falgate.workers import Worker, Workers

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


Announce = Callable[[Gateway], Awaitable[str]]
"""Given a gateway that is open, returns what to say once requests are taken."""


def start(chosen: Settings, announce: Announce, *, err: bool = False) -> None:
    """Open everything and serve until a signal says stop.

    Args:
        chosen: The settings.
        announce: Says what to print once requests are taken.
        err: Whether to print that to standard error.
    """
    logs.configure(chosen.log_level, people=sys.stderr.isatty(), shared=chosen.workers > 1)
    if links := settings.service_links(os.environ):
        _LOG.info("settings.service_links", ignored=links)
    for each in settings.exposed(chosen):
        _LOG.warning("file.exposed", path=each.path, mode=each.mode, remedy=each.remedy)

    def say(text: str) -> None:
        click.echo(text, err=err)

    if chosen.workers == 1:
        _run(_serve_alone(chosen, announce, say))
        return
    sockets = listeners.bind(chosen)
    worker = Workers([each.all for each in sockets], say).run()
    if worker is not None:
        _run(_serve_as(worker, chosen, announce, sockets[worker.number]))


def _run(serving: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


async def _serve_alone(chosen: Settings, announce: Announce, say: Callable[[str], None]) -> None:
    await _serve(chosen, Stop(), announce, say)


async def _serve_as(worker: Worker, chosen: Settings, announce: Announce, sockets: Sockets) -> None:
    stop = RelayedStop(worker.parent, worker.here, joins=worker.joins)
    siblings = Siblings(worker.folder, worker.number, worker.workers)
    # The first one speaks for all.
    announce = announce if worker.number == 0 else _silent
    await _serve(chosen, stop, announce, worker.ready, sockets=sockets, siblings=siblings)
    if stop.orphaned:
        shutil.rmtree(worker.folder, ignore_errors=True)


async def _serve(
    chosen: Settings,
    stop: Stop,
    announce: Announce,
    say: Callable[[str], None],
    *,
    sockets: Sockets | None = None,
    siblings: Siblings | None = None,
) -> None:
    try:
        async with AsyncExitStack() as stack:
            async with stop.ends_start():
                sockets = sockets or listeners.bind(chosen)[0]
                gateway = await stack.enter_async_context(open_gateway(chosen, siblings))
                text = await announce(gateway)
            # The cancellation that a stop is at a start may have been lost on its way.
            if not stop.at_once:
                _settle()
                await listeners.serve(chosen, gateway, sockets, stop, lambda: say(text))
    except asyncio.CancelledError:
        if not stop.asked.is_set():
            raise


async def _silent(_: Gateway) -> str:
    return ""


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

    async def announce(_: Gateway) -> str:
        operators = f", operators http://{chosen.ops_listen}" if chosen.ops_listen else ""
        return f"falgate serves http://{chosen.listen}{operators}"

    chosen = settings.read(settings.environment(os.environ))
    start(chosen, announce, err=True)
