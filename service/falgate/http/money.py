"""/v1/usage and /v1/budgets: what an app's own key may see of its app's money."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from falgate.accounts.apikey import KeyRecord
from falgate.admin.api.usage import First, Last, UsageShown
from falgate.core.account import Level, chain
from falgate.core.calendar import Calendar
from falgate.core.calendar import Kind as WindowKind
from falgate.core.money import dollars
from falgate.core.problems import Invalid
from falgate.http.request_info import address_of, noting
from falgate.jobs.admission import authenticate
from falgate.jobs.ports import Ports
from falgate.money.budget import Position
from falgate.money.reports import Reports
from falgate.money.usage import PARTS, groups, told

_TAGS = ["money"]
_KEY: list[dict[str, list[str]]] = [{"apiKeyAuth": []}]
_HEADERS = {"Cache-Control": "private, no-store"}
_DAYS_MAX, _PARTS_DAYS_MAX = 366, 31
"""At once; a day's breakdown is read through to find one app's part of it."""
_GROUPS = (*sorted(PARTS), "day")
_NAMES = f"({'|'.join(_GROUPS)})"

By = Annotated[
    str,
    QueryParameter(
        pattern=f"^({_NAMES}(,{_NAMES}){{0,{len(_GROUPS) - 1}}})?$",
        description=f"Of {', '.join(_GROUPS)}, any number by commas; empty: one row. At most "
        f"{_DAYS_MAX} days at once, and {_PARTS_DAYS_MAX} where more than `day` is told apart",
        examples=[],
    ),
]


class BudgetSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A budget that purchases of this key are held to. Amounts are decimal dollars."""

    level: Level
    account: Annotated[str, msgspec.Meta(examples=["team:web", "app:web/shop"])]
    window: WindowKind
    enforced: Annotated[bool, msgspec.Meta(description="False: it counts, and refuses nothing")]
    limit_usd: Annotated[str, msgspec.Meta(description="With what it was raised by")]
    spent_usd: str
    held_usd: str
    remaining_usd: str
    resets_at: str | None

    @classmethod
    def of(cls, position: Position, calendar: Calendar) -> "BudgetSeen":
        """In dollars, and in the organisation's time."""
        return cls(
            level=position.account.level,
            account=position.account.name,
            window=position.window.kind,
            enforced=position.enforced,
            limit_usd=dollars(position.limit or 0),
            spent_usd=dollars(position.spent),
            held_usd=dollars(position.held),
            remaining_usd=dollars(position.remaining or 0),
            resets_at=calendar.resets_at(position.window),
        )


class BudgetsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """All of them: the organisation's first, then the team's, the app's and the key's."""

    budgets: list[BudgetSeen]


class RefusedSo(msgspec.Struct, frozen=True, kw_only=True):
    """Why it is refused."""

    detail: str


_REFUSALS = {
    status: ResponseSpec(RefusedSo, description=meaning, generate_examples=False)
    for status, meaning in {
        400: "A parameter makes no sense, or asks for too much at once",
        401: "No key, or none that is known",
        403: "The key may not be used, or not from here",
        429: "A limit on pace has no room",
        503: "Redis is not there",
    }.items()
}


def money_routes(ports: Ports, reports: Reports, calendar: Calendar) -> Sequence[HTTPRouteHandler]:
    """Both routes. They show what the key's own app is concerned by, and nothing of others."""

    async def whose(request: Request[Any, Any, Any]) -> tuple[KeyRecord, str]:
        caller = await authenticate(
            ports, request.headers.get("authorization"), address_of(request), noting(request)
        )
        return caller.key, ports.sellers[caller.key.kind].name

    @get(
        "/v1/budgets",
        tags=_TAGS,
        security=_KEY,
        responses=_REFUSALS,
        summary="The budgets of this key, its app, its team and the organisation",
    )
    async def see_budgets(request: Request[Any, Any, Any]) -> Response[BudgetsSeen]:
        """With limit, spent, held and when each starts anew; those of a test key are play money."""
        key, upstream = await whose(request)
        positions = [
            position
            for account in chain(key.team, key.app, key.id)
            for position in await ports.budgets.positions(upstream, account)
            if position.budget is not None
        ]
        seen = BudgetsSeen(budgets=[BudgetSeen.of(each, calendar) for each in positions])
        return Response(seen, headers=_HEADERS)

    @get(
        "/v1/usage",
        tags=_TAGS,
        security=_KEY,
        responses=_REFUSALS,
        summary="What this key's app asked for, bought and saved",
    )
    async def see_usage(
        request: Request[Any, Any, Any], by: By = "", first: First = None, last: Last = None
    ) -> Response[UsageShown]:
        """Of some days, by default of this month; of the whole app, whichever of its keys asked."""
        key, upstream = await whose(request)
        try:
            grouped = groups(by)
            found = await reports.usage(
                upstream,
                grouped,
                first,
                last,
                only=f"{key.team}/{key.app}",
                days_max=_DAYS_MAX if PARTS.isdisjoint(grouped) else _PARTS_DAYS_MAX,
            )
        except Invalid as error:
            raise ClientException(str(error)) from None
        shown = msgspec.convert(told(grouped, *found), UsageShown)
        return Response(shown, headers=_HEADERS)

    return (see_budgets, see_usage)
