"""The input pictures of apps: stored apart from the pictures that are served, and swept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from falgate.accounts.directory import Directory
from falgate.core.errors import TooMany, Unavailable
from falgate.core.input_picture import InputPicture
from falgate.core.picture import Kept
from falgate.inputs.store.records import InputRecords
from falgate.redis.retry import every

PREFIX = "inputs"
SWEPT_EVERY_S = 60.0
_AGAIN_S = 0.2
_TRIES = 5
_RETRY_S = 60


class Files(Protocol):
    """The store of files. Methods raise `StoreUnavailable` when it cannot be reached."""

    async def put_file(self, path: str, data: bytes, content_type: str) -> None:
        """Store a file."""

    async def read_file(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None if it does not exist."""

    async def has_file(self, path: str) -> bool:
        """Return whether a file exists."""

    async def delete_file(self, path: str) -> None:
        """Delete a file; a missing one is ignored."""


class Intake(Protocol):
    """Checks pictures, and whether there is room for them."""

    async def examine(self, data: bytes, pixels_max: int) -> Kept:
        """Check that it is a picture of at most `pixels_max` pixels; raises `NotAPicture`."""

    async def ready(self) -> None:
        """Check that a picture could be stored now; raises `Unavailable` if not."""


class StoredInput(NamedTuple):
    """An input picture that an app has, and the length of its file."""

    picture: InputPicture
    size_bytes: int


class InputFileStore:
    """The bytes of input pictures, by app: what one app has says nothing to another."""

    def __init__(self, files: Files, records: InputRecords, intake: Intake) -> None:
        """Store in `files` what `records` lists and `intake` accepts."""
        self._files = files
        self._records = records
        self._intake = intake

    async def keep(self, app: str, data: bytes, pixels_max: int) -> StoredInput:
        """Check and store a picture for an app, and count this as its use now.

        Its bytes are kept as they came, up to its end: an encoder would change what fal sees.

        Raises:
            NotAPicture: It is not a picture of at most `pixels_max` pixels.
            TooMany: The app has too many.
            Unavailable: Without Redis or the store, or without room in it.
        """
        kept = await self._intake.examine(data, pixels_max)
        picture = InputPicture(kept.sha256, kept.width, kept.height, kept.content_type)
        await self._note(app, picture)
        path = _path(app, picture.name)
        if not await self._files.has_file(path):
            await self._intake.ready()
            await self._files.put_file(path, data[: kept.size_bytes], picture.content_type)
        return StoredInput(picture, kept.size_bytes)

    async def use(self, app: str, picture: InputPicture) -> bool:
        """Count a use now of what an app stored before; return False if it is gone.

        Raises:
            TooMany, Unavailable: As in `keep`.
        """
        await self._note(app, picture)
        return await self._files.has_file(_path(app, picture.name))

    async def read(self, app: str, picture: InputPicture) -> bytes | None:
        """Return the bytes of a picture, or None if the app does not have it.

        Raises:
            StoreUnavailable: The store could not tell.
        """
        return await self._files.read_file(_path(app, picture.name))

    async def sweep(self, app: str, *, unused_s: int) -> int:
        """Delete what an app has not used for `unused_s` seconds; return how many it still has.

        Raises:
            Unavailable: Without Redis or the store. The next sweep continues.
        """
        while names := await self._records.mark(app, unused_s=unused_s):
            for name in names:
                await self._files.delete_file(_path(app, name))
            await self._records.drop(app, names)
        return await self._records.drop(app, ())

    async def _note(self, app: str, picture: InputPicture) -> None:
        for _ in range(_TRIES):
            match await self._records.note(app, picture):
                case "noted":
                    return
                case "too many":
                    raise TooMany(
                        "This app has sent too many input pictures lately; the oldest are deleted "
                        "after a time",
                        _RETRY_S,
                    )
            await asyncio.sleep(_AGAIN_S)
        raise Unavailable("This input picture is being deleted; try again")


class InputSweeper:
    """Deletes the input pictures that are no longer needed, and those of apps that were removed."""

    def __init__(
        self,
        records: InputRecords,
        files: InputFileStore,
        directory: Callable[[], Awaitable[Directory]],
        *,
        kept_s: int,
    ) -> None:
        """Keep pictures for `kept_s` seconds after their last use, of apps in `directory` only."""
        self._records = records
        self._files = files
        self._directory = directory
        self._kept_s = kept_s

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        await every(SWEPT_EVERY_S, self.sweep)

    async def sweep(self) -> None:
        """Sweep once; two instances may do it at once.

        Raises:
            Unavailable: Without Redis or the store.
        """
        known = (await self._directory()).apps
        for app in await self._records.apps():
            await self._files.sweep(app, unused_s=self._kept_s if app in known else 0)


def _path(app: str, name: str) -> str:
    return f"{PREFIX}/{app}/{name}"
