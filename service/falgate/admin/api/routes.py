"""Assembles the admin routes behind the admin key."""

from collections.abc import Sequence
from typing import Any

from litestar import HttpMethod, Router, route
from litestar.di import Provide
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from falgate.admin.api import accounts, apps, audit, budgets, keys, problems, teams
from falgate.admin.api.problems import PREFIX, AdminRequest
from falgate.admin.api.services import (
    AdminServices,
    guard,
    in_the_name_of,
    of_one_type,
    with_books,
    within_bounds,
)
from falgate.core.problems import NotFound


def admin_routes(
    services: AdminServices, more: Sequence[ControllerRouterHandler] = ()
) -> list[Router]:
    """Return every route under /admin/v1.

    Args:
        services: Their dependencies.
        more: Further routes, such as the ledger's, with the same guards, error format and
            dependencies (`admin`, `accounts`, `calendar`).
    """
    own: tuple[Any, ...] = (
        *teams.HANDLERS,
        *apps.HANDLERS,
        *keys.HANDLERS,
        *budgets.HANDLERS,
        *accounts.HANDLERS,
        *audit.HANDLERS,
    )
    router = Router(
        PREFIX,
        route_handlers=[*own, *more, unknown],
        request_class=AdminRequest,
        guards=[guard(services.admin_key, services.wrong_keys), within_bounds, of_one_type],
        dependencies={
            "admin": Provide(in_the_name_of(services), sync_to_thread=False),
            "accounts": Provide(with_books(services), sync_to_thread=False),
            "calendar": Provide(lambda: services.calendar, sync_to_thread=False),
        },
        exception_handlers=problems.HANDLERS,
        security=[{"adminKeyAuth": []}],
    )
    return [router]


@route("/{path:path}", http_method=list(HttpMethod), status_code=200, include_in_schema=False)
async def unknown(path: FromPath[str]) -> None:
    """Answer 404 to any other path."""
    raise NotFound(f"There is no {PREFIX}{path[:100]}; see /docs for the routes")
