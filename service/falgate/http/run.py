"""fal's synchronous routes: run a model and wait for its pictures."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from litestar import HttpMethod, Request, Response, post, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive

from falgate.fal.paths import Route
from falgate.fal.paths import read as read_route
from falgate.http import responses
from falgate.http.address import Address, asked_host
from falgate.http.docs import documented
from falgate.http.picture_urls import PictureUrls
from falgate.http.proxy import is_proxied
from falgate.http.queue import QueueApi
from falgate.http.request_info import REQUEST_ID, admitted, caller_of
from falgate.jobs.admission import AdmittedRequest, called_model
from falgate.jobs.answer import Answer
from falgate.models.spec import ModelSpec
from falgate.requests.runtime import Runtime


class RunApi:
    """Handles calls that wait for their pictures."""

    def __init__(
        self, runtime: Runtime, queued: QueueApi, address: Address, picture_urls: PictureUrls
    ) -> None:
        """Serve the requests of `runtime`.

        Args:
            runtime: Works on the requests.
            queued: Serves the same paths on a host that begins with "queue.", as fal does.
            address: Where callers reach this gateway.
            picture_urls: Builds picture URLs.
        """
        self._runtime = runtime
        self._ports = runtime.ports
        self._queued = queued
        self._address = address
        self._picture_urls = picture_urls

    async def serve(self, request: Request[Any, Any, Any]) -> Response[Any]:
        """Handle one call, whether its path names a model, an alias, or neither.

        Raises:
            Refusal: In fal's format.
        """
        if (asked := route_of(request)).service == "queue":
            return await self._queued.serve(request, asked)
        if request.method != HttpMethod.POST:
            raise NotFoundException
        return await self._run(request, asked.target)

    async def _run(self, request: Request[Any, Any, Any], name: str) -> Response[Any]:
        caller = await caller_of(self._ports, request)
        spec, called = called_model(self._ports.models, name, caller)
        call = await admitted(self._ports, caller, spec, request, called)
        key = request.headers.get("idempotency-key", "")
        if key or call.treatment.fresh:
            # Clients may retry this request automatically, so it is stored: the retry then finds it
            # instead of buying again.
            kept = await self._runtime.queue.wait(call, key=key)
            request.scope["state"][REQUEST_ID] = kept.asked.id
            answer = kept.result()
        else:
            answer = await self._answered(call, request.receive)
        return await responses.pictures(
            call.spec,
            answer,
            self._address.base_url(request.scope),
            self._picture_urls,
            inline=call.spec.wants_inline(call.arguments),
            dropped=call.ignored,
            called=call.called,
        )

    async def _answered(self, call: AdmittedRequest, receive: Receive) -> Answer:
        """Answer a call. If the caller disconnects, the pictures assigned to its request are freed.

        The purchase itself goes on: the next request for the same pictures gets it, most likely a
        retry by this caller.

        Raises:
            Refusal: As `Answers.answer`.
        """
        answers, together = self._runtime.answers, self._runtime.together
        if not call.treatment.distinct:
            return await answers.answer(call)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            await together.left(call)

        watching = asyncio.create_task(watch(), name=f"line {call.request_id}")
        try:
            return await answers.answer(call)
        finally:
            watching.cancel()
            await asyncio.wait({watching})


def run_routes(api: RunApi, models: Mapping[str, ModelSpec]) -> Sequence[HTTPRouteHandler]:
    """Return routes for each model, at the root and under /run, and a fallback for other paths."""

    def model_routes(spec: ModelSpec) -> list[HTTPRouteHandler]:
        async def run(request: Request[Any, Any, Any]) -> Response[Any]:
            return await api.serve(request)

        shown = post(
            f"/{spec.endpoint}",
            status_code=200,
            operation_id=f"run{spec.schema_name}",
            operation_class=documented(spec),
            summary=f"Run {spec.title} and wait for its pictures",
        )
        alias = post(f"/run/{spec.endpoint}", status_code=200, include_in_schema=False)
        return [shown(run), alias(run)]

    return [*chain(*map(model_routes, models.values())), _other_route(api)]


def _other_route(api: RunApi) -> HTTPRouteHandler:
    """Return the fallback route: the queue's paths, aliases, and fal's answer to unknown paths."""

    @route(
        ["/{path:path}", "/run/{path:path}", "/queue/{path:path}"],
        http_method=list(HttpMethod),
        status_code=200,
        include_in_schema=False,
    )
    async def other(request: Request[Any, Any, Any]) -> Response[Any]:
        return await api.serve(request)

    return other


def route_of(request: Request[Any, Any, Any]) -> Route:
    """Parse a request's path for the host that the caller addressed.

    A proxied request is told apart by its target instead of its host.
    """
    host = "" if is_proxied(request.scope) else asked_host(request.scope)
    return read_route(request.scope["path"], host)
