"""Downloads of delivered pictures, only from fal's media hosts and without fal's key."""

import re
from functools import lru_cache

import httpx
import msgspec

from falgate.fal.connections import Sender
from falgate.fal.http import ExchangeFailed, Unusable, exchange
from falgate.fal.replies import DownloadFailed

PICTURE_BYTES_MAX = 32 * 1024 * 1024
_DEADLINE_S = 60.0
_OK = 200
_NAME_MAX = 253
_HOST = re.compile(rb"[a-z0-9-]+(\.[a-z0-9-]+)*")
"""Characters that every URL parser, such as the one that connects, reads the same way."""


class MediaHosts(msgspec.Struct, frozen=True):
    """The hosts that pictures may be fetched from.

    Attributes:
        origin: The upstream's own, such as "http://127.0.0.1:9000".
        domains: Domains that are trusted over https, with all their subdomains.
    """

    origin: str
    domains: tuple[str, ...]

    def allow(self, url: str) -> bool:
        """Return whether a URL that the upstream gave may be fetched."""
        parts = _parsed(url)
        return parts is not None and self.has(parts)

    def has(self, url: httpx.URL) -> bool:
        """Return whether a URL is on one of the hosts."""
        if url.userinfo:
            return False
        origin = _origin(self.origin)
        if (url.scheme, url.host, url.port) == (origin.scheme, origin.host, origin.port):
            return True
        if url.scheme != "https" or url.port is not None or not _HOST.fullmatch(url.raw_host):
            return False
        return any(url.host == d or url.host.endswith(f".{d}") for d in self.domains)


async def download(sender: Sender, hosts: MediaHosts, url: str) -> bytes:
    """Fetch a picture. `sender` must carry no credential.

    Raises:
        DownloadFailed: The URL is not allowed, or the picture is missing, too large or too slow.
            The message does not contain the URL.
    """
    parts = _parsed(url)
    if parts is None or not hosts.has(parts):
        place = parts.host[:_NAME_MAX] if parts else "an invalid URL"
        raise DownloadFailed(f"pictures are not fetched from {place}")
    try:
        reply = await exchange(
            sender, "GET", str(parts), deadline_s=_DEADLINE_S, bytes_max=PICTURE_BYTES_MAX
        )
    except (ExchangeFailed, Unusable) as error:
        raise DownloadFailed(str(error)) from error
    if reply.status != _OK:
        raise DownloadFailed(f"status {reply.status}")
    return reply.body


@lru_cache(4)
def _origin(url: str) -> httpx.URL:
    return httpx.URL(url)


def _parsed(url: str) -> httpx.URL | None:
    """Return the parsed URL, or None if it is invalid or has no host."""
    try:
        parts = httpx.URL(url)
        # httpx decodes the host lazily, so an invalid one raises only here.
        host = parts.host
    except (httpx.InvalidURL, ValueError):
        return None
    return parts if host else None
