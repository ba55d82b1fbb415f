"""Catalogue records: what is known of each stored picture and each pool."""

from collections.abc import Mapping

import msgspec

from falgate.cache.pool_info import PoolInfo
from falgate.core.money import Micros
from falgate.core.picture import Kept, Pool


class NewPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to be registered, before its bytes are stored.

    Attributes:
        kept: The picture.
        value: Cost of buying it again, micro-USD; 0 for a conversion.
        app: The buyer, "team/app".
        prompt_sha256: Hex digest of its prompt.
        fingerprint: Its pool; "" if it goes into none.
        about: The pool's metadata; None if it goes into none.
        master: Name of the picture it was converted from; "" if it came from fal.
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
        name: File name.
        size_bytes: Length.
        value: Cost of buying it again, micro-USD.
        app: The first buyer, "team/app".
        prompts: Hex digests of the prompts it was bought for.
        pools: Fingerprints of the pools it was added to; it may have left them.
        derived: Names of the pictures converted from it.
        master: Name of the picture it was converted from, or "".
        pinned: Whether it is kept for ever.
        noted_ms: When it was last registered.
        used_ms: When it was last served.
        uses: How often it was served.
        uses_by: How often to which app, "team/app"; under "" to all further apps together.
        holds: The kinds of metadata in its file, see `provenance`; None: nobody has looked yet.
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
    uses_by: Mapping[str, int] = {}
    holds: tuple[str, ...] | None = None

    def idle(self, unused_ms: int, noted_ms: int) -> bool:
        """Return whether it is not pinned and was neither served nor registered since these times.

        This only preselects candidates: the decision is made atomically when a picture is marked.
        """
        return not self.pinned and self.used_ms <= unused_ms and self.noted_ms <= noted_ms

    @property
    def sha256(self) -> str:
        """The hash of its bytes, which identifies it in pools."""
        return self.name.partition(".")[0]


class PoolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A pool with its metadata.

    Attributes:
        fingerprint: Its name.
        about: Its metadata; None if its record was deleted.
        apps: The apps that bought for it, each "team/app".
        bought_ms: Time of the last purchase, Redis time.
        pool: Its pictures.
    """

    fingerprint: str
    about: PoolInfo | None
    apps: tuple[str, ...]
    bought_ms: int
    pool: Pool


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What pictures are looked for; all of it must be true of them.

    Attributes:
        words: The stored prompt of the pool has all of these words.
        team: A team that bought for the pool; "" for any.
        app: An app that bought for it, "team/app"; "" for any.
        endpoint: The model; "" for any.
        quality: As it was asked for; "" for any.
        width: Pixels; 0 for any.
        height: Likewise.
        from_ms: The pool's last purchase was at or after this time, Redis's.
        until_ms: And before this one; None for any.
        pinned: Only pinned pictures.
    """

    words: str = ""
    team: str = ""
    app: str = ""
    endpoint: str = ""
    quality: str = ""
    width: int = 0
    height: int = 0
    from_ms: int = 0
    until_ms: int | None = None
    pinned: bool = False

    def __repr__(self) -> str:
        """Omit the words, which are a prompt's."""
        return f"Sought({self.team}, {self.app}, {self.endpoint})"


class StoreSize(msgspec.Struct, frozen=True):
    """The number and total size of the stored pictures."""

    pictures: int
    size_bytes: int
