"""Erasure of a prompt: deletes its pools, pictures and text everywhere, and returns a receipt."""

import uuid
from collections.abc import Sequence

import msgspec

from falgate.accounts.store.audit import AuditLog
from falgate.cache.fingerprint import prompt_digest
from falgate.cache.store.pools import Pools
from falgate.core.change import Change
from falgate.core.problems import Invalid
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.store.catalogue import Catalogue
from falgate.requests.store.prompts import Prompts


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased. The ledger's amounts stay; they contain no prompt.

    Attributes:
        id: Of this receipt.
        at_ms: Redis's time.
        prompt_sha256: Hex digest of the prompt.
        pools: Number of pools that were emptied.
        pictures: Number of picture files that were deleted, bought or converted.
        size_bytes: Their total size.
        shared: Names of pictures that another prompt produced too; they stay for that one.
        requests: Number of queued requests that were deleted with their answers.
        refusals: Number of fal's refusals that were deleted.
        under_way: Purchases for the prompt that are still under way. Their pictures will be in no
            pool, but will be stored: erase the prompt again when they have ended.
        log_rewritten: Whether Redis rewrites its append-only file, which still contains the text.
    """

    id: str
    at_ms: int
    prompt_sha256: str
    pools: int
    pictures: int
    size_bytes: int
    shared: tuple[str, ...]
    requests: int
    refusals: int
    under_way: int
    log_rewritten: bool


class PromptEraser:
    """Erases prompts."""

    def __init__(
        self,
        catalogue: Catalogue,
        pools: Pools,
        deleter: PictureDeleter,
        texts: Prompts,
        notes: AuditLog,
        *,
        upstreams: Sequence[str],
    ) -> None:
        """Erase in the pools and requests of these upstreams, and in the picture store."""
        self._catalogue = catalogue
        self._pools = pools
        self._deleter = deleter
        self._texts = texts
        self._notes = notes
        self._upstreams = tuple(dict.fromkeys(upstreams))

    async def forget(self, prompt: str, who: str) -> Receipt:
        """Erase exactly this prompt, in every scope and variation, even from pinned pictures.

        After a failure, repeat it to erase the rest; repeated after success, it finds nothing.

        Raises:
            Invalid: The prompt is empty.
            Unavailable: Without Redis or the store; then it is not erased completely.
        """
        if not prompt:
            raise Invalid("Give the prompt exactly as it was sent")
        sha256 = prompt_digest(prompt)
        under_way = await self._texts.under_way(self._upstreams, sha256)
        fingerprints = await self._catalogue.pools_for(sha256)
        names = await self._catalogue.pictures_of_prompt(sha256)
        for fingerprint in fingerprints:
            await self._pools.empty(fingerprint)
        found = [each for each in await self._catalogue.records(names) if each is not None]
        own = [record for record in found if set(record.prompts) == {sha256}]
        removed = await self._deleter.remove_now(own)
        for fingerprint in fingerprints:
            await self._catalogue.drop_pool(fingerprint)
        await self._texts.forget_results(self._upstreams, sha256)
        receipt = Receipt(
            id=uuid.uuid4().hex,
            at_ms=await self._catalogue.now_ms(),
            prompt_sha256=sha256,
            pools=len(fingerprints),
            pictures=len(removed),
            size_bytes=sum(record.size_bytes for record in removed),
            shared=tuple(record.name for record in found if record not in own),
            requests=await self._texts.forget_requests(self._upstreams, prompt, sha256),
            refusals=await self._texts.forget_refusals(prompt),
            under_way=under_way,
            log_rewritten=await self._texts.rewrite_log(),
        )
        await self._notes.note(Change(who=who, action="cache", subject=f"forget {sha256}"), receipt)
        return receipt
