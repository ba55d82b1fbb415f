"""fal's synchronous routes: run a model and wait for its pictures."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any

from litestar import HttpMethod, Request, Response, post, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import Receive

from falgate.core.errors import ModelUnknown
from falgate.fal.paths import Route
from falgate.fal.paths import read as read_route
from falgate.http import responses
from falgate.http.address import Address, asked_host
from falgate.http.docs import documented
from falgate.http.picture_urls import PictureUrls
from falgate.http.proxy import is_proxied
from falgate.http.queue import QueueApi
from falgate.http.request_info import REQUEST_ID, admitted, caller_of
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.answer import Answer
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec
from falgate.requests.runtime import Runtime


def run_routes(
    runtime: Runtime, queued: QueueApi, address: Address, picture_urls: PictureUrls
) -> Sequence[HTTPRouteHandler]:
    """Return routes for each model, at the root and under /run, and a fallback for other paths.

    On a host that begins with "queue." the same paths mean fal's queue API.
    """
    ports = runtime.ports

    def model_routes(spec: ModelSpec) -> list[HTTPRouteHandler]:
        async def run(request: Request[Any, Any, Any]) -> Response[Any]:
            if (asked := route_of(request)).service == "queue":
                return await queued.serve(request, asked)
            call = await admitted(ports, await caller_of(ports, request), spec, request)
            key = request.headers.get("idempotency-key", "")
            if key or call.treatment.fresh:
                # Clients may retry this request automatically, so it is stored: the retry then
                # finds it instead of buying again.
                kept = await runtime.queue.wait(call, key=key)
                request.scope["state"][REQUEST_ID] = kept.asked.id
                answer = kept.result()
            else:
                answer = await _answered(runtime, call, request.receive)
            return await responses.pictures(
                spec,
                answer,
                address.base_url(request.scope),
                picture_urls,
                inline=spec.wants_inline(call.arguments),
                dropped=call.ignored,
            )

        shown = post(
            f"/{spec.endpoint}",
            status_code=200,
            operation_id=f"run{spec.schema_name}",
            operation_class=documented(spec),
            summary=f"Run {spec.title} and wait for its pictures",
        )
        alias = post(f"/run/{spec.endpoint}", status_code=200, include_in_schema=False)
        return [shown(run), alias(run)]

    return [*chain(*map(model_routes, ports.models.values())), _other_route(ports, queued)]


async def _answered(runtime: Runtime, call: AdmittedRequest, receive: Receive) -> Answer:
    """Answer a call. If the caller disconnects, the pictures assigned to its request are freed.

    The purchase itself goes on: the next request for the same pictures gets it, most likely a retry
    by this caller.

    Raises:
        Refusal: As `Answers.answer`.
    """
    if not call.treatment.distinct:
        return await runtime.answers.answer(call)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await runtime.together.left(call)

    watching = asyncio.create_task(watch(), name=f"line {call.request_id}")
    try:
        return await runtime.answers.answer(call)
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def _other_route(ports: Ports, queued: QueueApi) -> HTTPRouteHandler:
    """Return the fallback route: the queue's paths, and fal's answer to unknown ones."""

    @route(
        ["/{path:path}", "/run/{path:path}", "/queue/{path:path}"],
        http_method=list(HttpMethod),
        status_code=200,
        include_in_schema=False,
    )
    async def other(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[Any]:
        if (asked := route_of(request)).service == "queue":
            return await queued.serve(request, asked)
        if request.method != HttpMethod.POST:
            raise NotFoundException
        await caller_of(ports, request)
        raise ModelUnknown(path.strip("/").partition("/")[2] or path.strip("/"))

    return other


def route_of(request: Request[Any, Any, Any]) -> Route:
    """Parse a request's path for the host that the caller addressed.

    A proxied request is told apart by its target instead of its host.
    """
    host = "" if is_proxied(request.scope) else asked_host(request.scope)
    return read_route(request.scope["path"], host)
