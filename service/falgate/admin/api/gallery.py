"""/gallery: look for pictures, and see them with the requests that made them."""

from typing import Annotated, Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from falgate.accounts.operator import Operator
from falgate.admin.api.cache_sight import pools_seen
from falgate.admin.api.gallery_shapes import GalleryShown, GallerySought, RequestShown
from falgate.admin.api.paging import Page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.snippets import snippets
from falgate.core.calendar import Calendar
from falgate.core.picture import media_type_of
from falgate.core.problems import Forbidden, NotFound
from falgate.http.byterange import unchanged
from falgate.money.usage import plausible
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.catalogue import Sought
from falgate.pictures.gallery import Gallery, GalleryPicture
from falgate.pictures.storage import PictureStore
from falgate.pictures.thumbnails import CONTENT_TYPE, SIDE_PX, Side, Thumbnails

routes, gateway_routes = Resource("gallery"), Resource("gallery")
_ONE = "/cache/pictures/{name:str}"
# A name is the hash of the picture's bytes, so what is shown of it never changes. Who may see it
# does: a cache asks each time, which costs an answer without a body.
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}

SidePx = Annotated[
    Side, QueryParameter(name="side_px", description="Maximum width and height, in pixels")
]


@routes.act("/gallery/find", "Look for pictures", reads=True, lead=True)
async def find_pictures(
    acting: Acting,
    gallery: NamedDependency[Gallery],
    calendar: NamedDependency[Calendar],
    data: JSONBody[GallerySought],
) -> Page[GalleryShown]:
    """By the last purchase for their pool, newest first; those that no pool serves are left out.

    The work for one page is bounded: it may be short, or empty, although `next_cursor` says that
    there are more. Words are only found in prompts that are stored. A lead sees what the own team's
    apps bought for.
    """
    if data.words and not acting.prompts:
        raise Forbidden("words: you may not see prompts, so you may not look for words in them")
    found, after = await gallery.page(
        _sought(data, acting, calendar), cursor=data.cursor, number=data.limit
    )
    items = [GalleryShown.by(each, acting) for each in found]
    return Page(items=items, next_cursor=after or None)


@routes.get("/gallery/{name:str}", "Get a picture with its request", 404, lead=True)
async def show_gallery_picture(
    acting: Acting,
    gallery: NamedDependency[Gallery],
    cache_admin: NamedDependency[CacheAdmin],
    name: FromPath[str],
) -> GalleryShown:
    """By its file name or hash, also if no pool serves it any more."""
    found = await _found(acting, gallery, cache_admin, name)
    return GalleryShown.by(found, acting, whole=True)


@routes.get(f"{_ONE}/request", "Get the request that made a picture", 404, lead=True)
async def show_request(
    acting: Acting,
    gallery: NamedDependency[Gallery],
    cache_admin: NamedDependency[CacheAdmin],
    name: FromPath[str],
) -> RequestShown:
    """As it can be sent again, for a shell and for fal's clients."""
    found = await _found(acting, gallery, cache_admin, name)
    about = found.pool.about if found.pool else None
    if about is None:
        return RequestShown(model=None, headers={}, arguments=None, snippets=None)
    headers = {"X-Falgate-Variation": about.variation} if about.variation else {}
    arguments = about.arguments if acting.prompts else None
    return RequestShown(
        model=about.endpoint,
        headers=headers,
        arguments=arguments,
        snippets=snippets(about.endpoint, arguments, headers) if arguments else None,
    )


@gateway_routes.get(f"{_ONE}/thumbnail", "Get a thumbnail", 404, lead=True, media_type=CONTENT_TYPE)
async def show_thumbnail(
    *,
    acting: Acting,
    gallery: NamedDependency[Gallery],
    cache_admin: NamedDependency[CacheAdmin],
    thumbnails: NamedDependency[Thumbnails],
    request: Request[Any, Any, Any],
    name: FromPath[str],
    side_px: SidePx = SIDE_PX,
) -> Response[bytes]:
    """As WebP. It is made when it is first asked for; a converted picture has its original's."""
    await _found(acting, gallery, cache_admin, name)
    record = await cache_admin.root(name)
    etag = f'"{record.sha256}-{side_px}"'
    if unchanged(request.headers.get("If-None-Match"), etag):
        return _unchanged(etag)
    data = await thumbnails.get(record, side_px)
    if data is None:
        raise NotFound("There is no thumbnail: the picture's file is gone, or cannot be decoded")
    return Response(data, media_type=CONTENT_TYPE, headers={**_HEADERS, "ETag": etag})


@gateway_routes.get(f"{_ONE}/file", "Get a picture's file", 404, lead=True, media_type="image/*")
async def show_file(
    *,
    acting: Acting,
    gallery: NamedDependency[Gallery],
    cache_admin: NamedDependency[CacheAdmin],
    picture_store: NamedDependency[PictureStore],
    request: Request[Any, Any, Any],
    name: FromPath[str],
) -> Response[bytes]:
    """The whole file as it is stored; no public URL is needed."""
    record = (await _found(acting, gallery, cache_admin, name)).record
    etag = f'"{record.sha256}"'
    if unchanged(request.headers.get("If-None-Match"), etag):
        return _unchanged(etag)
    data = await picture_store.read(record.name)
    if data is None:
        raise NotFound("The picture's file is gone")
    headers = {**_HEADERS, "ETag": etag}
    return Response(data, media_type=media_type_of(record.name), headers=headers)


async def _found(
    acting: Operator, gallery: Gallery, cache_admin: CacheAdmin, name: str
) -> GalleryPicture:
    """Return a picture that an operator may see: a lead, what the own team bought or shares."""
    record = await cache_admin.picture(name)
    return await gallery.picture(record, await pools_seen(acting, cache_admin, record))


def _unchanged(etag: str) -> Response[bytes]:
    return Response(b"", status_code=304, headers={**_HEADERS, "ETag": etag})


def _sought(data: GallerySought, acting: Operator, calendar: Calendar) -> Sought:
    plausible(data.first, data.last)
    team = acting.of_theirs(data.team, or_app=False)
    acting.of_theirs(data.app)
    width, _, height = data.size.partition("x")
    return Sought(
        words=data.words,
        team=team,
        app=data.app,
        endpoint=data.model,
        quality=data.quality,
        width=int(width or 0),
        height=int(height or 0),
        from_ms=calendar.day(data.first).starts_ms if data.first else 0,
        until_ms=calendar.day(data.last).ends_ms if data.last else None,
        pinned=data.pinned,
    )
