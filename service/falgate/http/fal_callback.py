"""The route of fal's completion callbacks, by which fal reports the request id of a job."""

from typing import Any

from litestar import Request, Response, post
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from falgate.jobs.callback import FalCallbacks
from falgate.jobs.callback_url import PATH


def hook_route(completions: FalCallbacks) -> HTTPRouteHandler:
    """Return the route; an unknown token gets the same 404 as any unknown path."""

    @post(f"{PATH}/{{token:str}}", status_code=200, include_in_schema=False)
    async def receive_completion(
        request: Request[Any, Any, Any], token: FromPath[str]
    ) -> Response[dict[str, str]]:
        if not completions.knows(token):
            raise NotFoundException
        verdict = await completions.deliver(token, dict(request.headers), await request.body())
        if verdict == "unsigned":
            return Response({"detail": "This callback is not signed by fal"}, status_code=401)
        if verdict == "foreign":
            detail = "This callback is signed for another fal account"
            return Response({"detail": detail}, status_code=401)
        return Response({"status": "ok"})

    return receive_completion
