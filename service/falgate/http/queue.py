"""fal's queue API: submit, status, status stream, result and cancel, under all its paths."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.response import Stream

from falgate.core.bounds import QUERIES
from falgate.core.errors import InputRejected
from falgate.core.printable import quoted
from falgate.egress.target import Rules
from falgate.fal.paths import METHODS, Route, wants_logs
from falgate.http import responses
from falgate.http.address import Address
from falgate.http.picture_urls import PictureUrls
from falgate.http.queue_status import events, status_of
from falgate.http.request_info import REQUEST_ID, address_of, admitted, caller_of, noting
from falgate.jobs.admission import Caller, called_model
from falgate.jobs.authentication import identify
from falgate.jobs.progress import RequestProgress
from falgate.jobs.queue_errors import (
    AlreadyCompleted,
    MethodWrong,
    PathUnknown,
    RequestUnknown,
    StillRunning,
)
from falgate.jobs.queue_errors import Call as Asking
from falgate.jobs.request import ID
from falgate.requests import owner
from falgate.requests.auth_cache import AuthCache
from falgate.requests.owner import Owner
from falgate.requests.runtime import Runtime
from falgate.requests.submit import Hook
from falgate.webhooks.target import check_target

_CALLS: dict[str, Asking] = {"status": "status", "status/stream": "status", "cancel": "cancel"}
_NUMBER = re.compile(rf"[0-9]{{1,{QUERIES['fal_max_queue_length'].most}}}")
_NEVER_STORED = {"Cache-Control": "private, no-store"}
_UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Keeps nginx and similar proxies from buffering events."""

_ASYNC = 202


