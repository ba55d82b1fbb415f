"""Reads the input pictures of a request, and replaces each by what it is."""

import asyncio
from typing import Any, NamedTuple, Protocol

import msgspec

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.policy import check_input_bytes
from falgate.core.errors import InputRejected
from falgate.core.file_errors import file_error
from falgate.core.input_picture import input_picture
from falgate.core.picture import EXTENSIONS, NotAPicture, NotOurFormat, PictureTooLarge
from falgate.egress.target import Rules
from falgate.inputs.fetching import FetchFailed, FetchTooLarge, InputFetcher
from falgate.inputs.files import InputFileStore, StoredInput
from falgate.inputs.source import (
    Inline,
    Refused,
    Served,
    Uploaded,
    elsewhere,
    shown,
    source,
)
from falgate.inputs.store.records import InputRecords
from falgate.models.input_files import InputFiles
from falgate.models.spec import ModelSpec

_AT_ONCE = 8
"""Files in memory at once, in each process."""


class PictureSource(Protocol):
    """The pictures that are served. Methods raise `Unavailable`."""

    async def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes of a picture, or None if it is not stored."""


class PictureLinks(Protocol):
    """The links by which pictures are served."""

    @property
    def source(self) -> PictureSource:
        """Where they are."""

    @property
    def signs(self) -> bool:
        """Whether a link has to be signed."""

    def left_s(self, name: str, expires: str, signature: str) -> int | None:
        """Return a link's remaining lifetime, seconds; None if it was never signed."""


class _Asked(NamedTuple):
    """A value of an argument, and where it is."""

    files: InputFiles
    place: int
    value: str

    def refusal(self, kind: Any, why: str, **ctx: Any) -> InputRejected:
        loc = self.files.loc(self.place)
        return file_error(kind, loc, f"The file {why}", said=shown(self.value), **ctx)


