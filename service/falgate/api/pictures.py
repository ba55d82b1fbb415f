"""The pictures by URL: public like fal's, because a name cannot be guessed."""

from typing import Any, Protocol

from litestar import HttpMethod, Request, Response, Router, route
from litestar.params import FromPath

from falgate.core.byterange import part, unchanged
from falgate.core.picture import media_type_of

_PUBLIC = {
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
# A name is the hash of its bytes, so what it shows never changes.
_HEADERS = {
    **_PUBLIC,
    "Accept-Ranges": "bytes",
    "Cache-Control": "public, max-age=86400, immutable",
}


class PictureSource(Protocol):
    """Where pictures are read from; raises `Unavailable` when it cannot be asked."""

    async def size(self, name: str) -> int | None:
        """Its length in bytes, or None when it is not there."""

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Its bytes from `start` up to before `end`, or None when it is not there."""


def pictures_router(store: PictureSource) -> Router:
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
        media_type = media_type_of(name)
        size_bytes = await store.size(name) if media_type else None
        if media_type is None or size_bytes is None:
            return _missing(request)
        etag = f'"{name.partition(".")[0]}"'
        headers = {**_HEADERS, "ETag": etag}
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

    return Router("/pictures", route_handlers=[picture])


def _field(request: Request[Any, Any, Any], name: str) -> str | None:
    """A header that may have come in several lines."""
    lines = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


def _missing(request: Request[Any, Any, Any]) -> Response[bytes]:
    body = b'{"detail":"Picture not found"}'
    headers = {**_PUBLIC, "Cache-Control": "no-store", "Content-Length": str(len(body))}
    sent = b"" if request.method == HttpMethod.HEAD else body
    return Response(sent, status_code=404, headers=headers, media_type="application/json")