class QueueApi:
    """Handles every call to the queue API."""

    def __init__(
        self,
        runtime: Runtime,
        address: Address,
        picture_urls: PictureUrls,
        webhook_rules: Rules,
    ) -> None:
        """Serve the requests of `runtime`.

        Args:
            runtime: Works on the requests.
            address: Where callers reach this gateway.
            picture_urls: Builds picture URLs.
            webhook_rules: The allowed webhook targets.
        """
        self._webhook_rules = webhook_rules
        self._ports = runtime.ports
        self._queue = runtime.queue
        self._polls = runtime.polls
        self._cancelling = runtime.cancelling
        self._auth_cache = AuthCache(runtime.ports)
        self._address = address
        self._picture_urls = picture_urls

    async def serve(self, request: Request[Any, Any, Any], route: Route) -> Response[Any]:
        """Handle one call.

        Raises:
            Refusal: In fal's format.
        """
        if route.request_id is None:
            if request.method != "POST":
                raise MethodWrong("POST")
            return await self._submit(request, route)
        if route.action not in METHODS:
            raise PathUnknown(f"/requests/{quoted(route.request_id)}/{quoted(route.action)}")
        if request.method != METHODS[route.action]:
            raise MethodWrong(METHODS[route.action])
        authorization = request.headers.get("authorization")
        caller = await self._auth_cache.identify(
            authorization, address_of(request), noting(request)
        )
        if not ID.fullmatch(route.request_id):
            raise RequestUnknown(_CALLS.get(route.action, "result"))
        match route.action:
            case "status":
                return await self._status(request, route, caller)
            case "status/stream":
                return await self._stream(request, route, caller)
            case "cancel":
                return await self._cancel(request, route, caller)
        return await self._result(request, route, caller)

    async def _submit(self, request: Request[Any, Any, Any], route: Route) -> Response[Any]:
        caller = await caller_of(self._ports, request)
        spec, called = called_model(self._ports.models, route.target, caller, told_as=route.alias)
        request_id = request.scope["state"][REQUEST_ID]
        hook = Hook(
            request.query_params.get("fal_webhook", ""), self._address.base_url(request.scope)
        )
        if hook.url:
            check_target(hook.url, self._webhook_rules)
        try:
            call = await admitted(self._ports, caller, spec, request, called)
        except InputRejected as rejection:
            kept = await self._queue.reject(
                caller, spec, rejection, request_id=request_id, called=called, hook=hook
            )
        else:
            kept = await self._queue.submit(
                call,
                hook=hook,
                key=request.headers.get("idempotency-key", ""),
                length_max=_number(request.query_params.get("fal_max_queue_length", "")),
            )
        request.scope["state"][REQUEST_ID] = kept.asked.id
        standing = await self._polls.look(owner.of_key(caller.key), kept.asked.id)
        body: dict[str, Any] = {
            "status": "IN_QUEUE",
            **self._urls(request, route, kept.asked.id),
            "logs": None,
            "metrics": {},
            "queue_position": standing.ahead if standing else 0,
        }
        told = {**body, "gateway_request_id": kept.asked.id} if hook.url else body
        return _said(told, headers=responses.ignored(kept.asked.ignored))

    async def _status(
        self, request: Request[Any, Any, Any], route: Route, caller: Caller
    ) -> Response[Any]:
        found = await self._polls.news(owner.of_key(caller.key), route.request_id or "")
        standing = _found(found, request, route, "status")
        urls = self._urls(request, route, standing.request.asked.id)
        body = status_of(standing, urls, logs=wants_logs(request.query_params))
        return _said(body, 200 if standing.request.ended else _ASYNC)

    async def _stream(
        self, request: Request[Any, Any, Any], route: Route, caller: Caller
    ) -> Response[Any]:
        whose = owner.of_key(caller.key)
        found = await self._polls.look(whose, route.request_id or "")
        first = _found(found, request, route, "status")
        urls = self._urls(request, route, first.request.asked.id)
        return Stream(
            events(
                self._followed(request, whose, first), urls, logs=wants_logs(request.query_params)
            ),
            headers=_NEVER_STORED | _UNBUFFERED,
            media_type="text/event-stream",
        )

    async def _followed(
        self, request: Request[Any, Any, Any], whose: Owner, first: RequestProgress
    ) -> AsyncIterator[RequestProgress | None]:
        """Yield a request's progress for as long as the key stays valid.

        Raises:
            Refusal: The key is no longer valid.
        """
        authorization, address = request.headers.get("authorization"), address_of(request)
        async for standing in self._polls.follow(whose, first):
            await identify(self._ports, authorization, address)
            yield standing

    async def _result(
        self, request: Request[Any, Any, Any], route: Route, caller: Caller
    ) -> Response[Any]:
        standing = await self._polls.look(owner.of_key(caller.key), route.request_id or "")
        kept = _found(standing, request, route, "result").request
        if not kept.ended:
            raise StillRunning(self._urls(request, route, kept.asked.id))
        spec, answer = self._ports.models[kept.asked.endpoint], kept.result()
        return await responses.pictures(
            spec,
            answer,
            self._address.base_url(request.scope),
            self._picture_urls,
            inline=kept.asked.inline,
            dropped=kept.asked.ignored,
            called=kept.asked.called,
        )

    async def _cancel(
        self, request: Request[Any, Any, Any], route: Route, caller: Caller
    ) -> Response[Any]:
        whose = owner.of_key(caller.key)
        request_id = route.request_id or ""
        state = request.scope["state"]
        try:
            await self._cancelling.cancel(whose, request_id, route.target)
        except AlreadyCompleted:
            state[REQUEST_ID] = request_id
            raise
        state[REQUEST_ID] = request_id
        return _said({"status": "CANCELLATION_REQUESTED"}, _ASYNC)

    def _urls(
        self, request: Request[Any, Any, Any], route: Route, request_id: str
    ) -> dict[str, str]:
        fixed = bool(self._address.public_url)
        return route.urls(self._address.base_url(request.scope), request_id, fixed=fixed)


def _found(
    standing: RequestProgress | None, request: Request[Any, Any, Any], route: Route, asking: Asking
) -> RequestProgress:
    """Return the request's progress, and answer under the request's own id.

    Raises:
        RequestUnknown: There is no such request, or it belongs to another app path.
    """
    if standing is None or not standing.request.under(route.target):
        raise RequestUnknown(asking)
    request.scope["state"][REQUEST_ID] = standing.request.asked.id
    return standing


def _said(
    body: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers={**_NEVER_STORED, **(headers or {})},
        media_type="application/json",
    )


def _number(text: str) -> int | None:
    """Parse a whole number; anything else is ignored, as fal does."""
    return int(text) if _NUMBER.fullmatch(text) else None
