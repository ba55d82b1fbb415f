"""The URLs of pictures, as callers see them: plain or signed for a while."""

from collections.abc import Callable
from typing import Protocol

from falgate.pictures import link


class PictureSource(Protocol):
    """Where pictures are read from; raises `Unavailable` when it cannot be asked."""

    async def size(self, name: str) -> int | None:
        """Its length in bytes, or None when it is not there."""

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Its bytes from `start` up to before `end`, or None when it is not there."""


class PictureUrls:
    """Where pictures are shown."""

    def __init__(
        self,
        source: PictureSource,
        *,
        now_s: Callable[[], int],
        secret: bytes = b"",
        ttl_s: int = 0,
    ) -> None:
        """Show pictures.

        Args:
            source: Where they are.
            now_s: The clock that all instances have, seconds since 1970.
            secret: What links are signed with.
            ttl_s: How long they are good; 0: for ever.
        """
        self.source = source
        self.now_s = now_s
        self._secret = secret
        self._ttl_s = ttl_s

    def __repr__(self) -> str:
        """Without the secret."""
        return "PictureUrls(...)"

    @property
    def signs(self) -> bool:
        """Whether a picture is shown to those only who have a link that is signed."""
        return self._ttl_s > 0

    def url(self, base_url: str, name: str) -> str:
        """Where a picture is seen, from now on."""
        plain = f"{base_url}/pictures/{name}"
        if not self.signs:
            return plain
        return f"{plain}?{link.signed(name, self._secret, self.now_s(), self._ttl_s)}"

    def left_s(self, name: str, expires: str, signature: str) -> int | None:
        """How long a signed link is good still, at most 0 if it is not; None if it never was."""
        return link.left_s(name, expires, signature, self._secret, self.now_s())
