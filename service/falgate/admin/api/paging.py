"""Pagination: each page has the cursor of the next one."""

from collections.abc import Callable, Mapping
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


def pattern_cursor(pattern: str) -> QueryParameter:
    """Describe a cursor that is empty or of this form."""
    return QueryParameter(
        pattern=f"^({pattern})?$",
        description="`next_cursor` of the previous page; empty for the first page",
    )


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None


def page(found: Mapping[str, S], shown: Callable[[str, S], T], limit: int, cursor: str) -> Page[T]:
    """Return up to `limit` items behind a cursor.

    The cursor is the place of the last item, so items may be added or removed between pages.

    Args:
        found: All items by place, which is a sort key and never empty.
        shown: Converts a place and its item to JSON.
        limit: Page size.
        cursor: Continue behind this place; "" to start.
    """
    behind = sorted(place for place in found if place > cursor)
    places = behind[:limit]
    more = places[-1] if len(behind) > limit else None
    return Page(items=[shown(place, found[place]) for place in places], next_cursor=more)
