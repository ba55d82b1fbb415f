"""Forgetting a prompt: its pools, its pictures and its text, wherever they are, with a receipt."""

import uuid
from collections.abc import Sequence
from typing import Protocol

import msgspec

from falgate.cache.fingerprint import prompt_digest
from falgate.core.change import Change
from falgate.core.problems import Invalid
from falgate.pictures.admin import AuditLog
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.garbage import Readable
from falgate.pictures.ports import Catalogue


class Texts(Protocol):
    """Where prompts stand beside pools. Without Redis: `Unavailable`."""

    async def forget_requests(self, upstreams: Sequence[str], prompt: str, sha256: str) -> int:
        """Forget kept requests with this prompt that have ended; how many."""

    async def forget_refusals(self, prompt: str) -> int:
        """Forget what fal said when it refused this prompt; how many such answers."""

    async def under_way(self, upstreams: Sequence[str], sha256: str) -> int:
        """How many purchases for it are under way."""

    async def rewrite_log(self) -> bool:
        """Have Redis write its log anew; whether it does."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten. The ledger's amounts stay; they name no prompt.

    Attributes:
        id: Of this receipt.
        at_ms: When, Redis time.
        prompt_sha256: Hex digest of the prompt.
        pools: How many pools were emptied.
        pictures: How many picture files were removed, made here or bought.
        size_bytes: Their length.
        shared: Names of those that another prompt has too, which stay for that one.
        requests: How many kept requests with their answers.
        refusals: How many answers in which fal had refused it.
        under_way: Purchases for it that are not over: they are in no pool when they are, but their
            pictures are stored. Forget it again then.
        log_rewritten: Whether Redis writes its log anew, in which the text stood.
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
    """Forgets prompts."""

    def __init__(
        self,
        catalogue: Catalogue,
        pools: Readable,
        remover: PictureDeleter,
        texts: Texts,
        notes: AuditLog,
        *,
        upstreams: Sequence[str],
    ) -> None:
        """In the pools and requests of these upstreams, and in the store."""
        self._catalogue = catalogue
        self._pools = pools
        self._remover = remover
        self._texts = texts
        self._notes = notes
        self._upstreams = tuple(dict.fromkeys(upstreams))

    async def forget(self, prompt: str, who: str) -> Receipt:
        """Forget exactly this prompt, in every scope and variation, pinned or not.

        Again after a failure, it goes on; again after it was done, it finds nothing.

        Raises:
            Invalid: It is empty.
            Unavailable: Without Redis or the store; then it is not all forgotten.
        """
        if not prompt:
            raise Invalid("Give the prompt, exactly as it was asked for")
        sha256 = prompt_digest(prompt)
        under_way = await self._texts.under_way(self._upstreams, sha256)
        fingerprints = await self._catalogue.pools_for(sha256)
        names = await self._catalogue.pictured(sha256)
        for fingerprint in fingerprints:
            await self._pools.empty(fingerprint)
        found = [each for each in await self._catalogue.records(names) if each is not None]
        own = [record for record in found if set(record.prompts) == {sha256}]
        removed = await self._remover.remove_now(own)
        for fingerprint in fingerprints:
            await self._catalogue.drop(fingerprint)
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
