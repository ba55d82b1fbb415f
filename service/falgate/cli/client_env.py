"""`falgate client-env`: what to set so that fal's clients call falgate."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import click

from falgate import private, settings
from falgate.accounts import apikey
from falgate.cli import localtls
from falgate.cli.local import settings_here
from falgate.http.client_setup import (
    PLACEHOLDER,
    Reached,
    curl,
    exports,
    javascript,
    node_export,
    python,
)
from falgate.settings import Settings

TLS_LISTEN = "localhost:8443"
"""Where `falgate run` speaks https."""

_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/[\w.~-]+)*/?", re.ASCII)


def _shell(to: Reached) -> str:
    return "\n".join(filter(None, (exports(to), node_export(to))))


def _everything(to: Reached) -> str:
    return "\n\n".join((f"# curl\n{curl(to)}", python(to), javascript(to)))


def reached(chosen: Settings, url: str, key: str) -> Reached:
    """How a gateway with these settings is reached, at `url` if that is not ""."""
    folder = Path(chosen.data_dir).absolute() / "tls"
    bundle, ca = folder / "bundle.pem", folder / "ca.pem"
    local = bundle.exists() and not chosen.tls_cert
    given = (url or chosen.public_url).rstrip("/")
    tls = given.removeprefix("https://") if given.startswith("https://") else ""
    if not given:
        # As in `falgate run`: empty means no https. The certificate is not this command's matter.
        listens = settings.environment(os.environ).get(
            "FALGATE_TLS_LISTEN", TLS_LISTEN if local else ""
        )
        tls = settings.address(listens, "TLS_LISTEN").reachable if listens else ""
        given = f"http://{settings.address(chosen.listen, 'LISTEN').reachable}"
    local = local and urlsplit(f"//{tls}").hostname in localtls.NAMES
    return Reached(
        url=given,
        tls=tls,
        key=key,
        ca=ca if local else None,
        bundle=bundle if local else None,
    )


def _a_url(_: click.Context, __: click.Parameter, value: str) -> str:
    if value and not _URL.fullmatch(value):
        raise click.BadParameter("it is none that begins with http:// or https://")
    return value


def _a_key(_: click.Context, __: click.Parameter, value: str) -> str:
    presented = apikey.present(value)
    if value and (presented is None or presented.kind not in {"live", "test"}):
        raise click.BadParameter("it is not an app's falgate key, fg_live_... or fg_test_...")
    return value


@click.command("client-env")
@click.option("--python", "show", flag_value=python, type=click.UNPROCESSED, help="fal_client.")
@click.option("--js", "show", flag_value=javascript, type=click.UNPROCESSED, help="@fal-ai/client.")
@click.option("--curl", "show", flag_value=curl, type=click.UNPROCESSED, help="curl.")
@click.option(
    "--shell", "show", flag_value=_shell, type=click.UNPROCESSED, help="Only lines for `eval`."
)
@click.option("--url", default="", callback=_a_url, help="How apps reach falgate.")
@click.option(
    "--key",
    default="",
    callback=_a_key,
    help="The app's key.  [default with --shell: that of `falgate run` here]",
)
def client_env(*, show: Callable[[Reached], str] | None, url: str, key: str) -> None:
    """Print what to set so that fal's clients call falgate.

    The URL is FALGATE_PUBLIC_URL's or that of the listeners, as the gateway's settings have it.
    """
    chosen = settings_here("data_dir", "listen", "public_url", "tls_cert")
    if show is _shell and not key:
        # A placeholder would be exported, and the next `make run` would take it for fal's key.
        key = "" if url else private.read(Path(chosen.data_dir) / "app-key")
        if not key:
            raise click.UsageError("There is no app key here to export; give --key")
    click.echo((show or _everything)(reached(chosen, url, key or PLACEHOLDER)))
