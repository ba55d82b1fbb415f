"""The picture route: public URLs that cannot be guessed, as fal's, or signed ones that expire."""

from typing import Any

from litestar import HttpMethod, Request, Response, Router, route
from litestar.params import FromPath

from falgate.core.picture import media_type_of
from falgate.http.byterange import part, unchanged
from falgate.http.forwarded import from_trusted
from falgate.http.picture_urls import PictureUrls

_PUBLIC = {
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
# A name is the hash of the picture's bytes, so its content never changes.
_HEADERS = {
    **_PUBLIC,
    "Accept-Ranges": "bytes",
}
_DAY_S = 86_400
_UNSIGNED = b'{"detail":"This picture URL has no valid signature; request the picture again"}'
_EXPIRED = b'{"detail":"This picture URL has expired; request the picture again"}'


def pictures_router(picture_urls: PictureUrls) -> Router:
    """Return the route that serves pictures. It needs no key: knowing the URL is enough."""

    @route(
        "/{name:path}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        tags=["pictures"],
        summary="Get a picture by its name",
        media_type="image/*",
    )
    async def picture(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        name = name.removeprefix("/")
        kept = _kept(picture_urls, name, request)
        # The signature is checked before the store is asked, so that without a valid link neither
        # the status nor the response time tells whether a picture exists.
        if isinstance(kept, Response):
            return kept
        return await _shown(picture_urls, name, kept, request)

    return Router("/pictures", route_handlers=[picture])


async def _shown(
    picture_urls: PictureUrls, name: str, kept: str, request: Request[Any, Any, Any]
) -> Response[bytes]:
    """Return the picture or the requested range of it."""
    store, media_type = picture_urls.source, media_type_of(name)
    size_bytes = await store.size(name) if media_type else None
    if media_type is None or size_bytes is None:
        return _missing(request)
    etag = f'"{name.partition(".")[0]}"'
    headers = {**_HEADERS, "Cache-Control": kept, "ETag": etag}
    if unchanged(_field(request, "If-None-Match"), etag):
        return Response(b"", status_code=304, headers=headers)
    if request.method == HttpMethod.HEAD:  # RFC 9110 defines Range for GET only
        headers["Content-Length"] = str(size_bytes)
        return Response(b"", headers=headers, media_type=media_type)
    asked = part(_field(request, "Range"), _field(request, "If-Range"), etag, size_bytes)
    if asked == "unsatisfiable":
        headers["Content-Range"] = f"bytes */{size_bytes}"
        return Response(b"", status_code=416, headers=headers, media_type=media_type)
    data: bytes | None = b""
    if asked != "whole":
        data = await store.read(name, asked.start, asked.end)
        headers["Content-Range"] = asked.content_range(size_bytes)
    elif picture_urls.accel and from_trusted(request.scope):
        headers = _for_nginx(f"{picture_urls.accel}/{name}", kept, etag)
    else:
        data = await store.read(name)
    if data is None:  # removed since its size was read
        return _missing(request)
    status = 200 if asked == "whole" else 206
    return Response(data, status_code=status, headers=headers, media_type=media_type)


def _for_nginx(location: str, kept: str, etag: str) -> dict[str, str]:
    """Return headers that make nginx send the picture at one of its internal locations.

    It puts a Cache-Control that it knows on its own errors too, so it gets it by another name.
    """
    return {
        **_PUBLIC,
        "ETag": etag,
        "X-Falgate-Cache-Control": kept,
        "X-Accel-Redirect": location,
    }


def _kept(
    picture_urls: PictureUrls, name: str, request: Request[Any, Any, Any]
) -> str | Response[bytes]:
    """Return the Cache-Control value of a picture, or the refusal of an invalid link."""
    if not picture_urls.signs:
        return f"public, max-age={_DAY_S}, immutable"
    given = (request.query_params.get(each, "") for each in ("expires", "signature"))
    left_s = picture_urls.left_s(name, *given)
    if left_s is None or left_s <= 0:
        return _refused(request, _UNSIGNED if left_s is None else _EXPIRED)
    return f"private, max-age={min(left_s, _DAY_S)}, immutable"


def _field(request: Request[Any, Any, Any], name: str) -> str | None:
    """Return a header's value; repeated headers are joined."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


def _missing(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _refused(request, b'{"detail":"Picture not found"}', status=404)


def _refused(request: Request[Any, Any, Any], body: bytes, status: int = 403) -> Response[bytes]:
    headers = {**_PUBLIC, "Cache-Control": "no-store", "Content-Length": str(len(body))}
    sent = b"" if request.method == HttpMethod.HEAD else body
    return Response(sent, status_code=status, headers=headers, media_type="application/json")
