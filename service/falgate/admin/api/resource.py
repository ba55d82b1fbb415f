"""The routes of one resource: what their decorators have in common."""

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from falgate.admin.api.preview import PreviewShown, has_preview, previewed
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import LEAD, READS


class Resource:
    """Decorators for the routes of one resource, such as `@routes.get("/teams", "List teams")`.

    Each takes a path, a summary, and the statuses of refusals that not every route has. `act` is a
    POST that creates nothing, and so answers 200.
    `reads=True`: the route changes nothing, as a GET does by itself; `reads=False`: it is not for
    viewers. `lead=True`: it checks that what leads of teams ask for is their team's. A route that
    changes what an administration has takes `?preview=true` by itself.

    Attributes:
        handlers: The routes decorated so far.
    """

    def __init__(self, tag: str) -> None:
        self.handlers: list[HTTPRouteHandler] = []
        self._tag = tag
        self.get, self.put, self.patch = (partial(self._route, verb) for verb in (get, put, patch))
        self.post, self.delete = partial(self._route, post), partial(self._route, delete)
        self.act = partial(self._route, post, status_code=200)

    def _route(
        self,
        verb: Any,
        path: str,
        summary: str,
        *refused: int,
        reads: bool | None = None,
        lead: bool = False,
        **options: Any,
    ) -> Callable[[Any], HTTPRouteHandler]:
        changes = verb is not get if reads is None else not reads

        def add(function: Any) -> HTTPRouteHandler:
            answers: dict[int, Any] = refusals(*refused)
            if changes and verb is not get and has_preview(function):
                answers[200] = _with_preview(function, options.get("status_code", verb))
                function = previewed(function)
            made = verb(
                path,
                tags=[self._tag],
                summary=summary,
                responses=answers,
                opt={READS: not changes, LEAD: lead},
                **options,
            )
            handler: HTTPRouteHandler = made(function)
            self.handlers.append(handler)
            return handler

        return add


def _with_preview(function: Any, made_by: Any) -> ResponseSpec:
    """Return what a route answers with 200: a preview, and what it always does, if by 200."""
    if made_by in {post, delete}:  # these answer by 201 and 204 otherwise
        return ResponseSpec(PreviewShown, description="The preview", generate_examples=False)
    either = function.__annotations__["return"] | PreviewShown
    return ResponseSpec(
        either, description="What there is now; or the preview", generate_examples=False
    )
