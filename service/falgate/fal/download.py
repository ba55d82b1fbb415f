"""Downloads of delivered pictures, only from fal's media hosts and without fal's key."""

import re

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
        if parts is None or parts.userinfo:
            return False
        origin = httpx.URL(self.origin)
        if (parts.scheme, parts.host, parts.port) == (origin.scheme, origin.host, origin.port):
            return True
        if parts.scheme != "https" or parts.port is not None or not _HOST.fullmatch(parts.raw_host):
            return False
        return any(parts.host == d or parts.host.endswith(f".{d}") for d in self.domains)


async def download(sender: Sender, hosts: MediaHosts, url: str) -> bytes:
    """Fetch a picture. `sender` must carry no credential.

    Raises:
        DownloadFailed: The URL is not allowed, or the picture is missing, too large or too slow.
            The message does not contain the URL.
    """
    if not hosts.allow(url):
        parts = _parsed(url)
        place = parts.host[:_NAME_MAX] if parts else "an invalid URL"
        raise DownloadFailed(f"pictures are not fetched from {place}")
    try:
        reply = await exchange(
            sender, "GET", url, deadline_s=_DEADLINE_S, bytes_max=PICTURE_BYTES_MAX
        )
    except (ExchangeFailed, Unusable) as error:
        raise DownloadFailed(str(error)) from error
    if reply.status != _OK:
        raise DownloadFailed(f"status {reply.status}")
    return reply.body


def _parsed(url: str) -> httpx.URL | None:
    """Return the parsed URL, or None if it is invalid or has no host."""
    try:
        parts = httpx.URL(url)
        # httpx decodes the host lazily, so an invalid one raises only here.
        host = parts.host
    except (httpx.InvalidURL, ValueError):
        return None
    return parts if host else None
