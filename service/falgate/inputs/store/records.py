"""Which app has which input pictures, its uploads, and what upstreams have of them, in Redis."""

import secrets
from collections.abc import Sequence
from typing import Literal

import msgspec
from redis.asyncio import Redis

from falgate.core.input_picture import InputPicture
from falgate.redis import picture_keys
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_NOTE = Script("inputs_note")
_MARK = Script("inputs_mark")
_DROP = Script("inputs_drop")
_ISSUE = Script("inputs_issue")

INPUTS_MAX = 100_000
"""Input pictures of an app at once."""
ISSUED_MAX = 100_000
"""Uploads of an app at once, those that were announced included, and tokens for them."""
TICKET_S = 600
"""How long an upload that was announced may take to come."""
GRANT_S = 3_600
"""How long a token uploads for its key."""
_DELETING_MS = 60_000
_MARKED_AT_ONCE = 100
_ID_BYTES = 16

Noted = Literal["noted", "being deleted", "too many"]
_NOTED: dict[int, Noted] = {1: "noted", 0: "being deleted", -1: "too many"}


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that was announced, and has not come.

    Attributes:
        key: Public id of the key that announced it.
        app: TEAM/APP of that key.
        content_type: What it will be, as announced.
        upload_id: The last part of its URL once it is there.
    """

    key: str
    app: str
    content_type: str
    upload_id: str


class Upload(msgspec.Struct, frozen=True):
    """An uploaded input picture.

    Attributes:
        app: TEAM/APP, whose keys alone may use it.
        picture: The string form of the `InputPicture`.
        size_bytes: Length of its file.
    """

    app: str
    picture: str
    size_bytes: int


class InputRecords:
    """The records of input pictures. All methods raise `Unavailable` without Redis.

    Attributes:
        kept_s: How long an upload can be used, in seconds.
    """

    def __init__(self, redis: Redis, *, kept_s: int) -> None:
        """Keep them in this Redis, and uploads for `kept_s` seconds."""
        self._redis = redis
        self.kept_s = kept_s

    async def note(self, app: str, picture: InputPicture) -> Noted:
        """Note that an app uses a picture now; its file may be written only after "noted"."""
        reply = await _NOTE(
            self._redis, app=app, name=picture.name, most=INPUTS_MAX, deleting_ms=_DELETING_MS
        )
        return _NOTED[reply]

    async def apps(self) -> list[str]:
        """Return the apps that have input pictures."""
        return sorted(map(str, await self._redis.smembers(picture_keys.INPUT_APPS)))

    async def mark(self, app: str, *, unused_s: int) -> list[str]:
        """Mark names not used for `unused_s` seconds, so that their files can be deleted."""
        unused_ms = max(0, await now_ms(self._redis) - unused_s * 1000)
        reply = await _MARK(self._redis, app=app, unused_ms=unused_ms, number=_MARKED_AT_ONCE)
        return list(map(str, reply))

    async def drop(self, app: str, names: Sequence[str]) -> int:
        """Forget names whose files were deleted; return how many the app still has."""
        return int(await _DROP(self._redis, app=app, more_args=names))

    async def issue(self, app: str, name: str, *, for_s: int) -> bool:
        """Count what an app is given for a time, by its id; return False if it has too many."""
        reply = await _ISSUE(self._redis, app=app, name=name, for_ms=for_s * 1000, most=ISSUED_MAX)
        return bool(reply)

    async def announce(self, ticket: Ticket) -> str:
        """Keep a ticket; return the one-time token for the upload."""
        token = new_id()
        encoded = msgspec.json.encode(ticket).decode()
        await self._redis.set(picture_keys.ticket(token), encoded, ex=TICKET_S)
        return token

    async def announced(self, token: str) -> Ticket | None:
        """Return the ticket of a token, or None."""
        found = await self._redis.get(picture_keys.ticket(token))
        return msgspec.json.decode(found, type=Ticket) if found else None

    async def use(self, token: str) -> bool:
        """Use a token up; return False if somebody else did."""
        return bool(await self._redis.delete(picture_keys.ticket(token)))

    async def grant(self, key: str) -> str:
        """Return a token that uploads for a key, by its public id, for `GRANT_S` seconds."""
        token = new_id()
        await self._redis.set(picture_keys.grant(token), key, ex=GRANT_S)
        return token

    async def granted(self, token: str) -> str:
        """Return the public id of the key that a token uploads for, or ""."""
        return str(await self._redis.get(picture_keys.grant(token)) or "")

    async def put_upload(self, upload_id: str, upload: Upload) -> None:
        """Record an uploaded picture."""
        encoded = msgspec.json.encode(upload).decode()
        await self._redis.set(picture_keys.upload(upload_id), encoded, ex=self.kept_s)

    async def upload(self, upload_id: str) -> Upload | None:
        """Return an uploaded picture, or None."""
        found = await self._redis.get(picture_keys.upload(upload_id))
        return msgspec.json.decode(found, type=Upload) if found else None

    async def remember(self, upstream: str, sha256: str, url: str, *, for_s: int) -> str:
        """Remember where an upstream has a picture, unless that is known; return what is known."""
        key = picture_keys.sent_input(upstream, sha256)
        if await self._redis.set(key, url, nx=True, ex=for_s):
            return url
        return str(await self._redis.get(key) or url)

    async def sent(self, upstream: str, sha256: str) -> str:
        """Return where an upstream has a picture, or ""."""
        return str(await self._redis.get(picture_keys.sent_input(upstream, sha256)) or "")


def new_id() -> str:
    """Return 128 random bits in hex, which nobody can guess."""
    return secrets.token_hex(_ID_BYTES)
