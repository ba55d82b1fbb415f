"""The routes of one resource: what their decorators have in common."""

from functools import partial
from typing import Any

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from falgate.admin.api.problems import refusals
from falgate.admin.api.services import LEAD, READS


class Resource:
    """Decorators for the routes of one resource, such as `@routes.get("/teams", "List teams")`.

    Each takes a path, a summary, and the statuses of refusals that not every route has. `act` is a
    POST that creates nothing, and so answers 200. `reads=True`: the route changes nothing, as a GET
    does; `lead=True`: it checks that what leads of teams ask for is their team's.

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
        reads: bool = False,
        lead: bool = False,
        **options: Any,
    ) -> "partial[HTTPRouteHandler]":
        made = verb(
            path,
            tags=[self._tag],
            summary=summary,
            responses=refusals(*refused),
            opt={READS: reads or verb is get, LEAD: lead},
            **options,
        )
        return partial(self._add, made)

    def _add(self, made: Any, function: Any) -> HTTPRouteHandler:
        handler: HTTPRouteHandler = made(function)
        self.handlers.append(handler)
        return handler
