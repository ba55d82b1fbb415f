"""What operators may look at and do about webhooks, for REST and commands alike."""

import re
from collections.abc import Sequence
from typing import Protocol

from falgate.core.problems import Invalid, NotFound
from falgate.webhooks.delivery import STATES, Delivery, Place, State

CURSOR = r"(waiting|failed|delivered)\.([0-9]{1,15})\.([0-9A-Za-z_-]{1,64})"

_MISSING = (
    "There is no such webhook: a request has one, named by its id, until a week after its end"
)


class DeliveryLists(Protocol):
    """Pages of webhooks. Without Redis: `Unavailable`."""

    async def page(
        self, states: Sequence[State], app: str, after: Place | None, number: int
    ) -> tuple[list[Delivery], Place | None]:
        """Up to so many behind a place, and where to go on."""


class DeliveryRecords(Protocol):
    """Webhooks. Without Redis: `Unavailable`."""

    async def read(self, request_id: str) -> Delivery | None:
        """One as it stands."""

    async def resend(self, request_id: str, who: str) -> bool:
        """Have one sent again; writes the audit log. False when there is none."""


class WebhookAdmin:
    """Webhooks as operators see them. All methods raise `Unavailable` without Redis."""

    def __init__(self, records: DeliveryRecords, lists: DeliveryLists) -> None:
        """Look at these."""
        self._records = records
        self._lists = lists

    async def page(
        self, state: State | None, app: str, cursor: str, number: int
    ) -> tuple[list[Delivery], str]:
        """Those that wait, the next one first, then those that failed and those that arrived.

        Args:
            state: Only these.
            app: Only those of TEAM or TEAM/APP; "" for all.
            cursor: What the page before gave; "" for the first.
            number: How many at most. They may be fewer where few are the app's.

        Returns:
            They, and the cursor of the next page; "" where there is none.

        Raises:
            Invalid: The cursor is none.
        """
        found, after = await self._lists.page(
            STATES if state is None else (state,), app, _place(cursor), number
        )
        return found, ".".join(map(str, after)) if after else ""

    async def show(self, request_id: str) -> Delivery:
        """One, by the id of its request.

        Raises:
            NotFound: There is none (any more).
        """
        found = await self._records.read(request_id)
        if found is None:
            raise NotFound(_MISSING)
        return found

    async def resend(self, request_id: str, who: str) -> Delivery:
        """Have one sent again at once, and then for two hours like a new one.

        Raises:
            NotFound: There is none (any more).
        """
        if not await self._records.resend(request_id, who):
            raise NotFound(_MISSING)
        return await self.show(request_id)


def _place(cursor: str) -> Place | None:
    if not cursor:
        return None
    found = re.fullmatch(CURSOR, cursor)
    if found is None:
        raise Invalid("The cursor is none: give `next_cursor` of the page before as it is")
    state = next(each for each in STATES if each == found[1])
    return Place(state, int(found[2]), found[3])
