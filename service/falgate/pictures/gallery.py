"""The gallery: pictures with the request that made them, newest first."""

import re
from collections.abc import Sequence

import msgspec

from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.core.problems import Invalid
from falgate.pictures.catalogue import PoolRecord, Record, Sought
from falgate.pictures.pool_records import pool_records
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import ALL, Place, PoolIndex
from falgate.pictures.words import words_of

CURSOR = r"([0-9]{1,3})-([0-9]{1,15})-([0-9a-f]{64})-([0-9]{1,6})"
_WALKED_AT_ONCE = 200
_POOLS_AT_LEAST = 20
_POOLS_MAX = 1_000
"""Pools that one page walks past; if too few of them fit, the page is short."""
_PICTURES_MAX = 200
"""Pictures of pools that fit that one page reads, unless it is longer itself."""
_OF_ONE = 50
"""Pools in which one picture is looked for, the last ones first."""


class GalleryPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, and the pool that has it.

    Attributes:
        record: The stored picture.
        picture: As the pool has it; None if no pool has it any more.
        pool: That pool, or the last that had it; None if none is known.
    """

    record: Record
    picture: Picture | None
    pool: PoolRecord | None


class Gallery:
    """Pictures as operators look for them. Methods raise `Unavailable` without Redis."""

    def __init__(self, catalogue: Catalogue, pools: Pools, index: PoolIndex) -> None:
        """Show the pictures of a catalogue and its pools."""
        self._catalogue = catalogue
        self._pools = pools
        self._index = index

    async def page(
        self, sought: Sought, *, cursor: str = "", number: int
    ) -> tuple[list[GalleryPicture], str]:
        """Return pictures that pools serve, by the last purchase for their pool, newest first.

        A picture of several pools comes once in a page, and may come again in another one. The work
        for one page is bounded, so a page may be short, or empty, and not the last.

        Args:
            sought: What to look for.
            cursor: From the previous page; "" for the first page.
            number: Page size.

        Returns:
            The pictures and the cursor of the next page, "" after the last.

        Raises:
            Invalid: The cursor is malformed, or there are no words in what should be words.
        """
        if sought.words and not words_of(sought.words):
            raise Invalid("words: give at least one word of letters or digits")
        place = _place(cursor) if cursor else await self._index.first(sought)
        if place is None:
            return [], ""
        found, looked_at, more = _Found(sought, number), 0, True
        at_once = max(number, _POOLS_AT_LEAST)
        while more and looked_at < _POOLS_MAX:
            walked, more = await self._index.behind(place, sought, _WALKED_AT_ONCE)
            fitting = [place for place, fits in walked if fits]
            for first in range(0, len(fitting), at_once):
                for each in await self._chosen(fitting[first : first + at_once]):
                    if (end := found.add(*each)) is not None:
                        is_last = not more and end.shown == ALL and each[0] is fitting[-1]
                        return found.pictures, "" if is_last else _cursor(end)
            looked_at += len(walked)
            if walked:
                place = msgspec.structs.replace(walked[-1][0], shown=ALL)
        return found.pictures, _cursor(place) if more else ""

    async def picture(self, record: Record, among: Sequence[str]) -> GalleryPicture:
        """Return one picture with that of some pools that has it, else with the last that had it.

        Args:
            record: The picture.
            among: The fingerprints of these pools, the latest one last.
        """
        known = await pool_records(self._catalogue, self._pools, among[: -_OF_ONE - 1 : -1])
        for pool_record in known:
            for picture in pool_record.pool.pictures:
                if picture.sha256 == record.sha256 and picture.fresh(pool_record.pool.read_s):
                    return GalleryPicture(record=record, picture=picture, pool=pool_record)
        last = next((each for each in known if each.about), None)
        return GalleryPicture(record=record, picture=None, pool=last)

    async def _chosen(self, places: Sequence[Place]) -> list[tuple[Place, list[GalleryPicture]]]:
        """Return the pictures that these pools serve, the newest of each pool first."""
        known = await pool_records(
            self._catalogue, self._pools, [place.fingerprint for place in places]
        )
        fresh = [
            [each for each in reversed(one.pool.pictures) if each.fresh(one.pool.read_s)]
            for one in known
        ]
        names = list(dict.fromkeys(each.name for pictures in fresh for each in pictures))
        records = dict(zip(names, await self._catalogue.records(names), strict=True))
        return [
            (
                place,
                [
                    GalleryPicture(record=record, picture=each, pool=pool_record)
                    for each in pictures
                    if (record := records[each.name]) is not None
                ],
            )
            for place, pool_record, pictures in zip(places, known, fresh, strict=True)
        ]


class _Found:
    """The pictures of a page."""

    def __init__(self, sought: Sought, number: int) -> None:
        """Take up to `number` pictures of those that are looked for."""
        self._sought = sought
        self._number = number
        self._looked_at = 0
        self._pictures: dict[str, GalleryPicture] = {}

    @property
    def pictures(self) -> list[GalleryPicture]:
        """The pictures so far."""
        return list(self._pictures.values())

    def add(self, place: Place, pictures: Sequence[GalleryPicture]) -> Place | None:
        """Add those of one pool; return where the next page begins once this one is full."""
        self._looked_at += len(pictures)
        for index, one in enumerate(pictures):
            if index < place.shown or one.record.name in self._pictures:
                continue
            if _fits(one, self._sought):
                self._pictures[one.record.name] = one
                if len(self._pictures) == self._number:
                    shown = ALL if index + 1 == len(pictures) else index + 1
                    return msgspec.structs.replace(place, shown=shown)
        is_over = self._looked_at >= max(_PICTURES_MAX, self._number)
        return msgspec.structs.replace(place, shown=ALL) if is_over else None


def _fits(one: GalleryPicture, sought: Sought) -> bool:
    """Return whether a picture is what the sets of pools cannot tell."""
    about, picture = one.pool.about if one.pool else None, one.picture
    if about is None or picture is None:
        return False
    return (
        sought.quality in ("", about.recorded.get("quality"))
        and sought.width in (0, picture.width)
        and sought.height in (0, picture.height)
        and (one.record.pinned or not sought.pinned)
    )


def _place(cursor: str) -> Place:
    if not (found := re.fullmatch(CURSOR, cursor)):
        raise Invalid("Invalid cursor: pass `next_cursor` of the previous page unchanged")
    return Place(int(found[1]), int(found[2]), found[3], int(found[4]))


def _cursor(place: Place) -> str:
    return f"{place.base}-{place.at_ms}-{place.fingerprint}-{place.shown}"
