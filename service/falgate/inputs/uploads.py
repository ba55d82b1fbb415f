"""Uploads of input pictures by fal's clients: announced with a key, and then put without one."""

from typing import NamedTuple

from falgate.accounts.apikey import KeyRecord
from falgate.core.errors import Refusal, TooMany
from falgate.core.picture import NotAPicture
from falgate.inputs.files import InputFileStore
from falgate.inputs.store.records import (
    GRANT_S,
    TICKET_S,
    InputRecords,
    Ticket,
    Upload,
    new_id,
)
from falgate.models.input_files import PIXELS_MAX

_LATER_S = 60


class UploadRefused(Refusal):
    """The upload is not a picture that can be an input, or not the one that was announced."""

    status = 422
    error_type = "bad_request"


class UploadUnknown(Refusal):
    """The upload was not announced, or too long ago, or has come already."""

    status = 404
    error_type = "bad_request"

    def __init__(self) -> None:
        super().__init__("This upload was not announced, has expired or was used; announce it anew")


class Announced(NamedTuple):
    """Where an upload is put, and where it is then, as last parts of URLs."""

    token: str
    upload_id: str


class Granted(NamedTuple):
    """A token that uploads in place of a key, for this many seconds."""

    token: str
    for_s: int


class Uploads:
    """Takes uploads; each is an input picture of one app."""

    def __init__(self, records: InputRecords, files: InputFileStore) -> None:
        """Record uploads in `records`, and store them in `files`."""
        self._records = records
        self._files = files

    async def announce(self, key: KeyRecord, content_type: str) -> Announced:
        """Expect an upload of this type for a short time.

        Raises:
            TooMany: The app has too many.
            Unavailable: Without Redis.
        """
        app = f"{key.team}/{key.app}"
        upload_id = await self._issued(app, TICKET_S + self._records.kept_s)
        ticket = Ticket(key=key.id, app=app, content_type=content_type, upload_id=upload_id)
        return Announced(await self._records.announce(ticket), upload_id)

    async def ticket(self, token: str, content_type: str) -> Ticket:
        """Return the ticket of an upload that is about to be read.

        Raises:
            UploadUnknown: There is none.
            UploadRefused: Another type was announced.
            Unavailable: Without Redis.
        """
        ticket = await self._records.announced(token)
        if ticket is None:
            raise UploadUnknown
        if content_type != ticket.content_type:
            raise UploadRefused(f"This upload was announced as {ticket.content_type}")
        return ticket

    async def grant(self, key: KeyRecord) -> Granted:
        """Return a token that uploads for a key, and does nothing else.

        Raises:
            TooMany: The app has too many.
            Unavailable: Without Redis.
        """
        await self._issued(f"{key.team}/{key.app}", GRANT_S)
        return Granted(await self._records.grant(key.id), GRANT_S)

    async def granted(self, token: str) -> str:
        """Return the public id of the key that a token uploads for, or "".

        Raises:
            Unavailable: Without Redis.
        """
        return await self._records.granted(token)

    async def put(self, token: str, ticket: Ticket, data: bytes) -> None:
        """Store an upload under its ticket, which is used up.

        Raises:
            UploadUnknown: It was put by somebody else meanwhile.
            UploadRefused: It is no picture.
            TooMany: The app has too many.
            Unavailable: Without Redis or the store.
        """
        if not await self._records.use(token):
            raise UploadUnknown
        await self._store(ticket.app, ticket.upload_id, data)

    async def store(self, key: KeyRecord, data: bytes) -> str:
        """Store an upload that came with a key; return the last part of its URL.

        Raises:
            UploadRefused, TooMany, Unavailable: As in `put`.
        """
        app = f"{key.team}/{key.app}"
        upload_id = await self._issued(app, self._records.kept_s)
        await self._store(app, upload_id, data)
        return upload_id

    async def _issued(self, app: str, for_s: int) -> str:
        """Return a new id for something that an app has for a time, if it may have more."""
        name = new_id()
        if not await self._records.issue(app, name, for_s=for_s):
            raise TooMany(
                "This app has made too many uploads lately; send the pictures as data URIs",
                _LATER_S,
            )
        return name

    async def _store(self, app: str, upload_id: str, data: bytes) -> None:
        try:
            stored = await self._files.keep(app, data, PIXELS_MAX)
        except NotAPicture as problem:
            raise UploadRefused(
                f"Only input pictures can be uploaded: PNG, JPEG or WebP. {problem}"
            ) from None
        upload = Upload(app, str(stored.picture), stored.size_bytes)
        await self._records.put_upload(upload_id, upload)
