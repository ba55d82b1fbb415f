"""Sessions, one-time links and sent forms in Redis, by hashes of their names; first steps."""

import secrets
from hashlib import sha256

import msgspec
from redis.asyncio import Redis

from falgate.console.session import ID_BYTES, Session
from falgate.redis import keyspace
from falgate.redis.clock import now_ms

LINK_S = 600
"""How long a one-time link can be used, in seconds."""
_FORM_S = 86_400


class Sessions:
    """All sessions. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, *, idle_s: int) -> None:
        """Keep sessions in this Redis, each until it was not used for `idle_s` seconds."""
        self._redis = redis
        self._idle_s = idle_s

    async def begin(self, session: Session) -> str:
        """Keep a new session; return its id, which is secret."""
        session_id = secrets.token_hex(ID_BYTES)
        name = keyspace.session(_hidden(session_id))
        await self._redis.set(name, _text(session), ex=self._idle_s)
        return session_id

    async def now_s(self) -> int:
        """Return Redis's clock, seconds since 1970."""
        return await now_ms(self._redis) // 1000

    async def read(self, session_id: str, *, used: bool = True) -> Session | None:
        """Return a session; None if it ended. Unless `used`, it is no less idle afterwards."""
        name = keyspace.session(_hidden(session_id))
        text = await (self._redis.getex(name, ex=self._idle_s) if used else self._redis.get(name))
        if text is None:
            return None
        found = msgspec.json.decode(str(text), type=Session)
        return found if await self.now_s() < found.ends_s else None

    async def put(self, session_id: str, session: Session) -> None:
        """Keep a session's present state, unless it has ended; it is no less idle by that."""
        name = keyspace.session(_hidden(session_id))
        await self._redis.set(name, _text(session), xx=True, keepttl=True)

    async def end(self, session_id: str) -> None:
        """End a session on every instance."""
        await self._redis.delete(keyspace.session(_hidden(session_id)))

    async def first(self, session_id: str, form: str, *, life_s: int = _FORM_S) -> bool:
        """Return whether a form of a session is sent for the first time, by its own id.

        It is remembered for `life_s` seconds.
        """
        name = keyspace.sent_form(_hidden(f"{session_id} {form}"))
        return bool(await self._redis.set(name, 1, nx=True, ex=life_s))

    async def link(self, identity: str) -> str:
        """Return the secret of a link by which somebody signs in once, as this identity."""
        secret = secrets.token_urlsafe(ID_BYTES)
        await self._redis.set(keyspace.sign_in_link(_hidden(secret)), identity, ex=LINK_S)
        return secret

    async def follow(self, secret: str) -> str | None:
        """Return the identity of a link, which cannot be used again; None if it is not valid."""
        found = await self._redis.getdel(keyspace.sign_in_link(_hidden(secret)))
        return None if found is None else str(found)

    async def done(self, step: str) -> None:
        """Remember a step that everybody takes once, in a new console."""
        await self._redis.sadd(keyspace.FIRST_STEPS, step)

    async def was_done(self, step: str) -> bool:
        """Return whether somebody took a step."""
        return bool(await self._redis.sismember(keyspace.FIRST_STEPS, step))


def _text(session: Session) -> str:
    return msgspec.json.encode(session).decode()


def _hidden(name: str) -> str:
    """The name in Redis: who reads Redis cannot use a session that is found there."""
    return sha256(name.encode()).hexdigest()
