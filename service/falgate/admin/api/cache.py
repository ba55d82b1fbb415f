"""/cache: list, purge, pin, reject, reroll and erase pools and pictures."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.cache_shapes import (
    PictureShown,
    PoolShown,
    ReceiptShown,
    RerolledShown,
)
from falgate.admin.api.cache_sight import check_only_theirs, check_seen, pools_seen, sees
from falgate.admin.api.paging import LIMIT, Limit, Page, pattern_cursor
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, AdminServices, Who
from falgate.admin.api.shapes import instant
from falgate.cache.fingerprint import prompt_digest
from falgate.core.change import WHY_MAX
from falgate.core.money import dollars
from falgate.core.problems import Invalid, NotFound
from falgate.pictures.admin import CURSOR, CacheAdmin
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.pictures.selection import AGE_S_MAX, Purged, Selection
from falgate.requests.erasure import PromptEraser
from falgate.requests.reroll import Rerolls

routes, gateway_routes = Resource("cache"), Resource("cache")
_ONE = "/cache/pictures/{name:str}"

OfApp = Annotated[
    str, QueryParameter(max_length=200, description="Only pools that TEAM/APP bought for")
]
Behind = Annotated[str, pattern_cursor(CURSOR)]
Reason = Annotated[
    str, Meta(max_length=WHY_MAX, description="Reason, one line, kept in the audit log")
]
OlderThan = Annotated[
    int,
    QueryParameter(ge=0, le=AGE_S_MAX, description="Minimum age of the last purchase, seconds"),
]


class PromptGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prompt. It is sent in the body because paths are logged."""

    prompt: Annotated[str, Meta(min_length=1, max_length=1_000_000)]

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "PromptGiven(...)"


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is done to a picture."""

    why: Reason = ""


class Again(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The original request, for pictures whose prompt is not stored."""

    request: dict[str, Any] | None = None
    why: Reason = ""

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "Again(...)"


