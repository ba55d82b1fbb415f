"""An answer with pictures: where they came from, and what they cost whom."""

from collections.abc import Callable
from typing import Any

import msgspec

from falgate.core.events import Source
from falgate.core.money import Micros
from falgate.core.picture import Picture, foreign_file
from falgate.jobs.job import Job, Why
from falgate.models import price
from falgate.models.spec import ModelSpec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures for a caller, and what they cost.

    Attributes:
        source: Where they came from.
        pictures: From our own store.
        foreign: fal's own file objects, where its pictures could not be banked yet.
        bought: How many were paid for by this answer.
        billed: What this caller's budgets were charged, micro-USD.
        saved: List price of the pictures that were not bought for it, micro-USD.
        remaining: Of the tightest budget, micro-USD; None where nothing was bought.
        why: Why anything was bought, see `Why`.
        kept: Whether what was bought is in the pool now.
    """

    source: Source
    pictures: tuple[Picture, ...]
    foreign: tuple[dict[str, Any], ...] = ()
    bought: int = 0
    billed: Micros = 0
    saved: Micros = 0
    remaining: Micros | None = None
    why: Why = "miss"
    kept: bool = True

    @property
    def count(self) -> int:
        """How many pictures it has."""
        return len(self.pictures) + len(self.foreign)


class Delivery(msgspec.Struct, frozen=True):
    """What a job has brought: pictures of ours, or fal's own files for them."""

    pictures: tuple[Picture, ...] = ()
    foreign: tuple[dict[str, Any], ...] = ()


def delivered(spec: ModelSpec, job: Job, may_fetch: Callable[[str], bool]) -> Delivery | None:
    """What a job has brought; None when there is, or will be, no picture to hand out.

    Args:
        spec: The model.
        job: As it was read.
        may_fetch: Whether a URL is of a host that delivers for its seller: no other is handed on.
    """
    if job.state == "finished" and job.pictures:
        return Delivery(job.pictures)
    if job.state == "paid" and job.trouble == "unbanked":
        files = (foreign_file(file) for file in spec.files(job.output))
        foreign = tuple(file for file in files if file and may_fetch(file["url"]))
        return Delivery(foreign=foreign) if foreign else None
    return None


def free(
    spec: ModelSpec,
    arguments: Any,
    source: Source,
    pictures: tuple[Picture, ...],
    foreign: tuple[dict[str, Any], ...] = (),
) -> Answer:
    """As many of these pictures as were asked for, which cost nobody anything now."""
    wanted = spec.asked(arguments)
    handed = pictures[:wanted]
    made_here = any(picture.master for picture in handed)
    return Answer(
        source="derived" if source == "hit" and made_here else source,
        pictures=handed,
        foreign=foreign[: max(0, wanted - len(pictures))],
        saved=price.listed(spec, arguments, wanted),
    )


def bought(
    spec: ModelSpec, arguments: Any, job: Job, pool: tuple[Picture, ...], brought: Delivery
) -> Answer:
    """What a purchase has brought, behind the pictures that its pool had before."""
    source: Source = "partial" if pool else "miss"
    return Answer(
        source="bypass" if job.order.fresh else source,
        why=job.order.why,
        kept=job.kept,
        pictures=(*pool, *brought.pictures)[: spec.asked(arguments)],
        foreign=brought.foreign[: job.order.number],
        bought=len(brought.pictures) + len(brought.foreign),
        billed=job.charged,
        saved=job.order.saved,
        remaining=job.remaining,
    )
