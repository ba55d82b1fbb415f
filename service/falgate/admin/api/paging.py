"""Pagination: each page has the cursor of the next one."""

from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

T = TypeVar("T")
S = TypeVar("S")

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="Maximum number of items")]
Cursor = Annotated[
    str,
    QueryParameter(
        max_length=200, description="`next_cursor` of the previous page; empty for the first page"
    ),
]
LIMIT = 100


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None


def page(
    found: Iterable[S], place: Callable[[S], str], shown: Callable[[S], T], limit: int, cursor: str
) -> Page[T]:
    """Return up to `limit` items behind a cursor.

    The cursor is the place of the last item, so items may be added or removed between pages.

    Args:
        found: All items.
        place: Returns an item's sort key, which is never empty.
        shown: Converts an item to JSON.
        limit: Page size.
        cursor: Continue behind this place; "" to start.
    """
    behind = sorted((each for each in found if place(each) > cursor), key=place)
    items = behind[:limit]
    more = place(items[-1]) if len(behind) > limit else None
    return Page(items=[shown(each) for each in items], next_cursor=more)
