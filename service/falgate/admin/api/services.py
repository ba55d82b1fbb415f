"""Guards and dependencies of the admin routes: who asks, and an admin service for each request."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter
from litestar.types import Guard, Scope

from falgate.accounts import apikey
from falgate.accounts.apikey import Kind
from falgate.accounts.operator import SCOPE, Operator
from falgate.accounts.ports import Records
from falgate.accounts.wrong_keys import WrongKeys
from falgate.admin.access import Access
from falgate.admin.context import upstream_of
from falgate.admin.service import AdminService
from falgate.core.bounds import ADMIN_PART_MAX
from falgate.core.calendar import Calendar
from falgate.core.problems import NotFound
from falgate.http.request_info import type_of
from falgate.models.spec import ModelSpec
from falgate.money.ports import BudgetStore, StopStore

READS, LEAD = "reads", "lead"
"""Options of a route: it changes nothing; it keeps leads to their team. See `Operator.permit`."""

Actor = Annotated[
    str | None,
    HeaderParameter(
        name="X-Falgate-Actor",
        pattern=r"^[!-~]{1,64}$",
        description="The acting user, for the audit log: printable ASCII without spaces",
    ),
]
BooksOf = Annotated[
    Literal["live", "test"],
    QueryParameter(name="books", description="The kind of keys whose money is meant"),
]
Admin = NamedDependency[AdminService]
"""Acts for the caller: `admin` on the budgets of live keys, `accounts` on those of `books`."""

Who = NamedDependency[str]
"""The caller, for the audit log."""

Acting = NamedDependency[Operator]
"""The caller, and what they may do."""


class AdminServices(msgspec.Struct, frozen=True, kw_only=True):
    """Dependencies of the admin API.

    Attributes:
        records: Teams, apps, keys and operators.
        budget_store: Budgets.
        stop_store: Stops.
        calendar: The organisation's calendar.
        upstreams: The upstream of each kind of key.
        models: The served models, by endpoint.
        admin_key: The first admin's key; "" closes the API to everybody.
        slots_max: How many jobs an upstream works on at once; 0: any number.
        wrong_keys: Limits attempts with wrong keys per address, shared with the apps' routes.
    """

    records: Records
    budget_store: BudgetStore
    stop_store: StopStore
    calendar: Calendar
    upstreams: Mapping[Kind, str]
    models: Mapping[str, ModelSpec]
    admin_key: str
    slots_max: int = 0
    wrong_keys: WrongKeys = msgspec.field(default_factory=WrongKeys)

    def __repr__(self) -> str:
        """Omit the key."""
        return "AdminServices(...)"

    @property
    def access(self) -> Access:
        """Who gets in."""
        return Access(self.admin_key, self.records.operators, self.wrong_keys)

    def administration(self, who: str, kind: Kind = "live") -> AdminService:
        """Return an admin service that acts for `who` on the budgets of one kind of key."""
        return AdminService(
            self.records,
            self.budget_store,
            self.stop_store,
            who=who,
            upstreams=self.upstreams,
            models=self.models,
            kind=kind,
        )


def guard(access: Access) -> Guard:
    """Return a guard that requires the key of an operator whose role may use the route.

    Who was identified before, by the console, needs none.
    """

    async def check(
        connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        scope: Any = connection.scope
        if not isinstance(scope.get(SCOPE), Operator):
            given = apikey.from_header(connection.headers.get("authorization", "")) or ""
            address = connection.client.host if connection.client else ""
            scope[SCOPE] = await access.identify(given, address)
        scope[SCOPE].permit(reads=route.opt.get(READS, False), lead=route.opt.get(LEAD, False))

    return check


def within_bounds(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Reject paths with a segment longer than any name."""
    if any(len(part) > ADMIN_PART_MAX for part in connection.scope["path"].split("/")):
        raise NotFound(f"No name is longer than {ADMIN_PART_MAX} characters")


def of_one_type(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Reject requests with several content types. The type itself is ignored: bodies are JSON."""
    type_of(connection)


def providers(services: AdminServices, **others: object) -> dict[str, Provide]:
    """Return the dependencies of the routes.

    `admin` and `accounts` are each an `Admin`, `acting` is an `Acting`, `who` is a `Who`, and
    `upstream` is the name of that of the requested kind of key.

    No name may be that of a field of a body: Litestar would take a wrong value there for a failed
    dependency, and answer 500.

    Args:
        services: Themselves a dependency, like their calendar.
        others: More dependencies, by name.
    """

    def acting(scope: Scope) -> Operator:
        found: Any = scope
        operator: Operator = found[SCOPE]  # the guard set it
        return operator

    def who(acting: Acting, x_falgate_actor: Actor = None) -> str:
        return f"{acting.who}:{x_falgate_actor}" if x_falgate_actor else acting.who

    def admin(who: Who) -> AdminService:
        return services.administration(who)

    def accounts(who: Who, books: BooksOf = "live") -> AdminService:
        return services.administration(who, books)

    def upstream(books: BooksOf = "live") -> str:
        return upstream_of(services.upstreams, books)

    known = {"services": services, "calendar": services.calendar, **others}
    provided: dict[str, Callable[..., Any]] = {
        **{name: _always(it) for name, it in known.items()},
        "acting": acting,
        "who": who,
        "admin": admin,
        "accounts": accounts,
        "upstream": upstream,
    }
    return {name: Provide(each, sync_to_thread=False) for name, each in provided.items()}


def _always(it: object) -> Callable[[], Any]:
    return lambda: it
