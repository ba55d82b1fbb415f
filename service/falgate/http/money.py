"""/v1/usage and /v1/budgets: the usage and budgets of an app, for the app's own keys."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.policy import may_use
from falgate.admin.api.usage import First, Last, UsageShown
from falgate.core.account import Account, Level, chain
from falgate.core.calendar import Calendar
from falgate.core.calendar import Kind as WindowKind
from falgate.core.money import dollars
from falgate.core.problems import Invalid
from falgate.http.request_info import caller_of
from falgate.jobs.ports import Ports
from falgate.money.budget import Position
from falgate.money.reports import Reports
from falgate.money.usage import PARTS, groups, told

_TAGS = ["money"]
_KEY: list[dict[str, list[str]]] = [{"apiKeyAuth": []}]
_HEADERS = {"Cache-Control": "private, no-store"}
_DAYS_MAX, _PARTS_DAYS_MAX = 366, 31
"""Maximum days per request. One app's part of a breakdown is found by reading whole days."""
_GROUPS = (*sorted(PARTS), "day")
_NAMES = f"({'|'.join(_GROUPS)})"

By = Annotated[
    str,
    QueryParameter(
        pattern=f"^({_NAMES}(,{_NAMES}){{0,{len(_GROUPS) - 1}}})?$",
        description=f"Comma-separated columns to group by, of {', '.join(_GROUPS)}; empty: one "
        f"row. At most {_DAYS_MAX} days, or {_PARTS_DAYS_MAX} when grouped by more than `day`",
        examples=[],
    ),
]


class BudgetSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A budget that limits purchases of this key. Amounts are decimal US dollars."""

    level: Level
    account: Annotated[str, msgspec.Meta(examples=["team:web", "model:openai/gpt-image-2"])]
    window: WindowKind
    enforced: Annotated[bool, msgspec.Meta(description="False: it counts but refuses nothing")]
    limit_usd: Annotated[str, msgspec.Meta(description="Including temporary raises")]
    spent_usd: str
    held_usd: str
    remaining_usd: str
    resets_at: str | None

    @classmethod
    def of(cls, position: Position, calendar: Calendar) -> "BudgetSeen":
        """Convert a budget position to dollars and the organisation's time zone."""
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
    """The budgets of the organisation, the team, the app, the key and its models, in this order."""

    budgets: list[BudgetSeen]


class RefusedSo(msgspec.Struct, frozen=True, kw_only=True):
    """An error response."""

    detail: str


_REFUSALS = {
    status: ResponseSpec(RefusedSo, description=meaning, generate_examples=False)
    for status, meaning in {
        400: "A parameter is invalid or the range is too large",
        401: "The key is missing or unknown",
        403: "The key is disabled, revoked or expired, or not allowed from this address",
        429: "A rate limit is exceeded",
        503: "Redis is unavailable",
    }.items()
}


def money_routes(ports: Ports, reports: Reports, calendar: Calendar) -> Sequence[HTTPRouteHandler]:
    """Return both routes. They show the key's own app and its parents, and no other app."""

    async def whose(request: Request[Any, Any, Any]) -> tuple[KeyRecord, str]:
        caller = await caller_of(ports, request)
        return caller.key, ports.upstreams[caller.key.kind].name

    def models(key: KeyRecord) -> list[Account]:
        return [Account("model", each) for each in ports.models if may_use(key.permissions, each)]

    @get(
        "/v1/budgets",
        tags=_TAGS,
        security=_KEY,
        responses=_REFUSALS,
        summary="Get the budgets of this key, its app, its team, the organisation and its models",
    )
    async def see_budgets(request: Request[Any, Any, Any]) -> Response[BudgetsSeen]:
        """Amounts of each budget and when it resets; those of test keys are play money."""
        key, upstream = await whose(request)
        positions = [
            position
            for account in (*chain(key.team, key.app, key.id), *models(key))
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
        summary="Get the usage of this key's app: requests, purchases and savings",
    )
    async def see_usage(
        request: Request[Any, Any, Any], by: By = "", first: First = None, last: Last = None
    ) -> Response[UsageShown]:
        """For a range of days, by default the current month; covers all keys of the app."""
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
