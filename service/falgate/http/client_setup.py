"""What an app's environment or program needs so that fal's clients call falgate; pure."""

import json
import shlex
import textwrap
from pathlib import Path

import msgspec

PLACEHOLDER = "fg_live_..."
_MODEL = "openai/gpt-image-2"
_COLUMNS = 88
_BODY = '{"prompt": "a lighthouse at dawn", "quality": "low"}'


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How an app reaches falgate.

    Attributes:
        url: What its calls begin with.
        tls: The same for clients that speak only https, without the scheme; "" where there is none.
        key: The app's key.
        ca: The local authority's file, where its certificate is what falgate shows.
        bundle: That and the public authorities in one file.
        without_tls: What helps where there is no `tls`: the reader of a page can do something else
            than who types a command.
    """

    url: str
    tls: str
    key: str = PLACEHOLDER
    ca: Path | None = None
    bundle: Path | None = None
    without_tls: str = "Give --url https://... of falgate, or of a proxy in front of it."


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


def python(to: Reached) -> str:
    """What Python's client needs, with the reasons."""
    if not to.tls:
        said = (
            f"Python's fal_client speaks only https, and no https is known here. {to.without_tls}"
        )
        return textwrap.fill(said, _COLUMNS, initial_indent="# ", subsequent_indent="# ")
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


def javascript(to: Reached) -> str:
    """What JavaScript's client is given, with the reasons."""
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
