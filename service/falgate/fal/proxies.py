"""Proxies from the environment: parsed as curl parses them, or refused before any is used."""

import os
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = frozenset({"http", "https"})
_NO_SCHEME = "http://"


class ProxyWrong(Exception):
    """A proxy variable is invalid. The message is one line and names the variable.

    It does not quote the value, which may hold a password.
    """


def proxy_of(url: str) -> str | None:
    """Return the URL of the proxy that the environment sets for a URL's host, or None.

    aiohttp's `trust_env` is not used: it would also send credentials from a .netrc file, or fail
    because of one.

    Raises:
        ProxyWrong: The environment's value cannot be a proxy.
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
    """Parse a proxy's URL. As in curl, `host:port` with or without credentials means http.

    Raises:
        ValueError: It is not a proxy's URL; the message does not quote it.
    """
    bare = "://" not in value
    try:
        parts = urlsplit(_NO_SCHEME + value.removeprefix("//") if bare else value)
    except ValueError:  # The message may quote the value.
        raise ValueError("not the address of a proxy") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError("not a supported kind of proxy: use http or https")
    if not _has_place(parts) or (bare and parts.path not in {"", "/"}):
        raise ValueError("not the address of a proxy")
    return parts.geturl()


def _has_place(parts: SplitResult) -> bool:
    """Return whether there is a host that can be looked up, and a port that can be connected to."""
    host = parts.hostname or ""
    if not host or any(character.isspace() or not character.isprintable() for character in host):
        return False
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _variable(kind: str) -> str:
    """Return the name of the variable in the spelling that the environment has."""
    wanted = f"{kind}_proxy"
    spelt = sorted((name for name in os.environ if name.lower() == wanted), reverse=True)
    return spelt[0] if spelt else wanted
