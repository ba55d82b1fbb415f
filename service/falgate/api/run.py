"""Running a model: fal's synchronous route, for every model that is served."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from litestar import HttpMethod, Request, Response, post, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from falgate.api import answers
from falgate.api.address import Address, asked_host
from falgate.api.caller import address_of, fields_of, noting, type_of
from falgate.api.docs import documented
from falgate.api.edge import REQUEST_ID
from falgate.api.gallery import Gallery
from falgate.api.line import answered
from falgate.api.proxy import is_proxied
from falgate.api.queue import QueueApi
from falgate.core.errors import ModelUnknown
from falgate.core.model import ModelSpec
from falgate.core.route import Route
from falgate.core.route import read as read_route
from falgate.flow.admission import admit, authenticate
from falgate.flow.ports import Ports
from falgate.flow.workshop import Workshop


def run_routes(
    workshop: Workshop, queued: QueueApi, address: Address, gallery: Gallery
) -> Sequence[HTTPRouteHandler]:
    """A route for each model, at the root and under /run, and one for all other names.

    A Host that begins with "queue." is fal's queue: the same paths mean something else there.
    """
    ports = workshop.ports

    def model_routes(spec: ModelSpec) -> list[HTTPRouteHandler]:
        async def run(request: Request[Any, Any, Any]) -> Response[Any]:
            if (asked := route_of(request)).service == "queue":
                return await queued.serve(request, asked)
            caller = await authenticate(
                ports,
                request.headers.get("authorization"),
                address_of(request),
                noting(request),
            )
            call = admit(
                ports,
                caller=caller,
                spec=spec,
                body=await request.body(),
                content_type=type_of(request),
                headers=fields_of(request),
                request_id=request.scope["state"][REQUEST_ID],
            )
            key = request.headers.get("idempotency-key", "")
            if key or call.treatment.fresh:
                # What may be sent again by itself is kept, so that it is found then.
                kept = await workshop.queue.wait(call, key=key)
                request.scope["state"][REQUEST_ID] = kept.asked.id
                answer = kept.brought()
            else:
                answer = await answered(workshop, call, request.receive)
            inline = spec.wants_inline(call.arguments)
            base_url = address.base_url(request)
            return Response(
                await answers.body(spec, answer, base_url, gallery, inline=inline),
                headers={
                    **answers.headers(answer, gallery.now_s()),
                    **answers.ignored(call.ignored),
                },
                media_type="application/json",
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


def _other_route(ports: Ports, queued: QueueApi) -> HTTPRouteHandler:
    """The queue under all of its paths, and fal's answer for all that is not there."""

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
        await authenticate(
            ports, request.headers.get("authorization"), address_of(request), noting(request)
        )
        raise ModelUnknown(path.strip("/").partition("/")[2] or path.strip("/"))

    return other


def route_of(request: Request[Any, Any, Any]) -> Route:
    """What a request's path names, on the host that the caller addressed.

    By the proxy route its target tells run from queue, and not its host.
    """
    host = "" if is_proxied(request.scope) else asked_host(request)
    return read_route(request.scope["path"], host)
