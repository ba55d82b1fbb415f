"""`falgate sandbox`: the stand-in for fal, by itself."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import click
import uvloop
from litestar import Litestar

from falgate.cli.local import settings_here
from falgate.http.server import Connections, Limits, Listener
from falgate.sandbox.app import create_sandbox
from falgate.served_models import served_models
from falgate.stopping import Stop

_BACKLOG = 2_048
_DRAIN_S, _LAST_S = 2.0, 1.0


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=9090, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep requests in this directory, for later processes; else in memory.",
)
def sandbox(*, host: str, port: int, data: Path | None) -> None:
    """Serve a stand-in for fal: its queue and its synchronous API, with placeholder pictures.

    Any key of the form id:secret will do. The queue answers at the root for hosts that begin with
    queue., and under /queue.
    """
    try:
        listening = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(
            f"{host}:{port} cannot be listened on ({reason}): stop what uses it, or give --port"
        ) from None
    origin = f"http://{host}:{port}"
    queue = f"{origin}/queue"
    told = (
        f"The sandbox serves {queue} and {origin}/run\n"
        f"A falgate that buys there: FALGATE_UPSTREAM_URL={queue} FAL_KEY=id:secret\n"
        f"and reads its books: FALGATE_PLATFORM_URL={origin}/v1 FALGATE_FAL_ADMIN_KEY=id:secret\n"
        f"and is told of ends: FALGATE_UPSTREAM_JWKS_URL={origin}/.well-known/jwks.json"
    )
    app = create_sandbox(served_models(settings_here("models_dir")), directory=data)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, listening, lambda: click.echo(told)))


async def _serve(app: Litestar, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until a signal says stop; what is under way has a moment to end."""
    stop = Stop()
    async with app.lifespan():
        connections = Connections(app, Limits())
        listener = Listener(connections, listening)
        ready()
        await stop.asked.wait()
        listener.close()
        drained = asyncio.create_task(connections.drain())
        await stop.wait(_DRAIN_S, drained)
        drained.cancel()
        await connections.abort(_LAST_S)
        connections.close()
