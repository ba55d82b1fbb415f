"""The pictures by URL: public like fal's, as a name cannot be guessed, or signed for a while."""

from typing import Any

from litestar import HttpMethod, Request, Response, Router, route
from litestar.params import FromPath

from falgate.core.picture import media_type_of
from falgate.http.byterange import part, unchanged
from falgate.http.picture_urls import PictureSource, PictureUrls

_PUBLIC = {
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
# A name is the hash of its bytes, so what it shows never changes.
_HEADERS = {
    **_PUBLIC,
    "Accept-Ranges": "bytes",
}
_DAY_S = 86_400
_UNSIGNED = b'{"detail":"This URL of a picture is not signed; ask for the picture again"}'
_EXPIRED = b'{"detail":"This URL of a picture has expired; ask for the picture again"}'


def pictures_router(picture_urls: PictureUrls) -> Router:
    """The route that serves them. Needs no key: whoever was given the URL may look."""

    @route(
        "/{name:path}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        tags=["pictures"],
        summary="A picture, by the name in its URL",
        media_type="image/*",
    )
    async def picture(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        name = name.removeprefix("/")
        kept = _kept(picture_urls, name, request)
        # Before the store is asked: who has no link learns nothing, not by the time either.
        if isinstance(kept, Response):
            return kept
        return await _shown(picture_urls.source, name, kept, request)

    return Router("/pictures", route_handlers=[picture])


async def _shown(
    store: PictureSource, name: str, kept: str, request: Request[Any, Any, Any]
) -> Response[bytes]:
    """All of a picture or the part that is asked for."""
    media_type = media_type_of(name)
    size_bytes = await store.size(name) if media_type else None
    if media_type is None or size_bytes is None:
        return _missing(request)
    etag = f'"{name.partition(".")[0]}"'
    headers = {**_HEADERS, "Cache-Control": kept, "ETag": etag}
    if unchanged(_field(request, "If-None-Match"), etag):
        return Response(b"", status_code=304, headers=headers)
    if request.method == HttpMethod.HEAD:  # for which Range means nothing
        headers["Content-Length"] = str(size_bytes)
        return Response(b"", headers=headers, media_type=media_type)
    asked = part(_field(request, "Range"), _field(request, "If-Range"), etag, size_bytes)
    if asked == "unsatisfiable":
        headers["Content-Range"] = f"bytes */{size_bytes}"
        return Response(b"", status_code=416, headers=headers, media_type=media_type)
    if asked == "whole":
        data, status = await store.read(name), 200
    else:
        data, status = await store.read(name, asked.start, asked.end), 206
        headers["Content-Range"] = asked.content_range(size_bytes)
    if data is None:  # removed since its size was asked for
        return _missing(request)
    return Response(data, status_code=status, headers=headers, media_type=media_type)


def _kept(
    picture_urls: PictureUrls, name: str, request: Request[Any, Any, Any]
) -> str | Response[bytes]:
    """How long a picture may be kept by who sees it, or why they may not see it."""
    if not picture_urls.signs:
        return f"public, max-age={_DAY_S}, immutable"
    given = (request.query_params.get(each, "") for each in ("expires", "signature"))
    left_s = picture_urls.left_s(name, *given)
    if left_s is None or left_s <= 0:
        return _refused(request, _UNSIGNED if left_s is None else _EXPIRED)
    return f"private, max-age={min(left_s, _DAY_S)}, immutable"


def _field(request: Request[Any, Any, Any], name: str) -> str | None:
    """A header that may have come in several lines."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


def _missing(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _refused(request, b'{"detail":"Picture not found"}', status=404)


def _refused(request: Request[Any, Any, Any], body: bytes, status: int = 403) -> Response[bytes]:
    headers = {**_PUBLIC, "Cache-Control": "no-store", "Content-Length": str(len(body))}
    sent = b"" if request.method == HttpMethod.HEAD else body
    return Response(sent, status_code=status, headers=headers, media_type="application/json")
