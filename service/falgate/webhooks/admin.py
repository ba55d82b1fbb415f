"""Webhook administration: list, show and resend, for the REST API and the command line."""

import re
from collections.abc import Sequence
from typing import Protocol

from falgate.core.problems import Invalid, NotFound
from falgate.webhooks.delivery import STATES, Delivery, Place, State

CURSOR = r"(waiting|failed|delivered)\.([0-9]{1,15})\.([0-9A-Za-z_-]{1,64})"

_MISSING = (
    "There is no such webhook: each has its request's id and is kept for a week after its end"
)


class Deliveries(Protocol):
    """Stored webhooks. Methods raise `Unavailable` without Redis."""

    async def page(
        self, states: Sequence[State], app: str, after: Place | None, number: int
    ) -> tuple[list[Delivery], Place | None]:
        """Return up to `number` webhooks behind a place, and the place to continue from."""

    async def read(self, request_id: str) -> Delivery | None:
        """Return a webhook, or None if there is none."""

    async def resend(self, request_id: str, who: str) -> bool:
        """Queue a webhook again and write to the audit log; return False if there is none."""


class WebhookAdmin:
    """Webhooks as operators see them. All methods raise `Unavailable` without Redis."""

    def __init__(self, records: Deliveries) -> None:
        """Work on this store."""
        self._records = records

    async def page(
        self, state: State | None, app: str, cursor: str, number: int
    ) -> tuple[list[Delivery], str]:
        """List webhooks: waiting ones by next attempt, then failed, then delivered ones.

        Args:
            state: Only webhooks in this state; None for all.
            app: Only those of TEAM or TEAM/APP; "" for all.
            cursor: From the previous page; "" for the first page.
            number: Page size. A page may be shorter when few webhooks belong to the app.

        Returns:
            The webhooks and the cursor of the next page, "" after the last.

        Raises:
            Invalid: The cursor is malformed.
        """
        found, after = await self._records.page(
            STATES if state is None else (state,), app, _place(cursor), number
        )
        return found, ".".join(map(str, after)) if after else ""

    async def show(self, request_id: str) -> Delivery:
        """Return the webhook of a request.

        Raises:
            NotFound: The request has no webhook, or it has expired.
        """
        found = await self._records.read(request_id)
        if found is None:
            raise NotFound(_MISSING)
        return found

    async def resend(self, request_id: str, who: str) -> Delivery:
        """Send a webhook again now, with the retries of a new one.

        Raises:
            NotFound: The request has no webhook, or it has expired.
        """
        if not await self._records.resend(request_id, who):
            raise NotFound(_MISSING)
        return await self.show(request_id)


def _place(cursor: str) -> Place | None:
    if not cursor:
        return None
    found = re.fullmatch(CURSOR, cursor)
    if found is None:
        raise Invalid("Invalid cursor: pass `next_cursor` of the previous page unchanged")
    state = next(each for each in STATES if each == found[1])
    return Place(state, int(found[2]), found[3])
