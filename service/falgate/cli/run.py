"""`falgate run`: everything on this machine, with keys made and printed."""

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path

import click

from falgate import private, settings
from falgate.accounts import apikey
from falgate.accounts.directory import FIRST
from falgate.app import Gateway
from falgate.cli import client_env, localtls
from falgate.cli.keys import mint
from falgate.cli.localtls import LocalTls
from falgate.cli.serve import start
from falgate.core.money import dollars
from falgate.http import client_setup
from falgate.http.client_setup import Reached
from falgate.settings import Settings

_DRAIN_S = "2"
_BY_HTTPS = " (the second line for pictures by https, in Node)"
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, and taken over where an operator says so


@click.command()
def run() -> None:
    """Serve on this machine, with all that it needs.

    Embedded Redis, pictures on disk, keys that are made and printed, and the sandbox instead of fal
    unless FAL_KEY is set. The settings of `falgate serve` apply.
    """
    env = settings.environment(os.environ)
    has_key = env.get("FAL_KEY") or env.get("FALGATE_FAL_KEY")
    upstream = {} if has_key else {"upstream_url": settings.SANDBOX}
    data = Path(env.pop("FALGATE_DATA_DIR", "") or ".falgate").absolute()
    _make(data)
    made = {"data_dir": str(data), "admin_key": _admin_key(data / "admin-key")}
    local = {"tls_listen": https_listen(env), "drain_s": _DRAIN_S}
    tls = localtls.ensure(data / "tls") if local["tls_listen"] else None
    if tls:
        made |= {"tls_cert": str(tls.cert), "tls_key": str(tls.key)}
    chosen = settings.read(env, {**local, **upstream, **made})

    async def announce(gateway: Gateway) -> str:
        app_key = await _app_key(gateway, data / "app-key")
        return await _banner(chosen, gateway, tls, app_key)

    start(chosen, announce)


def https_listen(env: Mapping[str, str]) -> str:
    """Where https listens if nothing says so: to others as well where http does, in a container.

    A FALGATE_TLS_LISTEN that is set and empty says so: "", nowhere.
    """
    if env.get("FALGATE_TLS_LISTEN") == "":
        return ""
    usual = settings.address(client_env.TLS_LISTEN, "TLS_LISTEN")
    http = env.get("FALGATE_LISTEN") or client_env.TLS_LISTEN
    listens = settings.address(http, "LISTEN")
    host = listens.host if listens.host in _EVERYWHERE else usual.host
    return f"[{host}]:{usual.port}" if ":" in host else f"{host}:{usual.port}"


def _admin_key(file: Path) -> str:
    kept = private.read(file)
    return kept if apikey.present(kept) else _put(file, mint("admin"))


async def _app_key(gateway: Gateway, file: Path) -> str:
    """The key of an earlier start, as long as it works, or a new one."""
    kept = private.read(file)
    presented = apikey.present(kept)
    if presented:
        record, now_s, _ = await gateway.services.records.key(presented.id)
        if record and record.opened_by(presented, now_s) and not record.unusable(now_s):
            return kept
    keys = gateway.administration("settings").keys
    made = await keys.create(f"{FIRST}/{FIRST}", name="first")
    return _put(file, made.key)


async def _banner(chosen: Settings, gateway: Gateway, tls: LocalTls | None, app_key: str) -> str:
    today, overage = await gateway.budget()
    http = f"http://{settings.address(chosen.listen, 'LISTEN').reachable}"
    https = ""
    if chosen.tls_listen:
        https = settings.address(chosen.tls_listen, "TLS_LISTEN").reachable
    seller = (
        "the sandbox: placeholder pictures, play money. Set FAL_KEY to buy from fal"
        if chosen.uses_sandbox
        else f"{chosen.upstream_url}: real money, where it is fal's"
    )
    to = Reached(
        url=http,
        tls=https,
        key=app_key,
        ca=tls.ca if tls else None,
        bundle=tls.bundle if tls else None,
    )
    money = f"${dollars(today.limit or 0)} a day, ${dollars(today.spent)} spent"
    return f"""
falgate serves {http}{f" and https://{https}" if https else ""}

  upstream    {seller}
  budget      {money}; overage limit ${dollars(overage)}
  data        {chosen.data_dir}
  app key     {app_key}
  admin key   {chosen.admin_key}
{await _console(chosen, gateway, http)}
Try it, twice: the second time is free.

{client_setup.curl(to)}

`falgate client-env` prints what follows too, and what older clients and browsers need.

{_python(to)}

JavaScript's @fal-ai/client{_BY_HTTPS if to.ca else ""}:

  export FAL_KEY={app_key}
  {client_setup.node_export(to) or "# and in the program:"}
  fal.config({{ {client_setup.middleware(to)} }});

Ctrl-C stops it.
"""


async def _console(chosen: Settings, gateway: Gateway, http: str) -> str:
    """Where the console is, with a link that signs in; "" where there is none."""
    if not chosen.console:
        return ""
    if chosen.ops_listen:
        http = f"http://{settings.address(chosen.ops_listen, 'OPS_LISTEN').reachable}"
    path = await gateway.sign_in_path()
    if not path:
        return f"  console     {http}/console: sign in with the admin key\n"
    return (
        f"  console     {http}/console: this link signs in, once, within ten minutes:\n\n"
        f"  {http}{path}\n"
    )


def _python(to: Reached) -> str:
    if not to.tls:
        return "Python's fal_client speaks only https, which FALGATE_TLS_LISTEN= turned off."
    return f"Python's fal_client:\n\n{textwrap.indent(client_setup.exports(to), '  ')}"


def _make(data: Path) -> None:
    try:
        private.make_folder(data)
        (data / ".write").touch()
        (data / ".write").unlink()
    except OSError as error:
        raise settings.SettingsWrong(
            f"cannot write in {data} ({error.strerror}): give FALGATE_DATA_DIR another directory"
        ) from None


def _put(file: Path, key: str) -> str:
    private.put(file, f"{key}\n".encode())
    return key
