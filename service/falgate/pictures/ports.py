"""Ports of the picture services. Their async methods raise `Unavailable` without Redis."""

from collections.abc import Sequence
from typing import Protocol

from falgate.cache.pool import AppPool
from falgate.core.picture import Kept, Picture
from falgate.pictures.catalogue import NewPicture


class Pictures(Protocol):
    """The picture store. Methods raise `StoreUnavailable` when it cannot be reached."""

    async def examine(self, data: bytes, pixels_max: int) -> Kept:
        """Check that it is a picture of at most `pixels_max` pixels; raises `NotAPicture`."""

    async def keep(self, data: bytes, kept: Kept) -> None:
        """Store bytes that were examined."""

    async def convert(self, picture: Picture, content_type: str) -> bytes | None:
        """Convert a stored picture to another file type; return None if that is impossible."""

    async def ready(self) -> None:
        """Check that a picture could be stored now; raises `StoreUnavailable` if not."""


class PictureRegister(Protocol):
    """Registers pictures in the catalogue before they are stored."""

    async def register(self, filing: NewPicture) -> bool:
        """Register a picture; return False while its bytes are being deleted."""


class AccessCounter(Protocol):
    """Counts served pictures in memory, so that a cache hit does not have to write to Redis."""

    def add(self, fingerprint: str, pictures: Sequence[Picture], app: str) -> None:
        """Count these pictures as served from a pool to an app, "team/app"."""


class Places(Protocol):
    """Pictures assigned to an app's open requests. Methods raise `Unavailable` without Redis."""

    async def take(
        self,
        pool: AppPool,
        request_id: str,
        pictures: Sequence[Picture],
        wanted: int,
        *,
        lease_ms: int,
    ) -> tuple[Picture, ...]:
        """Assign up to `wanted` pictures that no other request has, keeping their order."""

    async def free(
        self, pool: AppPool, pictures: Sequence[Picture], wanted: int
    ) -> tuple[Picture, ...]:
        """Return the pictures that a request would be assigned now, without assigning them."""

    async def keep(self, pool: AppPool, request_ids: Sequence[str], *, lease_ms: int) -> None:
        """Extend these requests' assignments to `lease_ms`; 0 releases them."""

    async def follow(self, pool: AppPool, request_id: str, *, lease_ms: int) -> None:
        """Keep or renew a kept request's assignment for `lease_ms` while the request is open."""
