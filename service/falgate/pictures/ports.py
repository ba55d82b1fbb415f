"""Ports of the picture services. Their async methods raise `Unavailable` without Redis."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from falgate.cache.pool import AppPool
from falgate.cache.pool_info import PoolInfo
from falgate.core.picture import Kept, Picture
from falgate.pictures.catalogue import NewPicture, Record, StoreSize


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


class Filed(Protocol):
    """Registers pictures in the catalogue before they are stored."""

    async def note(self, filing: NewPicture) -> bool:
        """Register a picture; return False while its bytes are being deleted."""


class AccessCounter(Protocol):
    """Counts served pictures in memory, so that a cache hit does not have to write to Redis."""

    def add(self, fingerprint: str, pictures: Sequence[Picture]) -> None:
        """Count these pictures as served from a pool."""


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


class Catalogue(Filed, Protocol):
    """The records of all pictures and pools."""

    async def use(self, uses: Mapping[str, int]) -> None:
        """Add access counts, by picture name."""

    async def condemn(
        self, name: str, *, unused_ms: int = 0, noted_ms: int = 0, forced: bool = False
    ) -> bool:
        """Mark a picture for deletion unless it has to stay."""

    async def confirm(self, name: str) -> bool:
        """Return whether a marked picture has not been served since it was marked."""

    async def bury(self, record: Record) -> bool:
        """Delete the record of a picture whose file is gone."""

    async def pin(self, name: str, *, pinned: bool) -> bool:
        """Pin a picture, or unpin it; return False if it is unknown."""

    async def records(self, names: Sequence[str]) -> list[Record | None]:
        """Return the records of pictures; None for an unknown one."""

    async def cheapest(self, offset: int, number: int) -> list[str]:
        """Return the names of the pictures least worth keeping, from rank `offset` on."""

    async def total(self) -> StoreSize:
        """Return the number and total size of the stored pictures."""

    async def pools(
        self, *, app: str = "", before_ms: int | None = None, number: int, after: str = ""
    ) -> list[tuple[str, int]]:
        """Return pool fingerprints and the time of the last purchase, ms, newest first."""

    async def pictured(self, prompt_sha256: str) -> list[str]:
        """Return the names of the stored pictures of a prompt, whether in a pool or not."""

    async def pools_for(self, prompt_sha256: str) -> list[str]:
        """Return the fingerprints of a prompt's pools."""

    async def abouts(
        self, fingerprints: Sequence[str]
    ) -> list[tuple[PoolInfo | None, dict[str, int]]]:
        """Return each pool's metadata and the time of each app's last purchase, ms."""

    async def drop(self, fingerprint: str) -> None:
        """Delete a pool's record, with its prompt if that was kept."""

    def names(self) -> AsyncIterator[list[str]]:
        """Yield the names of all pictures, in pages."""

    def shelves(self) -> AsyncIterator[list[str]]:
        """Yield the fingerprints of all recorded pools, in pages."""

    async def now_ms(self) -> int:
        """Return Redis's clock."""
