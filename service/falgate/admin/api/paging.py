"""Lists in pages: each names the cursor of the next one."""

from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

T = TypeVar("T")
S = TypeVar("S")

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many items at most")]
Cursor = Annotated[
    str,
    QueryParameter(
        max_length=200, description="`next_cursor` of the page before; empty: the first"
    ),
]
LIMIT = 100


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list."""

    items: list[T]
    next_cursor: str | None


def page(
    found: Iterable[S], place: Callable[[S], str], shown: Callable[[S], T], limit: int, cursor: str
) -> Page[T]:
    """So many of what was found behind a cursor.

    Args:
        found: All of it.
        place: Where an item stands in the list's order, which is that of these words; none is
            empty. The cursor is the last one's, so that items may come and go meanwhile.
        shown: An item as JSON.
        limit: How many.
        cursor: Where to go on; "" for the beginning.
    """
    behind = sorted((each for each in found if place(each) > cursor), key=place)
    items = behind[:limit]
    more = place(items[-1]) if len(behind) > limit else None
    return Page(items=[shown(each) for each in items], next_cursor=more)
