"""Verification of fal's webhook signatures with the public keys that fal publishes."""

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec
import pybase64

from falgate.core.errors import Unavailable
from falgate.core.faults import words
from falgate.fal import outcomes, signing
from falgate.fal.connections import InProcess, Sender, Sockets, authorities
from falgate.fal.http import ExchangeFailed, Unusable, exchange

_KEPT_S = 24 * 3600.0
_AGAIN_S = 60.0
_APART_S = 300
_LOOK_S = 10.0
_BYTES_MAX = 64 * 1024
_KEYS_MAX = 50
_OK = 200
_Verify = Callable[[bytes, bytes], bool]
_REQUEST, _USER, _TIMESTAMP, _SIGNATURE = (
    name.lower()
    for name in (signing.REQUEST_ID, signing.USER_ID, signing.TIMESTAMP, signing.SIGNATURE)
)


class _Key(msgspec.Struct):
    x: str = ""
    kty: str = ""
    crv: str = ""


class _KeySet(msgspec.Struct):
    keys: list[_Key]


class Signatures:
    """fal's public keys, cached for a day; a signature that matches none has them read again."""

    def __init__(
        self,
        url: str,
        *,
        troubled: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Read the keys from `url`.

        Args:
            url: Where fal publishes its keys.
            troubled: Called with an error's message when the keys cannot be read.
            transport: Replaces sockets.
        """
        self._url = url
        self._troubled = troubled
        self._client: Sender = InProcess(transport) if transport else Sockets(authorities(), url)
        self._keys: tuple[_Verify, ...] = ()
        self._read_s = self._asked_s = float("-inf")
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def valid(self, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
        """Return whether fal signed a delivery, within five minutes of now.

        Args:
            headers: The delivery's headers, by lower-case name.
            body: The delivery's whole body.
            now_s: Seconds since 1970.

        Raises:
            Unavailable: No key of fal's is known, and none can be read now.
        """
        timestamp = headers.get(_TIMESTAMP, "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("9" * 12)):
            return False
        if abs(now_s - int(timestamp)) > _APART_S:
            return False
        try:
            signature = bytes.fromhex(headers.get(_SIGNATURE, ""))
        except ValueError:
            return False
        signed = (headers.get(_REQUEST, ""), headers.get(_USER, ""), timestamp)
        message = signing.signed_message(*signed, body)
        await self._refresh(_KEPT_S, self._read_s)
        if self._signed(signature, message):
            return True
        await self._refresh(_AGAIN_S, self._asked_s)
        if not self._keys:
            raise Unavailable("fal's public keys cannot be read now; please retry")
        return self._signed(signature, message)

    def _signed(self, signature: bytes, message: bytes) -> bool:
        return any(verify(signature, message) for verify in self._keys)

    async def _refresh(self, after_s: float, since_s: float) -> None:
        """Read the keys if `since_s` is at least `after_s` ago, at most once a minute."""
        async with self._reading:
            now_s = time.monotonic()
            if now_s - since_s < after_s or now_s - self._asked_s < _AGAIN_S:
                return
            self._asked_s = now_s
            if keys := await self._published():
                self._keys, self._read_s = keys, now_s
            elif now_s - self._read_s >= _KEPT_S:
                # fal allows keys to be cached for a day at most, even while it is unreachable.
                self._keys = ()

    async def _published(self) -> tuple[_Verify, ...]:
        try:
            reply = await exchange(
                self._client, "GET", self._url, deadline_s=_LOOK_S, bytes_max=_BYTES_MAX
            )
            if reply.status != _OK:
                self._troubled(outcomes.said(reply, " to the request for its public keys"))
                return ()
            found = msgspec.json.decode(reply.body, type=_KeySet).keys
        except (ExchangeFailed, Unusable, msgspec.MsgspecError) as error:
            self._troubled(str(error) if isinstance(error, ExchangeFailed) else words(error))
            return ()
        return tuple(key for each in found[:_KEYS_MAX] if (key := _public_key(each)))


def _public_key(published: _Key) -> _Verify | None:
    if (published.kty, published.crv) != ("OKP", "Ed25519"):
        return None
    from falgate.fal.ed25519 import verifying  # noqa: PLC0415 - when it is needed

    try:
        padded = published.x + "=" * (-len(published.x) % 4)
        return verifying(pybase64.urlsafe_b64decode(padded))
    except ValueError:
        return None
