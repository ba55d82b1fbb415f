"""Client of fal's storage: falgate's own copies of input pictures, uploaded with fal's key."""

from collections.abc import Callable, Mapping
from typing import Protocol

import httpx
import msgspec

from falgate.fal.connections import InProcess, Sender, Sockets, authorities
from falgate.fal.http import ExchangeFailed, Reply, Unusable, exchange

FAL_STORAGE = "https://rest.fal.ai"
KEPT_S = 86_400
"""How long fal keeps an uploaded picture."""
_INITIATE_S, _PUT_S = 15.0, 60.0
_ANSWER_BYTES_MAX = 64 * 1024
_URL_MAX = 2_048
_LIFETIME = f'{{"expiration_duration_seconds":{KEPT_S}}}'


class UploadFailed(Exception):
    """A picture could not be uploaded; the message has no URL and no key."""


class InputStorage(Protocol):
    """Where an upstream takes input pictures from."""

    async def upload(self, data: bytes, content_type: str, name: str) -> str:
        """Upload a picture; return its URL. Raises `UploadFailed`."""


class _Begun(msgspec.Struct, frozen=True):
    """fal's answer to the announcement of an upload."""

    upload_url: str
    file_url: str


class FalStorage:
    """fal's storage. The key goes to its own host only, never to the URL that a file is put to."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        troubled: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Upload by the storage at `url` with the credential `key`.

        Args:
            url: Base URL, such as "https://rest.fal.ai".
            key: fal's credential, `id:secret`.
            troubled: Called with an error's message when an upload fails.
            transport: Replaces sockets, for the sandbox in this process.
        """
        self._url = url.rstrip("/")
        self._key = key
        self._troubled = troubled
        self._in_process: Sender | None = InProcess(transport) if transport else None

    def __repr__(self) -> str:
        """Omit the key."""
        return "FalStorage(...)"

    async def upload(self, data: bytes, content_type: str, name: str) -> str:
        """Upload a picture; return its URL at fal.

        Raises:
            UploadFailed: fal has it not, or not certainly. Nothing is billed for an upload.
        """
        try:
            begun = await self._begin(content_type, name)
            await self._exchange("PUT", begun.upload_url, {"Content-Type": content_type}, data)
        except (ExchangeFailed, Unusable, msgspec.MsgspecError) as error:
            self._troubled(str(error))
            raise UploadFailed(str(error)) from None
        return begun.file_url

    async def _begin(self, content_type: str, name: str) -> _Begun:
        told = msgspec.json.encode({"content_type": content_type, "file_name": name})
        headers = {
            "Authorization": f"Key {self._key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            # fal's clients send either of these names.
            "X-Fal-Object-Lifecycle": _LIFETIME,
            "X-Fal-Object-Lifecycle-Preference": _LIFETIME,
        }
        url = f"{self._url}/storage/upload/initiate?storage_type=fal-cdn-v3"
        reply = await self._exchange("POST", url, headers, told)
        begun = msgspec.json.decode(reply.body, type=_Begun)
        for each in (begun.upload_url, begun.file_url):
            secure = each.startswith(("https://", f"{self._url}/"))
            if not secure or len(each) > _URL_MAX:
                raise Unusable("fal's storage answered with a URL that is not https")
        return begun

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> Reply:
        sender = self._in_process or Sockets(authorities(), url, fresh=True)
        try:
            reply = await exchange(
                sender,
                method,
                url,
                deadline_s=_PUT_S if method == "PUT" else _INITIATE_S,
                bytes_max=_ANSWER_BYTES_MAX,
                headers=headers,
                content=content,
            )
        finally:
            if sender is not self._in_process:
                await sender.aclose()
        if not httpx.codes.is_success(reply.status):
            raise Unusable(f"fal's storage answered {reply.status}")
        return reply
