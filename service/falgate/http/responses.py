"""Response bodies and headers in fal's format, with picture URLs or inline pictures."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pybase64
from litestar import Response

from falgate.core.errors import Unavailable
from falgate.core.money import dollars
from falgate.core.picture import Picture, as_file
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.answer import Answer
from falgate.models.spec import ModelSpec


async def pictures(
    spec: ModelSpec,
    answer: Answer,
    base_url: str,
    picture_urls: PictureUrls,
    *,
    inline: bool,
    dropped: str,
    called: str,
) -> Response[bytes]:
    """Return the response with an answer's pictures.

    Args:
        spec: The model.
        answer: The pictures, and what they cost.
        base_url: Base of the picture URLs, without a trailing slash.
        picture_urls: Builds them.
        inline: Whether the pictures are embedded as data URIs instead.
        dropped: Names of the dropped fields of the request's body.
        called: The name under which the model was called, if that is another one; else "".

    Raises:
        Unavailable: A picture was removed after the answer was decided.
    """
    named = {"X-Falgate-Model": spec.endpoint} if called else {}
    return Response(
        await body(spec, answer, base_url, picture_urls, inline=inline),
        headers={**headers(answer, picture_urls.now_s()), **ignored(dropped), **named},
        media_type="application/json",
    )


async def body(
    spec: ModelSpec, answer: Answer, base_url: str, picture_urls: PictureUrls, *, inline: bool
) -> bytes:
    """Return the JSON body; `inline` embeds the pictures as data URIs instead of URLs.

    Raises:
        Unavailable: A picture was removed after the answer was decided.
    """
    if inline:
        return await inlined(spec, answer, picture_urls)
    return linked(spec, answer, base_url, picture_urls)


def linked(spec: ModelSpec, answer: Answer, base_url: str, picture_urls: PictureUrls) -> bytes:
    """Return the JSON body, with URLs of the pictures."""
    uris = [f'"{picture_urls.url(base_url, each.name)}"'.encode() for each in answer.pictures]
    return _encoded(spec, answer, uris)


async def inlined(spec: ModelSpec, answer: Answer, picture_urls: PictureUrls) -> bytes:
    """Return the JSON body, with the pictures as data URIs; raises as `body`."""
    uris = await asyncio.gather(*(_data_uri(each, picture_urls) for each in answer.pictures))
    return _encoded(spec, answer, uris)


def _encoded(spec: ModelSpec, answer: Answer, uris: Sequence[bytes]) -> bytes:
    files = [_file(picture, uri) for picture, uri in zip(answer.pictures, uris, strict=True)]
    files.extend(map(msgspec.json.encode, answer.foreign))
    pictures = files[0] if spec.lone else b"[" + b",".join(files) + b"]"
    return b"".join((b'{"', spec.pictures.encode(), b'":', pictures, *_said(spec, answer), b"}"))


def _said(spec: ModelSpec, answer: Answer) -> Iterator[bytes]:
    """Yield what fal said beside the files: of the first picture's call, and of each picture."""
    if spec.scalars and (scalars := next((p.scalars for p in answer.pictures), b"")):
        yield b"," + scalars[1:-1]
    if spec.parallels:
        each = [msgspec.json.decode(p.parallels or b"{}") for p in answer.pictures]
        for name in spec.parallels:
            listed = [own.get(name) for own in each]
            yield b"," + msgspec.json.encode({name: listed})[1:-1]


def headers(answer: Answer, now_s: int) -> dict[str, str]:
    """Return falgate's headers and those that fal would send; `now_s` is Redis time."""
    added = {
        "Cache-Control": "private, no-store",
        "Cache-Status": _cache_status(answer, now_s),
        "X-Falgate-Cache": answer.source,
        "X-Falgate-Cost-Usd": dollars(answer.billed),
        "X-Falgate-Saved-Usd": dollars(answer.saved),
        "x-fal-billable-units": str(answer.bought),
    }
    if answer.pictures:
        age_s = now_s - min(picture.made_s for picture in answer.pictures)
        added["Age"] = str(max(0, age_s))
    if len({picture.scalars for picture in answer.pictures}) > 1:
        added["X-Falgate-Fields-Of"] = "first picture"
    if answer.remaining is not None:
        added["X-Falgate-Budget-Remaining-Usd"] = dollars(answer.remaining)
    return added


def ignored(names: str) -> dict[str, str]:
    """Return the header that names the dropped fields of the body, if there are any."""
    return {"X-Falgate-Ignored": names} if names else {}


def _cache_status(answer: Answer, now_s: int) -> str:
    """Return the Cache-Status value (RFC 9211)."""
    match answer.source:
        case "hit" | "derived":
            ends = [picture.until_s for picture in answer.pictures if picture.until_s]
            parts = ["hit", *([f"ttl={max(0, min(ends) - now_s)}"] if ends else [])]
            return "; ".join(("falgate", *parts, *(["detail=derived"] * (answer.source != "hit"))))
        case "coalesced":
            return "falgate; fwd=miss; collapsed"
    # The answer holds fal's own URLs: these files are not stored here yet.
    stored = answer.kept and not answer.foreign
    return f"falgate; fwd={answer.why}{'; stored' if stored else ''}"


def _file(picture: Picture, uri: bytes) -> bytes:
    # A JSON encoder would scan every character of a data URI of megabytes; joining bytes does not.
    fields: dict[str, Any] = as_file(picture, "")
    del fields["url"]
    return b'{"url":' + uri + b"," + msgspec.json.encode(fields)[1:]


async def _data_uri(picture: Picture, picture_urls: PictureUrls) -> bytes:
    data = await picture_urls.source.read(picture.name)
    if data is None:
        raise Unavailable("A picture was removed while the response was being built; try again")
    return b'"data:' + picture.content_type.encode() + b";base64," + pybase64.b64encode(data) + b'"'
