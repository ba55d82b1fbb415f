"""Puts input pictures where an upstream reads them: falgate's own copy, never the caller's URL."""

# The caller's URL may have other bytes by the time fal fetches it than those that were keyed and
# priced. All pictures go the same way, by fal's storage: a data URI would do for small ones, but
# fal's list of requests, in which a lost submit is looked for by its body, may not have it.

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from falgate.core.input_picture import InputPicture
from falgate.fal.storage import KEPT_S, InputStorage, UploadFailed
from falgate.inputs.files import InputFileStore
from falgate.inputs.store.records import InputRecords
from falgate.models.input_files import pictures_of, replaced
from falgate.models.spec import ModelSpec

_REMEMBERED_S = KEPT_S - 4 * 3_600
"""fal may take a picture out of its queue hours later."""
_AT_ONCE = 4
"""Files in memory at once, in each process."""


class InputsUnsent(Exception):
    """The upstream does not have all input pictures; the message says why, for callers."""


class InputSender:
    """Uploads input pictures, each once for each upstream while the upstream keeps it."""

    def __init__(
        self, records: InputRecords, files: InputFileStore, storages: Mapping[str, InputStorage]
    ) -> None:
        """Upload what is in `files` to the storage of an upstream, by its name."""
        self._records = records
        self._files = files
        self._storages = storages
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def sent(
        self, upstream: str, app: str, spec: ModelSpec, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a body with the URLs at an upstream in place of its input pictures.

        Args:
            upstream: Name of the upstream.
            app: TEAM/APP that has the pictures.
            spec: The model.
            body: The purchase, as it is stored.

        Raises:
            InputsUnsent: One is not stored any more, or the upstream did not take it.
            Unavailable: Without Redis or the store.
        """
        if not spec.inputs:
            return body
        arguments = msgspec.convert(body, spec.input)
        pictures = dict.fromkeys(pictures_of(spec.inputs, arguments))
        urls = await asyncio.gather(*(self._url(upstream, app, each) for each in pictures))
        return _with_urls(spec, arguments, dict(zip(pictures, urls, strict=True)))

    async def recalled(
        self, upstream: str, spec: ModelSpec, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Return the body that was sent for a purchase; None if that is not remembered.

        Raises:
            Unavailable: Without Redis.
        """
        if not spec.inputs:
            return body
        arguments = msgspec.convert(body, spec.input)
        by: dict[InputPicture, str] = {}
        for picture in pictures_of(spec.inputs, arguments):
            by[picture] = await self._records.sent(upstream, picture.sha256)
        return _with_urls(spec, arguments, by) if all(by.values()) else None

    async def _url(self, upstream: str, app: str, picture: InputPicture) -> str:
        if known := await self._records.sent(upstream, picture.sha256):
            return known
        async with self._at_once:
            data = await self._files.read(app, picture)
            if data is None:
                raise InputsUnsent("An input picture is not stored any more; send it again")
            storage = self._storages[upstream]
            try:
                url = await storage.upload(data, picture.content_type, picture.name)
            except UploadFailed:
                raise InputsUnsent("An input picture could not be uploaded to fal") from None
        # Of two uploads at once, both jobs send the one that is remembered: by it, a lost submit
        # can be found.
        return await self._records.remember(upstream, picture.sha256, url, for_s=_REMEMBERED_S)


def _with_urls(spec: ModelSpec, arguments: Any, urls: Mapping[InputPicture, str]) -> dict[str, Any]:
    """Return arguments as a body that has URLs in place of input pictures."""
    body: dict[str, Any] = msgspec.to_builtins(replaced(spec.inputs, arguments, urls))
    return body
