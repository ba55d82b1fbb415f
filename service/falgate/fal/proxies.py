"""Proxies that the environment names: read as curl reads them, or refused before any is used."""

import os
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = frozenset({"http", "https"})
_NO_SCHEME = "http://"


class ProxyWrong(Exception):
    """A variable names no proxy; the message is one line, names it, and does not quote it.

    Its value may hold a password.
    """


def proxy_of(url: str) -> str | None:
    """The URL of the proxy that the environment names for a URL's host; None where it names none.

    Not left to aiohttp's `trust_env`, which also sends what a .netrc says, or fails because of it.

    Raises:
        ProxyWrong: What it names cannot be a proxy.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    named = getproxies()
    for kind in (parts.scheme, "all"):
        if value := named.get(kind, "").strip():
            try:
                return read(value)
            except ValueError as error:
                raise ProxyWrong(
                    f"{_variable(kind)}: {error}; give http://host:port, or host:port"
                ) from None
    return None


def read(value: str) -> str:
    """A proxy's URL. As for curl, `host:port` is one of http, with a user and a password or not.

    Raises:
        ValueError: It is none; the message does not quote it.
    """
    bare = "://" not in value
    try:
        parts = urlsplit(_NO_SCHEME + value.removeprefix("//") if bare else value)
    except ValueError:  # It may quote the value.
        raise ValueError("not the address of a proxy") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError("not a proxy of a kind that is supported, which are http and https")
    if not _has_place(parts) or (bare and parts.path not in {"", "/"}):
        raise ValueError("not the address of a proxy")
    return parts.geturl()


def _has_place(parts: SplitResult) -> bool:
    """Whether there is a host that may be looked up, and a port that can be connected to."""
    host = parts.hostname or ""
    if not host or any(character.isspace() or not character.isprintable() for character in host):
        return False
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _variable(kind: str) -> str:
    """The name of the variable that says it, as the environment spells it."""
    wanted = f"{kind}_proxy"
    spelt = sorted((name for name in os.environ if name.lower() == wanted), reverse=True)
    return spelt[0] if spelt else wanted
