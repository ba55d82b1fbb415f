"""`falgate health`: whether the gateway of these settings is alive, for whoever supervises it."""

import click
import httpx

from falgate import settings
from falgate.cli.local import settings_here
from falgate.core.problems import Conflict

_WITHIN_S = 5.0
_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared


@click.command()
def health() -> None:
    """See whether the gateway of these settings is alive: says so, or fails.

    It asks where FALGATE_LISTEN says, from this machine. `/readyz` says whether it can serve.
    """
    listen = settings.address(settings_here("listen").listen, "LISTEN")
    # By number: a container may know no names.
    at = settings.Address(_OF_ALL.get(listen.host, listen.host), listen.port).reachable
    url = f"http://{at}/healthz"
    try:
        answer = httpx.get(url, timeout=_WITHIN_S, trust_env=False)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Conflict(f"{url} does not answer ({type(error).__name__}): is it running?") from None
    click.echo("alive")