class InputReader:
    """Reads input pictures, and stores them for the app that sent them."""

    def __init__(
        self,
        records: InputRecords,
        files: InputFileStore,
        links: PictureLinks,
        *,
        bytes_max: int,
        allowed: Rules | None = None,
        fetcher: InputFetcher | None = None,
    ) -> None:
        """Read pictures.

        Args:
            records: The uploads.
            files: Where pictures are stored.
            links: The pictures that this gateway serves.
            bytes_max: Size of each picture, unless a model allows less.
            allowed: The hosts that are fetched from; None for none.
            fetcher: Fetches from them.
        """
        self._records = records
        self._files = files
        self._links = links
        self._bytes_max = bytes_max
        self._allowed = allowed
        self._fetcher = fetcher
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def read(self, key: KeyRecord, spec: ModelSpec, arguments: Any) -> Any:
        """Return the arguments with each input picture read, checked, stored and replaced.

        Raises:
            InputRejected: One cannot be read, or is not what the model takes; in fal's words.
            NotAllowed: They have more bytes than the key permits.
            TooMany: The app has too many.
            Unavailable: Without Redis or the store.
        """
        asked = [
            _Asked(files, place, value)
            for files in spec.inputs
            for place, value in enumerate(files.values(arguments))
        ]
        app = f"{key.team}/{key.app}"
        once = {(each.files.argument, each.value): each for each in reversed(asked)}
        found = await asyncio.gather(
            *(self._one(app, each) for each in once.values()), return_exceptions=True
        )
        read = dict(zip(once, found, strict=True))
        pictures: dict[str, list[StoredInput]] = {}
        for each in asked:  # so that the first problem of several is told
            outcome = read[each.files.argument, each.value]
            if isinstance(outcome, BaseException):
                raise outcome
            pictures.setdefault(each.files.argument, []).append(outcome)
        every = [one for several in pictures.values() for one in several]
        check_input_bytes(key.permissions, sum(one.size_bytes for one in every))
        for files in spec.inputs:
            self._check_mask(files, pictures)
        return msgspec.structs.replace(
            arguments,
            **{
                files.argument: files.value_of([str(one.picture) for one in pictures[name]])
                for files in spec.inputs
                if (name := files.argument) in pictures
            },
        )

    async def _one(self, app: str, asked: _Asked) -> StoredInput:
        """Read one picture, and store it; nothing of it stays in memory."""
        async with self._at_once:
            found = await self._data(app, asked)
            return found if isinstance(found, StoredInput) else await self._kept(app, asked, found)

    async def _data(self, app: str, asked: _Asked) -> bytes | StoredInput:
        most = min(self._bytes_max, asked.files.bytes_max)
        match source(asked.value, self._allowed):
            case Inline() as inline:
                if inline.size_bytes > most + 2:
                    raise asked.refusal("file_too_large", "is too large", max_size=most)
                data = inline.data()
                if data is None:
                    raise asked.refusal("file_download_error", "is no base64")
            case Uploaded(upload_id):
                return await self._uploaded(app, asked, upload_id, most)
            case Served() as served if (data := await self._served(asked, served)) is not None:
                pass
            case Refused(why):
                raise asked.refusal("file_download_error", why)
            case _:
                data = await self._fetched(asked, most)
        if len(data) > most:
            raise asked.refusal("file_too_large", "is too large", max_size=most)
        return data

    async def _uploaded(self, app: str, asked: _Asked, upload_id: str, most: int) -> StoredInput:
        upload = await self._records.upload(upload_id)
        # One answer for an upload of another app, one that expired, and one that never was.
        gone = asked.refusal(
            "file_download_error", "is not there: upload it again, with a key of the same app"
        )
        picture = input_picture(upload.picture) if upload and upload.app == app else None
        if upload is None or picture is None or not await self._files.use(app, picture):
            raise gone
        if upload.size_bytes > most:
            raise asked.refusal("file_too_large", "is too large", max_size=most)
        self._check_type(asked, picture.content_type)
        return StoredInput(picture, upload.size_bytes)

    async def _served(self, asked: _Asked, served: Served) -> bytes | None:
        """Return a picture of ours; None if there is none of that name."""
        if self._links.signs:
            left_s = self._links.left_s(served.name, served.expires, served.signature)
            if left_s is None or left_s <= 0:
                raise asked.refusal("file_download_error", "has a link that is not valid any more")
        return await self._links.source.read(served.name)

    async def _fetched(self, asked: _Asked, most: int) -> bytes:
        found = elsewhere(asked.value, self._allowed)
        if isinstance(found, Refused) or self._fetcher is None:
            why = found.why if isinstance(found, Refused) else ""
            raise asked.refusal("file_download_error", why)
        try:
            return await self._fetcher.fetch(found.url, most)
        except FetchTooLarge:
            raise asked.refusal("file_too_large", "is too large", max_size=most) from None
        except FetchFailed as failed:
            raise asked.refusal("file_download_error", str(failed)) from None

    async def _kept(self, app: str, asked: _Asked, data: bytes) -> StoredInput:
        try:
            stored = await self._files.keep(app, data, asked.files.pixels_max)
        except NotOurFormat:
            raise self._unsupported(asked) from None
        except PictureTooLarge:
            most = asked.files.pixels_max
            why = f"has too many pixels; the most are {most:,}"
            raise asked.refusal("image_too_large", why, max_pixels=most) from None
        except NotAPicture:
            raise asked.refusal("image_load_error", "is no complete picture") from None
        self._check_type(asked, stored.picture.content_type)
        return stored

    def _check_type(self, asked: _Asked, content_type: str) -> None:
        if content_type not in asked.files.types:
            raise self._unsupported(asked)

    def _unsupported(self, asked: _Asked) -> InputRejected:
        names = [EXTENSIONS[each].upper() for each in asked.files.types]
        why = f"must be a picture of the format {' or '.join(names)}, by its bytes"
        return asked.refusal("unsupported_image_format", why, supported_formats=names)

    def _check_mask(self, files: InputFiles, pictures: dict[str, list[StoredInput]]) -> None:
        """Check that a mask is as large as the picture that it is for."""
        if not {files.argument, files.masks} <= pictures.keys():
            return
        mask, masked = (pictures[name][0].picture for name in (files.argument, files.masks))
        if (mask.width, mask.height) != (masked.width, masked.height):
            raise file_error(
                "value_error",
                files.loc(0),
                f"Value error, the mask must be as large as the first picture of {files.masks}: "
                f"{masked.width}x{masked.height}, not {mask.width}x{mask.height}",
            )
