"""`falgate client-env`: what to set so that fal's clients call falgate."""

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from falgate import settings
from falgate.accounts import apikey
from falgate.cli import localtls, private
from falgate.cli.local import settings_here
from falgate.settings import Settings

TLS_LISTEN = "localhost:8443"
"""Where `falgate run` speaks https."""

PLACEHOLDER = "fg_live_..."
_MODEL = "openai/gpt-image-2"
_BODY = '{"prompt": "a lighthouse at dawn", "quality": "low"}'
_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/[\w.~-]+)*/?", re.ASCII)


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How an app reaches falgate.

    Attributes:
        url: What its calls begin with.
        tls: The same for clients that speak only https, without the scheme; "" where there is none.
        key: The app's key.
        ca: The local authority's file, where its certificate is what falgate shows.
        bundle: That and the public authorities in one file.
    """

    url: str
    tls: str
    key: str = PLACEHOLDER
    ca: Path | None = None
    bundle: Path | None = None


def curl(to: Reached) -> str:
    """A line for a shell."""
    return (
        f"curl {shlex.quote(to.url)}/{_MODEL} -H 'Authorization: Key {to.key}' "
        f"-H 'Content-Type: application/json' -d {shlex.quote(_BODY)}"
    )


def exports(to: Reached) -> str:
    """What Python's client takes from its environment, and `requests`, which fetches pictures."""
    lines = [f"export FAL_KEY={to.key}"]
    if to.tls:
        tls = shlex.quote(to.tls)
        lines.insert(0, f"export FAL_RUN_HOST={tls} FAL_QUEUE_RUN_HOST={tls}/queue")
    if to.bundle:
        bundle = shlex.quote(str(to.bundle))
        lines.append(f"export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle}")
    return "\n".join(lines)


def node_export(to: Reached) -> str:
    """What Node takes, to believe the local authority; "" where there is none."""
    return f"export NODE_EXTRA_CA_CERTS={shlex.quote(str(to.ca))}" if to.ca else ""


def middleware(to: Reached) -> str:
    """What each version of JavaScript's client can be given."""
    queue, rest, run = (json.dumps(f"{to.url}{path}") for path in ("/queue", "/rest", ""))
    return (
        "requestMiddleware: async (r) => ({ ...r, url: r.url\n"
        f'    .replace("https://queue.fal.run", {queue}).replace("https://fal.run", {run})\n'
        f'    .replace("https://rest.fal.ai", {rest}) }})'
    )


def _python(to: Reached) -> str:
    if not to.tls:
        return (
            "# Python's fal_client speaks only https, and no https is known here: give --url\n"
            "# https://... of falgate, or of a proxy in front of it."
        )
    host = to.tls.partition("/")[0]
    old = f"https://queue.{host}"
    bare = "" if host == to.tls else f"\n# It must have no path there either: FAL_RUN_HOST={host}"
    trust = (
        "# Both take the place of the public authorities, so that file holds them too. The second\n"
        "# is for `requests`, which knows only its own: pictures have https URLs here."
        if to.bundle
        else "# With a certificate of a private authority: SSL_CERT_FILE=... and\n"
        "# REQUESTS_CA_BUNDLE=... (for `requests`, which may fetch pictures) name one file that\n"
        "# holds that authority and the public ones, because it takes their place."
    )
    return (
        "# Python's fal_client from 0.11.0 on. Set these before it is imported.\n"
        f"{exports(to)}\n"
        f"{trust}\n"
        f"# Before 0.11.0 there is no FAL_QUEUE_RUN_HOST: the queue is asked for at {old},\n"
        f"# a name that DNS (or /etc/hosts) and falgate's certificate must have.{bare}\n"
        "# Behind an egress proxy, NO_PROXY needs falgate's host."
    )


def _javascript(to: Reached) -> str:
    proxy, key = json.dumps(f"{to.url}/api/fal/proxy"), json.dumps(to.key)
    always = f'{{ url: {proxy}, when: "always" }}'
    trust = (
        f"// Node, over https: NODE_EXTRA_CA_CERTS={shlex.quote(str(to.ca))} in its environment.\n"
        if to.ca
        else "// Node, with a private authority: NODE_EXTRA_CA_CERTS=... in its environment.\n"
    )
    return (
        'import { fal } from "@fal-ai/client";\n\n'
        "// Any version, in Node and in browsers:\n"
        f"fal.config({{ credentials: {key}, {middleware(to)} }});\n\n"
        "// The same by the proxy route. From 1.10.0 on, in Node and in browsers:\n"
        f"//   fal.config({{ credentials: {key}, proxyUrl: {always} }});\n"
        "// Any version, in browsers only (Node ignores a plain string):\n"
        f"//   fal.config({{ credentials: {key}, proxyUrl: {proxy} }});\n"
        "// The proxy route ignores Cache-Control and X-Falgate-*, the middleware passes them on.\n"
        "// A page needs its origin in FALGATE_CORS_ORIGINS, and shows everybody its key.\n"
        f"{trust}"
    ).rstrip("\n")


def _shell(to: Reached) -> str:
    return "\n".join(filter(None, (exports(to), node_export(to))))


def _everything(to: Reached) -> str:
    return "\n\n".join((f"# curl\n{curl(to)}", _python(to), _javascript(to)))


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
@click.option("--python", "show", flag_value=_python, type=click.UNPROCESSED, help="fal_client.")
@click.option(
    "--js", "show", flag_value=_javascript, type=click.UNPROCESSED, help="@fal-ai/client."
)
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
