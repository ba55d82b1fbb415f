"""Fetches input pictures from URLs of callers: within a time and a size, from allowed hosts."""

import asyncio
import ssl
from urllib.parse import urljoin

from aiohttp.abc import AbstractResolver

from falgate.egress.session import GuardedSession, name_of
from falgate.egress.target import Rules, problem

REDIRECTS_MAX = 5
_DEADLINE_S = 30.0
_OK, _REDIRECTS = 200, frozenset({301, 302, 303, 307, 308})


class FetchFailed(Exception):
    """Nothing usable came; the message completes "The file" and has no part of the URL."""


class FetchTooLarge(FetchFailed):
    """The file is longer than allowed."""


class InputFetcher:
    """Fetches without credentials, cookies and proxies, and checks each redirect anew."""

    def __init__(
        self,
        rules: Rules,
        authorities: ssl.SSLContext,
        *,
        lookups: AbstractResolver | None = None,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        """Fetch from what `rules` allow; needs an event loop.

        Args:
            rules: The allowed hosts.
            authorities: Trusted certificate authorities.
            lookups: Resolves host names; by default with the system's resolver.
            deadline_s: Maximum time of one file, with all redirects, seconds.
        """
        self._rules = rules
        self._deadline_s = deadline_s
        self._session = GuardedSession(rules, authorities, lookups)

    async def fetch(self, url: str, bytes_max: int) -> bytes:
        """Return the bytes at a URL that the rules allow.

        Raises:
            FetchFailed: It cannot be fetched, or is longer than `bytes_max`.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                for _ in range(REDIRECTS_MAX + 1):
                    found = await self._once(url, bytes_max)
                    if isinstance(found, bytes):
                        return found
                    url = found
        except FetchFailed:
            raise
        except TimeoutError:
            raise FetchFailed(f"did not come within {self._deadline_s:g} seconds") from None
        except Exception as error:  # noqa: BLE001 - the libraries document no closed set of errors
            raise FetchFailed(f"could not be fetched ({name_of(error)})") from None
        raise FetchFailed(f"is behind more than {REDIRECTS_MAX} redirects")

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _once(self, url: str, bytes_max: int) -> bytes | str:
        """Return the bytes at a URL, or the URL that it redirects to."""
        async with self._session.request("GET", url) as response:
            if response.status in _REDIRECTS:
                onward = urljoin(url, response.headers.get("Location", ""))
                if wrong := problem(onward, self._rules):
                    raise FetchFailed(f"is behind a redirect, whose target {wrong}")
                return onward
            if response.status != _OK:
                raise FetchFailed(f"could not be fetched (status {response.status})")
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise FetchFailed("came compressed, although that was not asked for")
            if (response.content_length or 0) > bytes_max:
                raise FetchTooLarge("is too large")
            pieces, size = [], 0
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > bytes_max:
                    raise FetchTooLarge("is too large")
                pieces.append(piece)
            return b"".join(pieces)
