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
from falgate.api.docs import documented
from falgate.api.edge import REQUEST_ID
from falgate.api.proxy import is_proxied
from falgate.core import wishes
from falgate.core.errors import ModelUnknown, QueueMissing
from falgate.core.model import ModelSpec
from falgate.flow.admission import admit, authenticate
from falgate.flow.answer import Answers
from falgate.flow.ports import Ports


def run_routes(
    ports: Ports, served: Answers, address: Address, read: answers.ReadPicture
) -> Sequence[HTTPRouteHandler]:
    """A route for each model, at the root and under /run, and one for all other names."""

    def model_routes(spec: ModelSpec) -> list[HTTPRouteHandler]:
        async def run(request: Request[Any, Any, Any]) -> Response[bytes]:
            if is_queue(request):
                raise QueueMissing
            caller = await authenticate(
                ports, request.headers.get("authorization"), address_of(request)
            )
            call = admit(
                ports,
                caller=caller,
                spec=spec,
                body=await request.body(),
                content_type=request.headers.get("content-type"),
                wishes=wishes.read(request.headers),
                request_id=request.scope["state"][REQUEST_ID],
            )
            answer = await served.answer(call)
            return Response(
                await answers.body(call, answer, address.base_url(request), read),
                headers=answers.headers(answer),
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

    @route("/queue/{path:path}", http_method=list(HttpMethod), include_in_schema=False)
    async def queue(path: FromPath[str]) -> None:  # noqa: ARG001 - a path must be taken
        raise QueueMissing

    @route(
        ["/{path:path}", "/run/{path:path}"],
        http_method=list(HttpMethod),
        status_code=200,
        include_in_schema=False,
    )
    async def unknown(request: Request[Any, Any, Any], path: FromPath[str]) -> None:
        if is_queue(request):
            raise QueueMissing
        if request.method != HttpMethod.POST:
            raise NotFoundException
        await authenticate(ports, request.headers.get("authorization"), address_of(request))
        raise ModelUnknown(path.strip("/").partition("/")[2] or path.strip("/"))

    return [*chain(*map(model_routes, ports.models.values())), queue, unknown]


def address_of(request: Request[Any, Any, Any]) -> str:
    """Where a caller is, as far as the server knows; "" where it does not."""
    return request.client.host if request.client else ""


def is_queue(request: Request[Any, Any, Any]) -> bool:
    """Whether a request is for the queue's host: the same paths mean something else there."""
    return not is_proxied(request.scope) and asked_host(request).lower().startswith("queue.")
