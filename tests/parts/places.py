"""Places in memory: which pictures and jobs the requests under way of an app have."""

# ruff: noqa: D102 - the ports say what their methods do
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from falgate.cache.pool import AppPool
from falgate.core.picture import Picture
from falgate.jobs.request import QueuedRequest

_LEASE_MS = 5_000
_PICTURE_LENGTH = 64


class Places:
    """The places' port; what a hold takes is put into it, as in the script.

    Attributes:
        held: Of each pool: what, until when in ms, and by which request.
    """

    def __init__(self, steps: Any, kept: Mapping[str, QueuedRequest]) -> None:
        self.steps = steps
        self.kept = kept
        self.held: defaultdict[AppPool, dict[str, tuple[int, str]]] = defaultdict(dict)

    def put(self, pool: AppPool, what: str, request_id: str, lease_ms: int = _LEASE_MS) -> None:
        if request_id:
            until_ms = self.steps.now_ms + lease_ms if lease_ms else 0
            self.held[pool][what] = (until_ms, request_id)

    def had(self, pool: AppPool) -> list[str]:
        """All that is or was somebody's."""
        return list(self.held[pool])

    def is_free(self, pool: AppPool, what: str, request_id: str) -> bool:
        until_ms, owner = self.held[pool].get(what, (0, ""))
        return until_ms <= self.steps.now_ms or owner == request_id

    def taken(self, pool: AppPool) -> dict[str, str]:
        """What is somebody's now, by whose it is."""
        now_ms = self.steps.now_ms
        return {what: who for what, (until_ms, who) in self.held[pool].items() if until_ms > now_ms}

    async def take(
        self,
        pool: AppPool,
        request_id: str,
        pictures: Sequence[Picture],
        wanted: int,
        *,
        lease_ms: int,
    ) -> tuple[Picture, ...]:
        async with self.steps.step("take", wanted):
            known = self.held[pool]
            free = [
                picture
                for picture in pictures
                if all(self.is_free(pool, what, request_id) for what in of(picture))
            ]
            own = [
                picture
                for picture in free
                if any(known.get(what, (0, ""))[1] == request_id for what in of(picture))
            ]
            chosen = [*own, *(picture for picture in free if picture not in own)][:wanted]
            found = [picture for picture in pictures if picture in chosen]
            if request_id and pictures:
                for what in list(known):
                    if len(what) == _PICTURE_LENGTH and self.is_free(pool, what, request_id):
                        del known[what]
            for picture in found:
                self.put(pool, picture.sha256, request_id, lease_ms)
            return tuple(found)

    async def free(
        self, pool: AppPool, pictures: Sequence[Picture], wanted: int
    ) -> tuple[Picture, ...]:
        return await self.take(pool, "", pictures, wanted, lease_ms=0)

    async def keep(self, pool: AppPool, request_ids: Sequence[str], *, lease_ms: int) -> None:
        async with self.steps.step("keep places", look=True):
            for what, (until_ms, owner) in list(self.held[pool].items()):
                if owner in request_ids and until_ms:
                    self.put(pool, what, owner, lease_ms)

    async def follow(self, pool: AppPool, request_id: str, *, lease_ms: int) -> None:
        async with self.steps.step("follow", look=True):
            known = self.kept.get(request_id)
            if known is None or known.ended:
                lease_ms = 0
            for what, (_, owner) in list(self.held[pool].items()):
                if owner == request_id:
                    self.put(pool, what, owner, lease_ms)


def of(picture: Picture) -> tuple[str, str]:
    """What it is, and what it came of."""
    return picture.sha256, picture.job or picture.master[:64]
