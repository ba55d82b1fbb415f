"""Requests of the last days: the log, and each of them with its path and what came of it."""

from typing import Any, get_args

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.api import Refused
from falgate.console.fields import Field
from falgate.console.filters import CURSOR, Filters, days, either, whose
from falgate.console.page import OnPage
from falgate.console.pages.ledger import of_job
from falgate.console.path_shown import steps_shown
from falgate.core.refused import Reason

_PAGE = 50
_WRONG = frozenset({400, 422})
_OUTCOMES = {
    "answered": "answered, all of them",
    "hit": "hit: all from the cache",
    "derived": "derived: converted from the cache",
    "partial": "partial: some bought",
    "coalesced": "coalesced: joined a purchase",
    "miss": "miss: bought",
    "bypass": "bypass: bought afresh",
    "refused": "refused",
}
_REASONS = {each: each.replace("_", " ") for each in get_args(Reason)}
_SAYS = {
    "key": "The key is unknown, disabled, revoked, expired or no key at all.",
    "not_allowed": "The key may not do this.",
    "pace": "A limit on pace was reached.",
    "budget": "A budget had not enough left.",
    "buying_stopped": "Purchases were stopped.",
    "model": "falgate serves no such model, or it has ended.",
    "input": "What was asked for is not valid, or has no price.",
    "upstream": "The upstream refused it, or its answer could not be used.",
    "unavailable": "Something that falgate needs was not there.",
    "timeout": "It took too long.",
    "not_cached": "The caller wanted what is in the cache only, and it was not there.",
    "request": "Something about the request itself was wrong.",
}
"""Why a request was refused, by `Reason`."""


def _fields() -> list[Field]:
    return [
        *whose(),
        either("outcome", "Outcome", _OUTCOMES),
        either("reason", "Refused for", _REASONS),
        Field(name="status", label="Status", kind="number"),
        *days(),
    ]


@get("/requests")
async def requests(page: OnPage) -> Template:
    """List requests, the newest first."""
    filters, error = Filters(page, _fields()), ""
    found: Any = {"items": [], "next_cursor": None, "looked_to": None}
    try:
        found = await page.api.get(
            "requests", limit=_PAGE, cursor=page.query.get(CURSOR), **filters.wanted
        )
    except Refused as refused:
        error = _words(refused)
    return page.show(
        "requests.html",
        http_status=422 if error else 200,
        filters=filters,
        error=error,
        found=found,
        short=len(found["items"]) < _PAGE,
    )


@get("/requests/{request_id:str}")
async def request(page: OnPage, request_id: FromPath[str]) -> Template:
    """Show a request."""
    found = await page.api.get("requests", request_id)
    one, queued, job = found["request"], found["queued"], found["job"]
    books = "test" if (one or queued)["upstream"] == "test" else ""
    entries, more = await of_job(page, job["id"], books, found["ledger"]) if job else ([], False)
    return page.show(
        "request.html",
        title=request_id,
        of=one or queued,
        steps=steps_shown(found["path"]),
        refused=_SAYS.get(one["reason"] or "", "") if one else "",
        found=found,
        entries=entries,
        more=more,
        books=books,
    )


def _words(refused: Refused) -> str:
    """Return what is wrong about a filter; other refusals have a page of their own."""
    if refused.status in _WRONG:
        return str(refused)
    raise refused


ROUTES = (requests, request)
