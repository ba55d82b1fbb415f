"""/requests: the log of the last days of requests, and each of them by its id."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.paging import LIMIT, Limit, pattern_cursor
from falgate.admin.api.request_shapes import RequestPage, RequestShown
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.api.shapes import instant_ms
from falgate.core.calendar import Calendar
from falgate.core.events import Source
from falgate.core.problems import Invalid
from falgate.core.refused import Reason
from falgate.telemetry.logged_request import LogFilter
from falgate.telemetry.request_log import CURSOR
from falgate.telemetry.request_story import Requests

routes = Resource("requests")

Word = Annotated[str, QueryParameter(max_length=150, description="Only requests of this one")]
Since = Annotated[
    str,
    QueryParameter(
        name="from", max_length=40, description="The first local day, or a time (RFC 3339)"
    ),
]
Until = Annotated[
    str,
    QueryParameter(
        name="to", max_length=40, description="The last local day, or the time before which"
    ),
]
Answered = Literal[Source, "answered", "refused"]
So = Annotated[Answered | None, QueryParameter(description="Only requests that ended so")]
Because = Annotated[Reason | None, QueryParameter(description="Only those refused for this reason")]
Status = Annotated[int, QueryParameter(ge=0, le=599, description="Only this status; 0: all")]
Behind = Annotated[str, pattern_cursor(CURSOR)]


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log."""

    items: list[RequestShown]
    next_cursor: str | None
    looked_to: Annotated[
        str | None,
        Meta(description="If there is more: when the last request was logged that was looked at"),
    ]


@routes.get("/requests", "List requests of the last days", lead=True)
async def list_requests(
    *,
    requests: NamedDependency[Requests],
    calendar: NamedDependency[Calendar],
    acting: Acting,
    limit: Limit = LIMIT,
    cursor: Behind = "",
    first: Since = "",
    last: Until = "",
    team: Word = "",
    app: Word = "",
    key: Word = "",
    model: Word = "",
    outcome: So = None,
    reason: Because = None,
    status: Status = 0,
) -> LogPage:
    """Newest first. Of many equal requests a few are listed, each with the `number` of all.

    A page may be short or empty when few requests match. A lead sees their team's only.
    """
    wanted = LogFilter(
        team=_team(acting, team),
        app=app,
        key=key,
        model=model,
        outcome=outcome or "",
        reason=reason or "",
        status=status,
        first_ms=_moment_ms(calendar, first, of_last=False) or 0,
        last_ms=_moment_ms(calendar, last, of_last=True),
    )
    found, more = await requests.log.page(wanted, cursor=cursor.strip(), number=limit)
    return LogPage(
        items=[RequestShown.by(each) for each in found],
        next_cursor=more or None,
        looked_to=instant_ms(int(more.partition("-")[0])) if more else None,
    )


@routes.get("/requests/{request_id:str}", "Get a request with its path", 404, lead=True)
async def show_request(
    requests: NamedDependency[Requests], acting: Acting, request_id: FromPath[str]
) -> RequestPage:
    """Its entry, its steps with their times, its job, what that cost, and the pictures."""
    story = await requests.tell(request_id, _team(acting, ""))
    return RequestPage.by(story, seen_by=acting)


def _team(acting: Operator, team: str) -> str:
    """Return the team whose requests are wanted; "" for all, which is never so for a lead."""
    if acting.role == "lead":
        team = team or acting.team
    acting.answer_for(team)
    return team


def _moment_ms(calendar: Calendar, word: str, *, of_last: bool) -> int | None:
    """Return the time that a day or a time stands for, in ms; of a last day its end."""
    if not word.strip():
        return None
    try:
        day = calendar.day(date.fromisoformat(word.strip()))
    except (ValueError, OverflowError):
        pass
    else:
        return day.ends_ms if of_last else max(0, day.starts_ms)
    try:
        read = datetime.fromisoformat(word.strip().replace(" ", "+"))
        at = read if read.tzinfo else read.replace(tzinfo=calendar.zone)
        at_ms: int = round(at.timestamp() * 1000)
        return max(0, at_ms)
    except (ValueError, OverflowError):
        raise Invalid(
            "from and to are days such as 2026-11-22, or times such as 2026-11-22T14:05Z"
        ) from None
