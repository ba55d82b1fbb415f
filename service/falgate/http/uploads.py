"""fal's storage routes, by which its clients upload input pictures."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord
from falgate.core.bounds import PARTS
from falgate.http.address import Address
from falgate.http.request_errors import UploadInParts
from falgate.http.request_info import caller_of, noting
from falgate.inputs.uploads import Uploads, UploadUnknown
from falgate.jobs.admission import permit
from falgate.jobs.ports import Ports

PUT_PATH, FILES_PATH = "/uploads/", "/cdn/files/upload"
"""Where uploads are put, with a token or with a key."""

_NEVER_STORED = {"Cache-Control": "private, no-store"}
_OCTETS = "application/octet-stream"
_TOKEN_LENGTH = PARTS["token of an upload"].most


class _Announcement(msgspec.Struct, frozen=True):
    """What a client says of an upload. The file's name is not read."""

    content_type: Annotated[str, Meta(max_length=100)] = _OCTETS


def upload_routes(ports: Ports, uploads: Uploads, address: Address) -> Sequence[HTTPRouteHandler]:
    """Return the routes. Their paths are those of fal's hosts, below /rest and /cdn."""

    @post("/rest/storage/upload/initiate", status_code=200, include_in_schema=False)
    async def initiate(request: Request[Any, Any, Any]) -> Response[Any]:
        caller = await caller_of(ports, request)
        announced = _read(await request.body())
        token, upload_id = await uploads.announce(caller.key, announced.content_type)
        base_url = address.base_url(request.scope)
        return _said(
            {"upload_url": f"{base_url}{PUT_PATH}{token}", "file_url": _url(base_url, upload_id)}
        )

    @put(f"{PUT_PATH}{{token:str}}", status_code=200, include_in_schema=False)
    async def put_file(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
        # The token stands for a key: whoever has it may put this one file for the key's app.
        if len(token) != _TOKEN_LENGTH:
            raise UploadUnknown
        ticket = await uploads.ticket(token, request.headers.get("content-type", _OCTETS))
        await _holder(ports, request, ticket.key)
        await uploads.put(token, ticket, await request.body())
        return _said({})

    @post("/rest/storage/auth/token", status_code=200, include_in_schema=False)
    async def token(request: Request[Any, Any, Any]) -> Response[Any]:
        # Never with the key: an app's proxy adds it for browsers, which get the answer.
        caller = await caller_of(ports, request)
        granted = await uploads.grant(caller.key)
        until = datetime.now(UTC) + timedelta(seconds=granted.for_s)
        return _said(
            {
                "token": granted.token,
                "token_type": "Bearer",
                "base_url": f"{address.base_url(request.scope)}/cdn",
                "expires_at": until.isoformat(),
            }
        )

    @post(FILES_PATH, status_code=200, include_in_schema=False)
    async def upload(request: Request[Any, Any, Any]) -> Response[Any]:
        key = await _uploader(ports, uploads, request)
        upload_id = await uploads.store(key, await request.body())
        return _said({"access_url": _url(address.base_url(request.scope), upload_id)})

    @post(
        [
            "/rest/storage/upload/initiate-multipart",
            "/rest/storage/upload/complete-multipart",
            f"{FILES_PATH}/multipart",
        ],
        include_in_schema=False,
    )
    async def in_parts(request: Request[Any, Any, Any]) -> Response[Any]:
        await _uploader(ports, uploads, request)
        raise UploadInParts

    return [initiate, put_file, token, upload, in_parts]


async def _uploader(ports: Ports, uploads: Uploads, request: Request[Any, Any, Any]) -> KeyRecord:
    """Return the key of a request that has it, or a token that was granted for it."""
    token = apikey.from_header(request.headers.get("authorization", "")) or ""
    if len(token) == _TOKEN_LENGTH and (key_id := await uploads.granted(token)):
        return await _holder(ports, request, key_id)
    return (await caller_of(ports, request)).key


async def _holder(ports: Ports, request: Request[Any, Any, Any], key_id: str) -> KeyRecord:
    """Return the key that a token stands for, if it may still be used."""
    key, now_s, directory = await ports.keys.key(key_id)
    if key is None:
        raise UploadUnknown
    noting(request)(key)
    permit(key, directory, now_s)
    return key


def _url(base_url: str, upload_id: str) -> str:
    """Return the URL of an upload. Nothing is served there: it is only good as an input."""
    return f"{base_url}/inputs/{upload_id}"


def _read(body: bytes) -> _Announcement:
    try:
        return msgspec.json.decode(body, type=_Announcement)
    except msgspec.MsgspecError:
        return _Announcement()


def _said(body: dict[str, Any]) -> Response[Any]:
    return Response(msgspec.json.encode(body), headers=_NEVER_STORED, media_type="application/json")
