"""`falgate sandbox`: the stand-in for fal, by itself."""

from pathlib import Path

import click
import uvicorn

from falgate.models import MODELS
from falgate.sandbox.app import create_sandbox


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
    app = create_sandbox(MODELS, directory=data)
    origin = f"http://{host}:{port}"
    queue = f"{origin}/queue"
    click.echo(
        f"The sandbox serves {queue} and {origin}/run\n"
        f"A falgate that buys there: FALGATE_UPSTREAM_URL={queue} FAL_KEY=id:secret\n"
        f"and reads its books: FALGATE_PLATFORM_URL={origin}/v1 FALGATE_FAL_ADMIN_KEY=id:secret\n"
        f"and is told of ends: FALGATE_UPSTREAM_JWKS_URL={origin}/.well-known/jwks.json"
    )
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
