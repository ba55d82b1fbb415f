"""What the administration's routes are given: the admin key, and an administration per request."""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter
from litestar.types import Guard

from falgate.accounts import apikey
from falgate.accounts.apikey import Kind
from falgate.accounts.ports import Records
from falgate.accounts.wrong_keys import WrongKeys
from falgate.admin.api.problems import Forbidden, Unauthorized
from falgate.admin.service import AdminService
from falgate.core.bounds import ADMIN_PART_MAX
from falgate.core.calendar import Calendar
from falgate.core.problems import NotFound
from falgate.http.request_info import type_of
from falgate.models.spec import ModelSpec
from falgate.money.ports import Books

Actor = Annotated[
    str | None,
    HeaderParameter(
        name="X-Falgate-Actor",
        pattern=r"^[!-~]{1,64}$",
        description="Who acts, for the audit log: printable ASCII without spaces",
    ),
]
BooksOf = Annotated[
    Literal["live", "test"],
    QueryParameter(name="books", description="Whether the money is that of live or of test keys"),
]


class AdminServices(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator's requests need.

    Attributes:
        records: Teams, apps and keys.
        books: Budgets.
        calendar: How the organisation counts time.
        upstreams: Whose books each kind of key spends in.
        models: Those that are served, by endpoint.
        admin_key: What opens the administration; "" closes it.
        wrong_keys: What each address may still get wrong, of the apps' keys too.
    """

    records: Records
    books: Books
    calendar: Calendar
    upstreams: Mapping[Kind, str]
    models: Mapping[str, ModelSpec]
    admin_key: str
    wrong_keys: WrongKeys = msgspec.field(default_factory=WrongKeys)

    def __repr__(self) -> str:
        """Without the key."""
        return "AdminServices(...)"

    def administration(self, who: str, kind: Kind = "live") -> AdminService:
        """In somebody's name, over the books of one kind of key."""
        return AdminService(
            self.records,
            self.books,
            who=who,
            upstreams=self.upstreams,
            models=self.models,
            kind=kind,
        )


def guard(admin_key: str, wrong_keys: WrongKeys) -> Guard:
    """Let nobody pass but who presents the admin key, which is compared in constant time."""
    known = apikey.present(admin_key)
    is_set = known is not None and known.kind == "admin"
    expected = sha256(admin_key.encode()).digest()

    def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if not is_set:
            raise Forbidden(
                "The administration is closed: set FALGATE_ADMIN_KEY to a key that "
                "`falgate keys admin` makes, and start falgate again"
            )
        given = apikey.from_header(connection.headers.get("authorization", "")) or ""
        if hmac.compare_digest(sha256(given.encode()).digest(), expected):
            return
        if given:
            wrong_keys.wrong(connection.client.host if connection.client else "")
        if given.startswith(("fg_live_", "fg_test_")):
            raise Forbidden("An app's key does not open the administration; give the admin key")
        raise Unauthorized("Give the admin key as `Authorization: Key fg_admin_...`")

    return check


def within_bounds(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let no path pass whose parts are longer than any name here."""
    if any(len(part) > ADMIN_PART_MAX for part in connection.scope["path"].split("/")):
        raise NotFound(f"Nothing here has a name of more than {ADMIN_PART_MAX} characters")


def of_one_type(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let no body pass that is said to be several things; whatever it is called, it is JSON."""
    type_of(connection)


def in_the_name_of(services: AdminServices) -> Callable[[Actor], AdminService]:
    """The dependency `admin`: teams, apps and keys."""

    def admin(x_falgate_actor: Actor = None) -> AdminService:
        return services.administration(named(x_falgate_actor))

    return admin


def with_books(services: AdminServices) -> Callable[[Actor, BooksOf], AdminService]:
    """The dependency `accounts`: the same, over the books that the request names."""

    def accounts(x_falgate_actor: Actor = None, books: BooksOf = "live") -> AdminService:
        return services.administration(named(x_falgate_actor), books)

    return accounts


def named(actor: str | None) -> str:
    """Who acts, for the audit log."""
    return f"admin:{actor}" if actor else "admin"
