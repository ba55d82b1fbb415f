"""Answers with pictures: where the pictures came from, and what they cost."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from falgate.cache.decision import Why
from falgate.cache.request import PictureRequest
from falgate.core.events import Source
from falgate.core.money import Micros
from falgate.core.picture import Picture, foreign_file
from falgate.jobs.job import Job
from falgate.models import price
from falgate.models.spec import ModelSpec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures for a caller, and what they cost.

    Attributes:
        source: How the request was served.
        pictures: From our own store.
        foreign: fal's own file objects, for pictures that could not be stored yet.
        bought: How many of the pictures were bought for this answer.
        billed: What this caller's budgets were charged, in micro-USD.
        saved: List price of the pictures that were not bought for it, in micro-USD.
        remaining: Of the tightest budget, in micro-USD; None if nothing was bought.
        why: Why anything was bought, see `Why`.
        kept: Whether the bought pictures are in the pool now.
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
        """Return the number of pictures."""
        return len(self.pictures) + len(self.foreign)


class Delivery(msgspec.Struct, frozen=True):
    """What a job has delivered: pictures in our store, or fal's own files until they are there."""

    pictures: tuple[Picture, ...] = ()
    foreign: tuple[dict[str, Any], ...] = ()


def delivered(spec: ModelSpec, job: Job, may_fetch: Callable[[str], bool]) -> Delivery | None:
    """Return what a job has delivered; None if it has no picture to hand out, now or later.

    Args:
        spec: The model.
        job: As it was read.
        may_fetch: Whether a URL is on a host that delivers pictures of the job's upstream; files on
            other hosts are not handed on.
    """
    if job.state == "finished" and job.pictures:
        return Delivery(job.pictures)
    if job.state == "paid" and job.trouble == "unbanked":
        files = (foreign_file(file) for file in spec.files(job.output))
        foreign = tuple(file for file in files if file and may_fetch(file["url"]))
        return Delivery(foreign=foreign) if foreign else None
    return None


def free(
    request: PictureRequest,
    source: Source,
    pictures: tuple[Picture, ...],
    foreign: tuple[dict[str, Any], ...] = (),
) -> Answer:
    """Answer with as many of these pictures as were asked for; nobody pays for them now."""
    wanted = request.wanted
    return Answer(
        source=source,
        pictures=pictures[:wanted],
        foreign=foreign[: max(0, wanted - len(pictures))],
        saved=price.worth(request.spec, request.arguments, wanted, sizes(pictures)),
    )


def sizes(pictures: Iterable[Picture]) -> list[price.Pixels]:
    """Return the sizes of pictures, by which some models price them."""
    return [(picture.width, picture.height) for picture in pictures]


def bought(
    request: PictureRequest, job: Job, pool: tuple[Picture, ...], delivery: Delivery
) -> Answer:
    """Answer with what a purchase has delivered, behind the pictures that its pool had before."""
    source: Source = "partial" if pool else "miss"
    return Answer(
        source="bypass" if job.order.fresh else source,
        why=job.order.why,
        kept=job.kept,
        pictures=(*pool, *delivery.pictures)[: request.wanted],
        foreign=delivery.foreign[: job.order.number],
        bought=len(delivery.pictures) + len(delivery.foreign),
        billed=job.charged,
        saved=job.order.saved,
        remaining=job.remaining,
    )
