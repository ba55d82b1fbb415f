"""The sandbox as an ASGI application: fal's routes, and the control routes for tests."""

import ipaddress
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, Router, delete, get, post, put, route
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from falgate.fal.paths import read as read_route
from falgate.models.spec import ModelSpec
from falgate.sandbox import books, media, platform, queue, run
from falgate.sandbox.answer import said
from falgate.sandbox.behaviour import Behaviour, Configuration
from falgate.sandbox.hooks import Hooks
from falgate.sandbox.record import new_id
from falgate.sandbox.records import Records
from falgate.sandbox.state import Refused, SandboxState
from falgate.sandbox.uploads import UploadedFiles


def create_sandbox(
    models: Mapping[str, ModelSpec],
    *,
    directory: Path | None = None,
    behaviour: Behaviour = Behaviour(),  # noqa: B008 - frozen
    base_url: str | None = None,
) -> Litestar:
    """Create a stand-in for fal.

    Args:
        models: The endpoints that it serves.
        directory: Stores requests for later and concurrent processes; in memory without it.
        behaviour: The initial configuration.
        base_url: Base of the URLs in responses; by default the address of each request.
    """
    records = Records(directory)
    hooks = Hooks(records, models, directory and directory / "hooks.key")
    state = SandboxState(
        models,
        records,
        Configuration(behaviour),
        hooks,
        fixed_url=base_url,
        files=UploadedFiles(directory),
    )

    @route("/{path:path}", http_method=["GET", "POST", "PUT"], status_code=200)
    async def serve_fal(request: Request[Any, Any, Any], path: FromPath[str]) -> ASGIApp:
        if listed := platform.list_of(path):
            return platform.serve(state, request, listed)
        target = read_route(path, request.headers.get("host", ""))
        try:
            if target.service == "queue":
                return await queue.serve(state, request, target)
            return await run.serve(state, request, target)
        except Refused as refused:
            return refused.answer

    @get("/.well-known/jwks.json")
    async def serve_keys() -> dict[str, Any]:
        return state.hooks.key_set()

    @get("/files/b/{request_id:str}/{name:str}")
    async def serve_media(
        request: Request[Any, Any, Any], request_id: FromPath[str], name: FromPath[str]
    ) -> ASGIApp:
        return await media.serve(state, request, request_id, name)

    return Litestar(
        route_handlers=[serve_fal, serve_keys, serve_media, *_storage(state), _controls(state)],
        on_shutdown=[hooks.close],
        openapi_config=None,
        # What bounds them is in front of it, or a test.
        request_max_body_size=None,
        # It may run inside another process, which configures logging itself.
        logging_config=None,
    )


def _storage(state: SandboxState) -> list[HTTPRouteHandler]:
    """Return fal's storage routes: an upload is announced with a key, and put without one."""

    @post("/storage/upload/initiate", status_code=200)
    async def initiate(request: Request[Any, Any, Any]) -> ASGIApp:
        state.visits.routes["upload"] += 1
        try:
            state.authenticate(request)
        except Refused as refused:
            return refused.answer
        upload_id, base_url = state.files.new_id(), state.base_url(request)
        urls = {
            "upload_url": f"{base_url}/storage/files/{upload_id}",
            "file_url": f"{base_url}/files/u/{upload_id}",
        }
        return said(200, urls, new_id(time.time()))

    @put("/storage/files/{upload_id:str}", status_code=200)
    async def put_file(request: Request[Any, Any, Any], upload_id: FromPath[str]) -> ASGIApp:
        if "authorization" in request.headers:
            state.visits.routes["upload_with_authorization"] += 1
        stored = state.files.put(upload_id, await request.body())
        return said(200 if stored else 404, {}, new_id(time.time()))

    return [initiate, put_file]


def _controls(state: SandboxState) -> Router:
    """Return the control routes for tests, which serve only this machine."""

    @get("/books")
    async def read_books() -> ASGIApp:
        now_s = time.time()
        view = books.view(state.records.all(), state.models, state.visits, now_s)
        return said(200, view, new_id(now_s))

    @delete("/books", status_code=200)
    async def clear_books() -> ASGIApp:
        state.records.clear()
        state.visits.clear()
        return said(200, {}, new_id(time.time()))

    @route("/dials", http_method=["GET", "POST", "DELETE"], status_code=200)
    async def configure(request: Request[Any, Any, Any]) -> ASGIApp:
        if request.method == "DELETE":
            state.configuration.reset()
        elif request.method == "POST":
            try:
                state.configuration.change(
                    msgspec.json.decode(await request.body(), type=dict[str, Any])
                )
            except msgspec.MsgspecError as error:
                return said(400, {"detail": str(error)}, new_id(time.time()))
        return said(200, msgspec.to_builtins(state.configuration.current), new_id(time.time()))

    @delete("/work", status_code=200)
    async def end_work() -> ASGIApp:
        now_s = time.time()
        return said(200, {"ended": state.end_work(now_s)}, new_id(now_s))

    handlers = [read_books, clear_books, configure, end_work]
    return Router(path="/sandbox", guards=[_local_only], route_handlers=handlers)


def _local_only(request: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
        raise PermissionDeniedException("Only for clients on this machine")
