"""The response to a kept hit, which is made anew each second because it has an age."""

# It holds nothing of the request but what is in its response: neither key nor prompt.

from functools import lru_cache
from typing import NamedTuple

from falgate.http import responses
from falgate.http.cors import Headers
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.answer import Answer
from falgate.models.spec import ModelSpec

_OK = b"HTTP/1.1 200 OK\r\n"


class Response(NamedTuple):
    """A response in three parts: before its request's id, after it, and the body."""

    before: bytes
    after: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Return its length, bytes."""
        return sum(map(len, self))


class HitResponse:
    """Makes the response."""

    __slots__ = ("_answer", "_base_url", "_ignored", "_inline", "_more", "_picture_urls", "_spec")

    def __init__(
        self,
        spec: ModelSpec,
        answer: Answer,
        base_url: str,
        picture_urls: PictureUrls,
        *,
        ignored: str,
        inline: bytes | None,
        more: Headers,
    ) -> None:
        """Make the response to a hit.

        Args:
            spec: The model.
            answer: The pictures.
            base_url: Base of their URLs, without a trailing slash.
            picture_urls: Builds the URLs.
            ignored: Names of the dropped fields of the request's body.
            inline: The body, if the pictures are embedded in it.
            more: Headers behind all others.
        """
        self._spec = spec
        self._answer = answer
        self._base_url = base_url
        self._picture_urls = picture_urls
        self._ignored = ignored
        self._inline = inline
        self._more = b"".join((b"\r\n", *map(_line, more)))

    def at(self, now_s: int) -> Response:
        """Return the response in a second of Redis time."""
        body = self._inline or responses.linked(
            self._spec, self._answer, self._base_url, self._picture_urls
        )
        lines = headers(self._answer, self._ignored, len(body), now_s)
        return Response(
            b"".join((_OK, *map(_line, lines), b"x-fal-request-id: ")), self._more, body
        )


def headers(answer: Answer, ignored: str, size: int, now_s: int) -> Headers:
    """Return the headers of a response before its request's id, as Litestar would send them."""
    named = responses.headers(answer, now_s)
    if ignored:
        named |= responses.ignored(ignored)
    return [
        *[(_lower(name), value.encode()) for name, value in named.items()],
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % size),
    ]


@lru_cache(64)
def _lower(name: str) -> bytes:
    return name.lower().encode()


def _line(header: tuple[bytes, bytes]) -> bytes:
    return b"%b: %b\r\n" % header
