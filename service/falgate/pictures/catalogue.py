"""The catalogue: what is known of each stored picture, and of each pool, beside the pool itself."""

import msgspec

from falgate.cache.pool_info import PoolInfo
from falgate.core.money import Micros
from falgate.core.picture import Kept, Pool


class NewPicture(msgspec.Struct, frozen=True, kw_only=True):
    """Where a picture is to be filed, before its bytes are stored.

    Attributes:
        kept: The picture.
        value: What it would cost to buy it again, micro-USD; 0 of one that was made here.
        app: "team/app" that it was bought by.
        prompt_sha256: Hex digest of its prompt.
        fingerprint: Of its pool; "" where it will be in none.
        about: What that pool is for; None where there is none.
        master: Name of the picture that it was made from; "" where fal made it.
    """

    kept: Kept
    value: Micros
    app: str
    prompt_sha256: str
    fingerprint: str = ""
    about: PoolInfo | None = None
    master: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture. Times are Redis's, milliseconds since 1970.

    Attributes:
        name: Of its file.
        size_bytes: Its length.
        value: What it would cost to buy it again, micro-USD.
        app: "team/app" that it was bought by first.
        prompts: Hex digests of the prompts that it was bought for.
        pools: Fingerprints of the pools that it was put into; it may have left them.
        derived: Names of pictures that were made of it.
        master: Name of the picture that it was made from, or "".
        pinned: Whether it is kept for ever.
        noted_ms: When its bytes were brought last.
        used_ms: When it was handed out last.
        uses: How often it was handed out.
    """

    name: str
    size_bytes: int
    value: Micros
    app: str
    prompts: tuple[str, ...]
    pools: tuple[str, ...]
    derived: tuple[str, ...]
    master: str
    pinned: bool
    noted_ms: int
    used_ms: int
    uses: int

    def idle(self, unused_ms: int, noted_ms: int) -> bool:
        """Whether it is not pinned, and was neither handed out nor brought since these times.

        Only to choose what to try: what counts is decided where a picture is condemned.
        """
        return not self.pinned and self.used_ms <= unused_ms and self.noted_ms <= noted_ms

    @property
    def sha256(self) -> str:
        """The hash of its bytes, by which pools know it."""
        return self.name.partition(".")[0]


class PoolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with what is known of it.

    Attributes:
        fingerprint: Its name.
        about: What it is for; None of one that was forgotten.
        apps: "team/app" of those who bought for it.
        bought_ms: When that was last, Redis time.
        pool: Its pictures.
    """

    fingerprint: str
    about: PoolInfo | None
    apps: tuple[str, ...]
    bought_ms: int
    pool: Pool


class StoreSize(msgspec.Struct, frozen=True):
    """All pictures that are stored.

    Attributes:
        pictures: How many.
        size_bytes: Their length.
    """

    pictures: int
    size_bytes: int