class ModelPin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model whose pictures are to be kept for ever."""

    model: Annotated[str, Meta(max_length=200, examples=["fal-ai/gpt-image-1.5"])]
    cursor: Annotated[str, Meta(pattern=f"^({CURSOR})?$", description="Of the last answer")] = ""


class ModelPinned(msgspec.Struct, frozen=True, kw_only=True):
    """How many pictures are pinned, and where to go on."""

    pinned: int
    next_cursor: str | None


@routes.get("/cache/pools", "List pools", lead=True)
async def list_pools(
    *,
    acting: Acting,
    cache_admin: NamedDependency[CacheAdmin],
    limit: Limit = LIMIT,
    cursor: Behind = "",
    app: OfApp = "",
    older_than_s: OlderThan = 0,
) -> Page[PoolShown]:
    """By their last purchase, newest first; a lead asks for one app of the own team at a time."""
    if acting.of_theirs(app).count("/") != 1 and not acting.sees(""):
        raise Invalid(f"app: a lead lists the pools of one app, such as {acting.team}/APP")
    found, after = await cache_admin.page(
        app=app, older_than_s=older_than_s, cursor=cursor.strip(), number=limit
    )
    return Page(items=await _shown(cache_admin, acting, found), next_cursor=after or None)


@routes.act("/cache/pools/find", "Find the pools of a prompt", reads=True, lead=True)
async def find_pools(
    cache_admin: NamedDependency[CacheAdmin], acting: Acting, data: JSONBody[PromptGiven]
) -> list[PoolShown]:
    """The pools of exactly this prompt, in every scope and variation.

    For a lead, those that apps of the own team bought for.
    """
    found = await cache_admin.of_prompt(prompt_digest(data.prompt))
    return await _shown(cache_admin, acting, [each for each in found if sees(acting, each)])


@routes.get("/cache/pools/{fingerprint:str}", "Get pool", 404, lead=True)
async def show_pool(
    cache_admin: NamedDependency[CacheAdmin], acting: Acting, fingerprint: FromPath[str]
) -> PoolShown:
    """With its pictures."""
    pool_record = await cache_admin.pool(fingerprint)
    check_seen(acting, pool_record)
    (found,) = await _shown(cache_admin, acting, [pool_record])
    return found


@routes.get(_ONE, "Get a picture", 404, lead=True)
async def show_picture(
    cache_admin: NamedDependency[CacheAdmin], acting: Acting, name: FromPath[str]
) -> PictureShown:
    """By its file name or hash."""
    return await _picture(cache_admin, acting, await cache_admin.picture(name))


@routes.act("/cache/purge", "Remove pictures from pools", 404)
async def purge(
    cache_admin: NamedDependency[CacheAdmin], who: Who, data: JSONBody[Selection]
) -> Purged:
    """Takes effect on every instance at once. Files stay while they may be in use."""
    return await cache_admin.purge(data, who)


@routes.act(f"{_ONE}/pin", "Pin a picture", 404, lead=True)
async def pin(
    acting: Acting,
    cache_admin: NamedDependency[CacheAdmin],
    who: Who,
    name: FromPath[str],
    data: JSONBody[Because | None] = None,
) -> PictureShown:
    """A pinned picture never expires and is never evicted."""
    await check_only_theirs(acting, cache_admin, name)
    pinned = await cache_admin.pin(name, who, pinned=True, why=_why(data))
    return await _picture(cache_admin, acting, pinned)


@routes.act("/cache/pin", "Pin the pictures of a model", 404)
async def pin_model(
    cache_admin: NamedDependency[CacheAdmin],
    services: NamedDependency[AdminServices],
    who: Who,
    data: JSONBody[ModelPin],
) -> ModelPinned:
    """Works on a page of pools, newest first. To pin all, ask again with `next_cursor`."""
    if data.model not in services.models:
        raise NotFound(f"{data.model!r} is no model; there are {', '.join(services.models)}")
    pinned, after = await cache_admin.pin_model(data.model, who, cursor=data.cursor)
    return ModelPinned(pinned=pinned, next_cursor=after or None)


@routes.act(f"{_ONE}/unpin", "Unpin a picture", 404, lead=True)
async def unpin(
    acting: Acting,
    cache_admin: NamedDependency[CacheAdmin],
    who: Who,
    name: FromPath[str],
    data: JSONBody[Because | None] = None,
) -> PictureShown:
    """From now on it expires like any other picture."""
    await check_only_theirs(acting, cache_admin, name)
    pinned = await cache_admin.pin(name, who, pinned=False, why=_why(data))
    return await _picture(cache_admin, acting, pinned)


@routes.act(f"{_ONE}/reject", "Reject a picture", 404, 409, lead=True)
async def reject(
    acting: Acting,
    cache_admin: NamedDependency[CacheAdmin],
    who: Who,
    name: FromPath[str],
    data: JSONBody[Because | None] = None,
) -> Purged:
    """Removes the picture from every pool, in every format."""
    await check_only_theirs(acting, cache_admin, name)
    return await cache_admin.reject(name, who, why=_why(data))


@gateway_routes.act(f"{_ONE}/reroll", "Reject a picture and buy another", 404, 409)
async def reroll(
    rerolls: NamedDependency[Rerolls],
    who: Who,
    name: FromPath[str],
    data: JSONBody[Again],
) -> RerolledShown:
    """Charged to the app that bought the picture; answers when the new one is there."""
    body = b"" if data.request is None else msgspec.json.encode(data.request)
    found = await rerolls.reroll(name, who, body=body, why=data.why)
    return RerolledShown.of(
        found,
        request_id=found.request,
        pictures=[picture.name for picture in found.pictures],
        booked_usd=dollars(found.billed),
    )


@gateway_routes.act("/cache/forget", "Erase a prompt")
async def forget(
    eraser: NamedDependency[PromptEraser], who: Who, data: JSONBody[PromptGiven]
) -> ReceiptShown:
    """Erases its text, pools and pictures. What was paid stays in the ledger."""
    receipt = await eraser.forget(data.prompt, who)
    return ReceiptShown.of(receipt, at=instant(receipt.at_ms // 1000))


async def _picture(cache_admin: CacheAdmin, acting: Operator, record: Record) -> PictureShown:
    return PictureShown.from_record(record, acting, await pools_seen(acting, cache_admin, record))


def _why(data: Because | None) -> str:
    return data.why if data else ""


async def _shown(
    cache_admin: CacheAdmin, acting: Operator, pool_records: Sequence[PoolRecord]
) -> list[PoolShown]:
    """Convert pools together with the records of their pictures."""
    names = [picture.name for pool_record in pool_records for picture in pool_record.pool.pictures]
    found: list[Record | None] = await cache_admin.records(names) if names else []
    records = {record.name: record for record in found if record is not None}
    return [PoolShown.from_record(each, records, acting) for each in pool_records]
