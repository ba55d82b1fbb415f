"""Picture URLs as callers see them: plain, or signed and limited in time."""

from collections.abc import Callable
from typing import Protocol

from falgate.pictures import link


class PictureSource(Protocol):
    """The picture store. Methods raise `Unavailable` when it cannot be reached."""

    async def size(self, name: str) -> int | None:
        """Return the length of a picture, bytes, or None if it is not stored."""

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes from `start` up to but excluding `end`, or None if not stored."""


class PictureUrls:
    """Builds and verifies picture URLs."""

    def __init__(
        self,
        source: PictureSource,
        *,
        now_s: Callable[[], int],
        secret: bytes = b"",
        ttl_s: int = 0,
        accel: str = "",
    ) -> None:
        """Build URLs of the pictures in `source`.

        Args:
            source: The picture store.
            now_s: The clock shared by all instances, seconds since 1970.
            secret: The key that signs links.
            ttl_s: Lifetime of a link, seconds; 0 for unsigned URLs that never expire.
            accel: The location in a trusted nginx from which it sends pictures itself, or "".
        """
        self.source = source
        self.accel = accel
        self.now_s = now_s
        self._secret = secret
        self._ttl_s = ttl_s

    def __repr__(self) -> str:
        """Omit the secret."""
        return "PictureUrls(...)"

    @property
    def signs(self) -> bool:
        """Whether a picture is served only to holders of a signed link."""
        return self._ttl_s > 0

    def url(self, base_url: str, name: str) -> str:
        """Return the URL of a picture, valid from now on."""
        plain = f"{base_url}/pictures/{name}"
        if not self.signs:
            return plain
        return f"{plain}?{link.signed(name, self._secret, self.now_s(), self._ttl_s)}"

    def left_s(self, name: str, expires: str, signature: str) -> int | None:
        """Return a link's remaining lifetime, seconds; 0 or less: expired, None: never signed."""
        return link.left_s(name, expires, signature, self._secret, self.now_s())
