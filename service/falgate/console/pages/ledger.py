"""The ledger: its entries, what they add up to, whether to trust them, and all of them as CSV."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.api import Refused
from falgate.console.fields import Field
from falgate.console.filters import CURSOR, Filters, days, either, whose
from falgate.console.page import OnPage, Page
from falgate.console.passing import PassedOn
from falgate.money.entry import ENTRY_KINDS, OUTCOMES
from falgate.money.entry_shown import COLUMNS

_PAGE = 50
_WRONG = frozenset({400, 409, 422})
_ENTRY_MAX = 31
_KINDS = {
    "close": "close: the end of a job",
    "correction": "correction: its cost was another",
    "reset": "reset: spending was forgiven",
    "raise": "raise: of a limit, for one window",
}
_OUTCOMES = {
    "paid": "paid",
    "refused": "refused by the upstream",
    "released": "released: nothing was bought",
    "unknown": "unknown: booked in full",
    "recovered": "recovered after a loss",
}
_BOOKS = {"": "of live keys", "test": "of test keys: play money"}
_EMPTY: dict[str, Any] = {
    "items": [],
    "next_cursor": None,
    "looked_to": None,
    "archived_until": None,
}


def _fields() -> list[Field]:
    return [
        *whose(),
        either("kind", "Kind", {each: _KINDS[each] for each in ENTRY_KINDS}),
        either("outcome", "Outcome", {each: _OUTCOMES[each] for each in OUTCOMES}),
        either("pictures", "Pictures", {"none": "charged, but none came"}),
        either("reconciled", "Compared with the bill", {"yes": "yes", "no": "not yet"}),
        Field(name="job", label="Job"),
        Field(name="books", label="Money", kind="choice", options=[*_BOOKS.items()]),
        *days(),
    ]


@get("/ledger")
async def ledger(page: OnPage) -> Template:
    """Show totals, entries, and the ledger's health to those who answer for all of it."""
    filters = Filters(page, _fields())
    (found, error), (totals, no_totals), (health, _) = await asyncio.gather(
        _or_why(page, "ledger", limit=_PAGE, cursor=page.query.get(CURSOR), **filters.wanted),
        _or_why(page, "ledger", "totals", **filters.wanted),
        _health(page, filters.wanted.get("books", "")),
    )
    found = found or dict(_EMPTY)
    found["items"] = complete(found["items"])
    return page.show(
        "ledger.html",
        http_status=422 if error else 200,
        filters=filters,
        error=error,
        found=found,
        short=len(found["items"]) < _PAGE,
        totals=totals,
        no_totals=no_totals,
        health=health,
    )


@get("/ledger/{entry:str}")
async def entry(page: OnPage, entry: FromPath[str]) -> Template:
    """Show an entry with all of its fields, and the others of its job."""
    books = "test" if page.query.get("books") == "test" else ""
    shown = await _entry(page, entry, books)
    job = shown["job"]
    found, more = await of_job(page, job, books, [shown]) if job else ([], False)
    others = [each for each in found if each["entry"] != entry]
    return page.show("entry.html", each=shown, others=others, more=more, books=books)


@get("/ledger.csv")
async def ledger_csv(page: OnPage) -> PassedOn:
    """Pass on all entries that the filter wants, as the admin API writes them."""
    return PassedOn(page.api, "ledger.csv", urlencode(Filters(page, _fields()).wanted))


async def of_job(
    page: Page, job: str, books: str, known: Sequence[Mapping[str, Any]] = ()
) -> tuple[list[dict[str, Any]], bool]:
    """Return the entries of a job, the oldest first, and whether there may be more.

    Nothing of a job is before its closing entry, and a correction may be far behind: not all that
    is between is looked through.

    Args:
        page: Who asks.
        job: The job.
        books: "test" for a job of a test key; else "".
        known: Entries of it that were found already.
    """
    closed = [each["entry"] for each in known if each["kind"] == "close"]
    query = {"job": job, "books": books, "order": "oldest", "cursor": "".join(closed[:1])}
    found = await page.api.get("ledger", limit=_PAGE, **query)
    entries = {each["entry"]: each for each in (*known, *found["items"])}
    more = bool(found["next_cursor"])
    return complete([entries[each] for each in sorted(entries, key=_place)]), more


def _place(entry: str) -> tuple[int, ...]:
    return tuple(map(int, entry.split("-")))


async def _or_why(page: Page, *path: str, **query: Any) -> tuple[Any, str]:
    """Return what the API answers, or None and why it does not."""
    try:
        return await page.api.get(*path, **query), ""
    except Refused as refused:
        if refused.status in _WRONG:
            return None, str(refused)
        raise


async def _health(page: Page, books: str) -> tuple[Any, str]:
    if not page.may("admin", "viewer"):
        return None, ""
    return await _or_why(page, "ledger", "health", books=books)


async def _entry(page: Page, entry: str, books: str) -> Any:
    """Return an entry: the first one behind the place before it."""
    ms, _, number = entry.partition("-")
    if not (ms.isdecimal() and number.isdecimal() and entry.isascii() and len(entry) <= _ENTRY_MAX):
        raise NotFoundException
    query = {"cursor": f"{ms}-{int(number) + 1}", "limit": 1, "books": books}
    found = (await page.api.get("ledger", **query))["items"]
    if not found or found[0]["entry"] != entry:
        raise NotFoundException
    return complete(found)[0]


def complete(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entries with all fields; the admin API leaves out those that one does not have."""
    return [{**dict.fromkeys(COLUMNS), **each} for each in entries]


ROUTES = (ledger, entry, ledger_csv)
