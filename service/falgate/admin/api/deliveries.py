"""/deliveries: webhooks, their delivery state, and resending them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from falgate.admin.api.paging import LIMIT, Limit, Page
from falgate.admin.api.problems import refusals
from falgate.admin.api.services import Actor, named
from falgate.webhooks.admin import CURSOR, WebhookAdmin
from falgate.webhooks.delivery import Delivery, State
from falgate.webhooks.target import without_query

_TAGS = ["deliveries"]

InState = Annotated[
    State | None, QueryParameter(name="state", description="Only those in this state")
]
OfApp = Annotated[str, QueryParameter(max_length=200, description="Only those of TEAM or TEAM/APP")]
Behind = Annotated[
    str,
    QueryParameter(
        pattern=f"^({CURSOR})?$",
        description="`next_cursor` of the previous page; empty for the first page",
    ),
]


class DeliveryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook."""

    request_id: str
    team: str
    app: str
    upstream: str
    target: Annotated[str, Meta(description="The URL without its query")]
    state: State
    attempts: int
    last_outcome: Annotated[
        str | None, Meta(description="HTTP status or error of the last attempt", examples=["503"])
    ]
    began_at: str
    last_attempt_at: str | None
    next_attempt_at: str | None
    ended_at: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryShown":
        """Convert a webhook."""
        team, _, app = delivery.subject.partition("/")
        return cls(
            request_id=delivery.request_id,
            team=team,
            app=app,
            upstream=delivery.upstream,
            target=without_query(delivery.url),
            state=delivery.state,
            attempts=delivery.attempts,
            last_outcome=delivery.said or None,
            began_at=_at(delivery.began_ms) or "",
            last_attempt_at=_at(delivery.tried_ms),
            next_attempt_at=_at(delivery.due_ms),
            ended_at=_at(delivery.ended_ms),
        )


def delivery_routes(desk: WebhookAdmin) -> Sequence[Any]:
    """Return the routes, for `admin_routes`."""

    @get("/deliveries", tags=_TAGS, summary="List webhooks", responses=refusals())
    async def list_deliveries(
        *,
        limit: Limit = LIMIT,
        cursor: Behind = "",
        in_state: InState = None,
        app: OfApp = "",
    ) -> Page[DeliveryShown]:
        """Waiting ones by next attempt, then failed ones, then delivered ones.

        Each is kept for a week after its end. A page may be short or empty when few webhooks belong
        to the app, and a webhook attempted meanwhile may appear twice.
        """
        found, after = await desk.page(in_state, app, cursor.strip(), limit)
        return Page(items=[DeliveryShown.of(each) for each in found], next_cursor=after or None)

    @get(
        "/deliveries/{request_id:str}",
        tags=_TAGS,
        summary="Get the webhook of a request",
        responses=refusals(404),
    )
    async def show_delivery(request_id: FromPath[str]) -> DeliveryShown:
        """With its state and the result of the last attempt."""
        return DeliveryShown.of(await desk.show(request_id))

    @post(
        "/deliveries/{request_id:str}/resend",
        tags=_TAGS,
        summary="Resend a webhook",
        status_code=200,
        responses=refusals(404),
    )
    async def resend_delivery(
        request_id: FromPath[str], x_falgate_actor: Actor = None
    ) -> DeliveryShown:
        """Sent at once, with the retries of a new webhook, even if it was delivered before."""
        return DeliveryShown.of(await desk.resend(request_id, named(x_falgate_actor)))

    return (list_deliveries, show_delivery, resend_delivery)


def _at(at_ms: int) -> str | None:
    if not at_ms:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
