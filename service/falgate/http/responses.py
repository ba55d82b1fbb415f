"""An answer as fal's JSON and headers: URLs of our own pictures, or the pictures themselves."""

import asyncio
from typing import Any

import msgspec
import pybase64

from falgate.core.errors import Unavailable
from falgate.core.money import dollars
from falgate.core.picture import Picture, as_file
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.answer import Answer
from falgate.models.spec import ModelSpec


async def body(
    spec: ModelSpec, answer: Answer, base_url: str, picture_urls: PictureUrls, *, inline: bool
) -> bytes:
    """The JSON body; `inline` for the pictures themselves in the place of their URLs.

    Raises:
        Unavailable: A picture went away between the answer and its reading.
    """
    pictures = answer.pictures
    if inline:
        uris = await asyncio.gather(*(_data_uri(picture, picture_urls) for picture in pictures))
    else:
        uris = [f'"{picture_urls.url(base_url, picture.name)}"'.encode() for picture in pictures]
    files = [_file(picture, uri) for picture, uri in zip(pictures, uris, strict=True)]
    files.extend(map(msgspec.json.encode, answer.foreign))
    return b"".join((b'{"', spec.pictures.encode(), b'":[', b",".join(files), b"]}"))


def headers(answer: Answer, now_s: int) -> dict[str, str]:
    """What falgate adds to fal's answer, and what fal would say of it, at this time by Redis."""
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
    if answer.remaining is not None:
        added["X-Falgate-Budget-Remaining-Usd"] = dollars(answer.remaining)
    return added


def ignored(names: str) -> dict[str, str]:
    """Which fields of the body were left out, where some were."""
    return {"X-Falgate-Ignored": names} if names else {}


def _cache_status(answer: Answer, now_s: int) -> str:
    """What the cache did, in the words of RFC 9211."""
    match answer.source:
        case "hit" | "derived":
            ends = [picture.until_s for picture in answer.pictures if picture.until_s]
            parts = ["hit", *([f"ttl={max(0, min(ends) - now_s)}"] if ends else [])]
            return "; ".join(("falgate", *parts, *(["detail=derived"] * (answer.source != "hit"))))
        case "coalesced":
            return "falgate; fwd=miss; collapsed"
    # fal's own files are handed on; nothing of them is kept here yet.
    stored = answer.kept and not answer.foreign
    return f"falgate; fwd={answer.why}{'; stored' if stored else ''}"


def _file(picture: Picture, uri: bytes) -> bytes:
    # An encoder would look at each character of a picture of megabytes; joining does not.
    fields: dict[str, Any] = as_file(picture, "")
    del fields["url"]
    return b'{"url":' + uri + b"," + msgspec.json.encode(fields)[1:]


async def _data_uri(picture: Picture, picture_urls: PictureUrls) -> bytes:
    data = await picture_urls.source.read(picture.name)
    if data is None:
        raise Unavailable("A picture was removed while it was being answered; ask again")
    return b'"data:' + picture.content_type.encode() + b";base64," + pybase64.b64encode(data) + b'"'
