"""/cache: list, purge, pin, reject, reroll and erase pools and pictures."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from falgate.admin.api.cache_shapes import PictureShown, PoolShown, ReceiptShown, RerolledShown
from falgate.admin.api.paging import LIMIT, Limit, Page
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import Actor, named
from falgate.cache.fingerprint import prompt_digest
from falgate.pictures.admin import AGE_S_MAX, CURSOR, CacheAdmin, Purged, Selection
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.requests.erasure import PromptEraser
from falgate.requests.reroll import Rerolls

_TAGS = ["cache"]
_ONE = "/cache/pictures/{name:str}"

OfApp = Annotated[
    str, QueryParameter(max_length=200, description="Only pools that TEAM/APP bought for")
]
Behind = Annotated[
    str,
    QueryParameter(
        pattern=f"^({CURSOR})?$",
        description="`next_cursor` of the previous page; empty for the first page",
    ),
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


class Again(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The original request, for pictures whose prompt is not stored."""

    request: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "Again(...)"


class CacheServices(msgspec.Struct, frozen=True):
    """The services behind the routes.

    Attributes:
        desk: Shows pools and pictures, and removes pictures.
        rerolls: Buys another picture; None without a gateway, like the next one.
        eraser: Erases prompts.
    """

    desk: CacheAdmin
    rerolls: Rerolls | None = None
    eraser: PromptEraser | None = None


async def shown(desk: CacheAdmin, shelves: Sequence[PoolRecord]) -> list[PoolShown]:
    """Convert pools together with the records of their pictures."""
    names = [picture.name for shelf in shelves for picture in shelf.pool.pictures]
    found: list[Record | None] = await desk.records(names) if names else []
    records = {record.name: record for record in found if record is not None}
    return [PoolShown.of(shelf, records) for shelf in shelves]


def cache_routes(services: CacheServices) -> Sequence[Any]:
    """Return the routes, for `admin_routes`."""
    desk = services.desk

    @get("/cache/pools", tags=_TAGS, summary="List pools", responses=refusals())
    async def list_pools(
        *,
        limit: Limit = LIMIT,
        cursor: Behind = "",
        app: OfApp = "",
        older_than_s: OlderThan = 0,
    ) -> Page[PoolShown]:
        """By their last purchase, newest first."""
        found, after = await desk.page(
            app=app, older_than_s=older_than_s, cursor=cursor.strip(), number=limit
        )
        return Page(items=await shown(desk, found), next_cursor=after or None)

    @post(
        "/cache/pools/find",
        tags=_TAGS,
        summary="Find the pools of a prompt",
        status_code=200,
        responses=refusals(),
    )
    async def find_pools(data: JSONBody[PromptGiven]) -> list[PoolShown]:
        """The pools of exactly this prompt, in every scope and variation."""
        return await shown(desk, await desk.of_prompt(prompt_digest(data.prompt)))

    @get("/cache/pools/{fingerprint:str}", tags=_TAGS, summary="Get pool", responses=refusals(404))
    async def show_pool(fingerprint: FromPath[str]) -> PoolShown:
        """With its pictures."""
        (found,) = await shown(desk, [await desk.pool(fingerprint)])
        return found

    @get(_ONE, tags=_TAGS, summary="Get a picture", responses=refusals(404))
    async def show_picture(name: FromPath[str]) -> PictureShown:
        """By its file name or hash."""
        return PictureShown.of(await desk.picture(name))

    @post(
        "/cache/purge",
        tags=_TAGS,
        summary="Remove pictures from pools",
        status_code=200,
        responses=refusals(404),
    )
    async def purge(data: JSONBody[Selection], x_falgate_actor: Actor = None) -> Purged:
        """Takes effect on every instance at once. Files stay while they may be in use."""
        return await desk.purge(data, named(x_falgate_actor))

    return (
        list_pools,
        find_pools,
        show_pool,
        show_picture,
        purge,
        *_picture_routes(desk),
        *_routes_of_a_gateway(services),
    )


def _picture_routes(desk: CacheAdmin) -> Sequence[Any]:
    @post(
        f"{_ONE}/pin", tags=_TAGS, summary="Pin a picture", status_code=200, responses=refusals(404)
    )
    async def pin(name: FromPath[str], x_falgate_actor: Actor = None) -> PictureShown:
        """A pinned picture never expires and is never evicted."""
        return PictureShown.of(await desk.pin(name, named(x_falgate_actor), pinned=True))

    @post(
        f"{_ONE}/unpin",
        tags=_TAGS,
        summary="Unpin a picture",
        status_code=200,
        responses=refusals(404),
    )
    async def unpin(name: FromPath[str], x_falgate_actor: Actor = None) -> PictureShown:
        """From now on it expires like any other picture."""
        return PictureShown.of(await desk.pin(name, named(x_falgate_actor), pinned=False))

    @post(
        f"{_ONE}/reject",
        tags=_TAGS,
        summary="Reject a picture",
        status_code=200,
        responses=refusals(404, 409),
    )
    async def reject(name: FromPath[str], x_falgate_actor: Actor = None) -> Purged:
        """Removes the picture from every pool, in every format."""
        return await desk.reject(name, named(x_falgate_actor))

    return (pin, unpin, reject)


def _routes_of_a_gateway(services: CacheServices) -> Sequence[Any]:
    return (
        *([_reroll_route(services.rerolls)] if services.rerolls else []),
        *([_forget_route(services.eraser)] if services.eraser else []),
    )


def _reroll_route(rerolls: Rerolls) -> Any:
    @post(
        f"{_ONE}/reroll",
        tags=_TAGS,
        summary="Reject a picture and buy another",
        status_code=200,
        responses=refusals(404, 409),
    )
    async def reroll(
        name: FromPath[str], data: JSONBody[Again], x_falgate_actor: Actor = None
    ) -> RerolledShown:
        """Charged to the app that bought the picture; answers when the new one is there."""
        body = b"" if data.request is None else msgspec.json.encode(data.request)
        found = await rerolls.reroll(name, named(x_falgate_actor), body=body)
        return RerolledShown.of(found)

    return reroll


def _forget_route(eraser: PromptEraser) -> Any:
    @post(
        "/cache/forget",
        tags=_TAGS,
        summary="Erase a prompt",
        status_code=200,
        responses=refusals(),
    )
    async def forget(data: JSONBody[PromptGiven], x_falgate_actor: Actor = None) -> ReceiptShown:
        """Erases its text, pools and pictures. What was paid stays in the ledger."""
        receipt = await eraser.forget(data.prompt, named(x_falgate_actor))
        return ReceiptShown.of(receipt)

    return forget
