"""The catalogue of pictures as the flow sees it; what is awaited raises `Unavailable`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from falgate.cache.pool import AppPool
from falgate.cache.pool_info import PoolInfo
from falgate.core.picture import Kept, Picture
from falgate.pictures.catalogue import NewPicture, Record, StoreSize


class Pictures(Protocol):
    """The picture store. When it cannot be asked: `StoreUnavailable`."""

    async def examine(self, data: bytes, pixels_max: int) -> Kept:
        """Check that it is a picture, of no more pixels than that; raises `NotAPicture`."""

    async def keep(self, data: bytes, kept: Kept) -> None:
        """Store what was examined."""

    async def convert(self, picture: Picture, content_type: str) -> bytes | None:
        """Another type of file of a stored picture; None where that cannot be made."""

    async def has(self, picture: Picture) -> bool:
        """Whether it is there, as long as it was."""

    async def ready(self) -> None:
        """Nothing, if what is bought now could be kept."""


class Filed(Protocol):
    """Where pictures are filed before they are stored."""

    async def note(self, filing: NewPicture) -> bool:
        """File one; False while its bytes are being removed."""


class AccessCounter(Protocol):
    """Counts what is handed out; told to Redis in batches, because a hit is no time for it."""

    def add(self, fingerprint: str, pictures: Sequence[Picture]) -> None:
        """These were handed out of that pool."""


class Places(Protocol):
    """Which pictures an app's requests under way have; what is awaited raises `Unavailable`."""

    async def take(
        self,
        pool: AppPool,
        request_id: str,
        pictures: Sequence[Picture],
        wanted: int,
        *,
        lease_ms: int,
    ) -> tuple[Picture, ...]:
        """Of these, up to so many that no other request has, in their order; they are its own."""

    async def free(
        self, pool: AppPool, pictures: Sequence[Picture], wanted: int
    ) -> tuple[Picture, ...]:
        """Those that a request would get now; nothing is taken."""

    async def keep(self, pool: AppPool, request_ids: Sequence[str], *, lease_ms: int) -> None:
        """What these requests have is theirs for so long; for 0: anybody's."""

    async def follow(self, pool: AppPool, request_id: str, *, lease_ms: int) -> None:
        """What a kept request has, or had, is its own for so long, while it is open."""


class Catalogue(Filed, Protocol):
    """All that is known of pictures and pools."""

    async def use(self, uses: Mapping[str, int]) -> None:
        """Count how often pictures were handed out, by name."""

    async def condemn(
        self, name: str, *, unused_ms: int = 0, noted_ms: int = 0, forced: bool = False
    ) -> bool:
        """Say that a picture's bytes are about to be removed, unless it has to stay."""

    async def confirm(self, name: str) -> bool:
        """Whether nobody has handed a condemned picture out meanwhile."""

    async def bury(self, record: Record) -> bool:
        """Forget a picture whose bytes are gone."""

    async def pin(self, name: str, *, pinned: bool) -> bool:
        """Keep a picture for ever, or no longer; False where it is not filed."""

    async def records(self, names: Sequence[str]) -> list[Record | None]:
        """What is known of these pictures."""

    async def cheapest(self, offset: int, number: int) -> list[str]:
        """Names of the pictures that are worth keeping least, from the `offset`-th on."""

    async def total(self) -> StoreSize:
        """All of them."""

    async def pools(
        self, *, app: str = "", before_ms: int | None = None, number: int, after: str = ""
    ) -> list[tuple[str, int]]:
        """Fingerprints by their last purchase, the newest first, and when that was, ms."""

    async def pictured(self, prompt_sha256: str) -> list[str]:
        """Names of the pictures that are stored of a prompt, in whatever pool or in none."""

    async def pools_for(self, prompt_sha256: str) -> list[str]:
        """Fingerprints of a prompt's pools."""

    async def abouts(
        self, fingerprints: Sequence[str]
    ) -> list[tuple[PoolInfo | None, dict[str, int]]]:
        """What pools are for, and who bought for them, and when, ms."""

    async def drop(self, fingerprint: str) -> None:
        """Forget a pool that is gone, with its prompt where that was kept."""

    def names(self) -> AsyncIterator[list[str]]:
        """All pictures, in pages."""

    def shelves(self) -> AsyncIterator[list[str]]:
        """Fingerprints of all pools that are filed, in pages."""

    async def now_ms(self) -> int:
        """Redis's clock."""
