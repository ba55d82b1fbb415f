"""Cache administration: list, purge, pin and reject pools and pictures, for REST and commands."""

import re
from collections.abc import Sequence
from typing import Any

from falgate.accounts.store.audit import AuditLog
from falgate.cache.fingerprint import prompt_digest
from falgate.cache.store.pools import Pools
from falgate.core.change import Change, check_why
from falgate.core.picture import EXTENSIONS
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.pool_records import pool_records
from falgate.pictures.selection import Purged, Selection
from falgate.pictures.store.catalogue import Catalogue

CURSOR = r"([0-9]{1,15})\.([0-9a-f]{64})"
_PAGE = 200
_NAME = re.compile(r"(?:.*/)?([0-9a-f]{64})(\.(?:png|jpeg|webp))?(?:\?.*)?")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class CacheAdmin:
    """Pools and pictures as operators see them. Methods raise `Unavailable` without Redis."""

    def __init__(
        self,
        catalogue: Catalogue,
        pools: Pools,
        deleter: PictureDeleter,
        notes: AuditLog,
        *,
        kept_s: int,
    ) -> None:
        """Work on these; a picture that is unpinned is kept for another `kept_s` seconds."""
        self._catalogue = catalogue
        self._pools = pools
        self._deleter = deleter
        self._notes = notes
        self._kept_s = kept_s

    async def page(
        self, *, app: str = "", older_than_s: int = 0, cursor: str = "", number: int
    ) -> tuple[list[PoolRecord], str]:
        """List pools by their last purchase, newest first.

        Args:
            app: Only pools that "team/app" bought for.
            older_than_s: Only pools whose last purchase is at least this long ago, seconds.
            cursor: From the previous page; "" for the first page.
            number: Page size.

        Returns:
            The pools and the cursor of the next page, "" after the last.

        Raises:
            Invalid: The cursor is malformed.
        """
        before_ms, after = None, ""
        if older_than_s:
            before_ms = await self._catalogue.now_ms() - older_than_s * 1000
        if cursor:
            if not (place := re.fullmatch(CURSOR, cursor)):
                raise Invalid("Invalid cursor: pass `next_cursor` of the previous page unchanged")
            before_ms, after = int(place[1]), place[2]
        found = await self._catalogue.pools(
            app=app, before_ms=before_ms, number=number, after=after
        )
        pool_records = await self.pool_records([fingerprint for fingerprint, _ in found])
        more = f"{found[-1][1]}.{found[-1][0]}" if len(found) == number else ""
        return pool_records, more

    async def of_prompt(self, prompt_sha256: str) -> list[PoolRecord]:
        """Return the pools of exactly this prompt."""
        return await self.pool_records(await self._catalogue.pools_for(prompt_sha256))

    async def pool(self, fingerprint: str) -> PoolRecord:
        """Return one pool.

        Raises:
            NotFound: There is no such pool.
        """
        (pool_record,) = await self.pool_records([_fingerprint(fingerprint)])
        if pool_record.about is None and not pool_record.pool.pictures:
            raise NotFound("There is no such pool; list the pools to see those that exist")
        return pool_record

    async def picture(self, name: str) -> Record:
        """Return one picture by its file name, its hash, or a URL that ends in either.

        Raises:
            NotFound: It is not stored.
            Invalid: The name is malformed.
        """
        found = _NAME.fullmatch(name.strip())
        if not found:
            raise Invalid("A picture is named by its hash (64 hexadecimal digits) or by its URL")
        ends = [found[2]] if found[2] else [f".{each}" for each in EXTENSIONS.values()]
        for record in await self._catalogue.records([found[1] + end for end in ends]):
            if record is not None:
                return record
        raise NotFound("There is no such picture in the store")

    async def records(self, names: Sequence[str]) -> list[Record | None]:
        """Return the records of pictures; None for an unknown one."""
        return await self._catalogue.records(names)

    async def purge(self, selection: Selection, who: str) -> Purged:
        """Remove pictures from pools, on every instance at once.

        Args:
            selection: What to remove.
            who: The acting user, for the audit log.

        Raises:
            Invalid: Not exactly one thing is selected.
            NotFound: There is no such picture.
        """
        selected = [
            name
            for name in ("fingerprint", "picture", "app", "prompt", "everything")
            if getattr(selection, name)
        ]
        if len(selected) != 1:
            raise Invalid("Give exactly one of fingerprint, picture, app, prompt and everything")
        pools = pictures = 0
        if selection.picture:
            for record in await self.family(await self.picture(selection.picture)):
                taken = await self._deleter.unpool(record)
                pools, pictures = pools + taken, pictures + taken
        else:
            for fingerprint in await self._selected(selection):
                taken = await self._purge(fingerprint, selection.older_than_s)
                pools, pictures = pools + (taken > 0), pictures + taken
        purged = Purged(pools=pools, pictures=pictures)
        shown = str(getattr(selection, selected[0]))
        if selection.prompt:
            shown = prompt_digest(selection.prompt)
        await self._note(who, "purge", f"{selected[0]} {shown}", purged)
        return purged

    async def _selected(self, selection: Selection) -> list[str]:
        if selection.fingerprint:
            return [_fingerprint(selection.fingerprint)]
        if selection.prompt:
            return await self._catalogue.pools_for(prompt_digest(selection.prompt))
        found: list[str] = []
        before_ms, after = None, ""
        while page := await self._catalogue.pools(
            app=selection.app, before_ms=before_ms, number=_PAGE, after=after
        ):
            found += [fingerprint for fingerprint, _ in page]
            after, before_ms = page[-1]
        return found

    async def _purge(self, fingerprint: str, older_than_s: int) -> int:
        if not older_than_s:
            taken = await self._pools.empty(fingerprint)
            await self._catalogue.drop_pool(fingerprint)
            return taken
        (pool,) = await self._pools.read_all((fingerprint,))
        old = {
            picture.sha256
            for picture in pool.pictures
            if pool.read_s - picture.made_s >= older_than_s
        }
        return await self._pools.remove(fingerprint, old) if old else 0

    async def pin(self, name: str, who: str, *, pinned: bool, why: str = "") -> Record:
        """Pin a picture in the store and in its pools so that it never expires, or unpin it.

        Raises:
            NotFound: It is not stored.
            Invalid: The reason is not one short line.
        """
        check_why(why)
        record = await self.picture(name)
        now_s = await self._catalogue.now_ms() // 1000
        await self._catalogue.pin(record.name, pinned=pinned)
        until_s = 0 if pinned else now_s + self._kept_s
        for fingerprint in record.pools:
            await self._pools.keep(fingerprint, {record.sha256}, until_s, pinned=True)
        was, now = {"pinned": record.pinned}, {"pinned": pinned}
        await self._note(who, "pin", record.name, now, was=was, why=why)
        return await self.picture(record.name)

    async def pin_model(self, endpoint: str, who: str, *, cursor: str = "") -> tuple[int, str]:
        """Pin all pictures of a model that ends, in a page of pools.

        Return how many were not pinned before, and the cursor of the next page, "" after the last.
        """
        pinned = 0
        pools, after = await self.page(cursor=cursor, number=_PAGE)
        for each in pools:
            if each.about is not None and each.about.endpoint == endpoint:
                names = [picture.name for picture in each.pool.pictures]
                for record in await self._catalogue.records(names):
                    if record is not None and not record.pinned:
                        pinned += await self._catalogue.pin(record.name, pinned=True)
                hashes = {picture.sha256 for picture in each.pool.pictures}
                await self._pools.keep(each.fingerprint, hashes, 0, pinned=True)
        if pinned:
            await self._note(who, "pin", f"model {endpoint}", {"pinned": pinned})
        return pinned, after

    async def reject(self, name: str, who: str, *, what: str = "reject", why: str = "") -> Purged:
        """Remove a picture, its original and everything converted from that from every pool.

        Otherwise the next request would make it again from another file that shows the same.

        Raises:
            NotFound: It is not stored.
            Conflict: No pool has it.
            Invalid: The reason is not one short line.
        """
        check_why(why)
        pools = pictures = 0
        was = await self.picture(name)
        for record in await self.family(was):
            await self._catalogue.pin(record.name, pinned=False)
            taken = await self._deleter.unpool(record)
            pools, pictures = pools + taken, pictures + (taken > 0)
        if not pools:
            raise Conflict("This picture is not in any pool")
        done = Purged(pools=pools, pictures=pictures)
        before = {"pools": was.pools, "pinned": was.pinned}
        await self._note(who, what, name, done, was=before, why=why)
        return done

    async def root(self, name: str) -> Record:
        """Return the picture that a picture was converted from, else itself.

        Raises:
            NotFound: It is not stored.
        """
        family = await self.family(await self.picture(name))
        return next((each for each in family if not each.master), family[0])

    async def family(self, record: Record) -> list[Record]:
        """Return a picture, its original and everything converted from that."""
        (master,) = await self._catalogue.records((record.master,)) if record.master else (None,)
        root = master or record
        derived = await self._catalogue.records(root.derived)
        found = {each.name: each for each in (record, root, *derived) if each is not None}
        return list(found.values())

    async def pool_records(self, fingerprints: Sequence[str]) -> list[PoolRecord]:
        """Return pools; one that is unknown is empty."""
        return await pool_records(self._catalogue, self._pools, fingerprints)

    async def _note(
        self, who: str, what: str, subject: str, after: Any, *, was: Any = None, why: str = ""
    ) -> None:
        change = Change(who=who, action="cache", subject=f"{what} {subject}", why=why)
        await self._notes.note(change, after, was)


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.fullmatch(text):
        raise Invalid("A pool is named by its fingerprint (64 hexadecimal digits)")
    return text
