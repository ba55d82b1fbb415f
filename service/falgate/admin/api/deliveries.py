"""/deliveries: webhooks, their delivery state, and resending them."""

from typing import Annotated, Self

from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.paging import LIMIT, Limit, Page, pattern_cursor
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Who
from falgate.admin.api.shapes import View, instant_ms
from falgate.webhooks.admin import CURSOR, WebhookAdmin
from falgate.webhooks.delivery import Delivery, State
from falgate.webhooks.target import without_query

routes = Resource("deliveries")

InState = Annotated[
    State | None, QueryParameter(name="state", description="Only those in this state")
]
OfApp = Annotated[str, QueryParameter(max_length=200, description="Only those of TEAM or TEAM/APP")]
Behind = Annotated[str, pattern_cursor(CURSOR)]


class DeliveryShown(View, frozen=True, kw_only=True):
    """A webhook."""

    request_id: str
    team: str
    app: str
    upstream: str
    target: Annotated[
        str, Meta(description="The URL without its query; of it, only admins see the path")
    ]
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
    def from_record(cls, delivery: Delivery, acting: Operator) -> Self:
        """Convert a webhook, with its times to the millisecond, as an operator may see it."""
        target = without_query(delivery.url)
        if acting.role != "admin":  # a path may be all that keeps others from posting there
            target = "/".join(target.split("/")[:3])
        team, _, app = delivery.subject.partition("/")
        return cls.of(
            delivery,
            team=team,
            app=app,
            target=target,
            last_outcome=delivery.said or None,
            began_at=instant_ms(delivery.began_ms) or "",
            last_attempt_at=instant_ms(delivery.tried_ms),
            next_attempt_at=instant_ms(delivery.due_ms),
            ended_at=instant_ms(delivery.ended_ms),
        )


@routes.get("/deliveries", "List webhooks")
async def list_deliveries(
    *,
    acting: Acting,
    webhooks: NamedDependency[WebhookAdmin],
    limit: Limit = LIMIT,
    cursor: Behind = "",
    in_state: InState = None,
    app: OfApp = "",
) -> Page[DeliveryShown]:
    """Waiting ones by next attempt, then failed ones, then delivered ones.

    Each is kept for a week after its end. A page may be short or empty when few webhooks belong
    to the app, and a webhook attempted meanwhile may appear twice.
    """
    found, after = await webhooks.page(in_state, app, cursor.strip(), limit)
    return Page(
        items=[DeliveryShown.from_record(each, acting) for each in found], next_cursor=after or None
    )


@routes.get("/deliveries/{request_id:str}", "Get the webhook of a request", 404)
async def show_delivery(
    webhooks: NamedDependency[WebhookAdmin], acting: Acting, request_id: FromPath[str]
) -> DeliveryShown:
    """With its state and the result of the last attempt."""
    return DeliveryShown.from_record(await webhooks.show(request_id), acting)


@routes.act("/deliveries/{request_id:str}/resend", "Resend a webhook", 404)
async def resend_delivery(
    webhooks: NamedDependency[WebhookAdmin], acting: Acting, who: Who, request_id: FromPath[str]
) -> DeliveryShown:
    """Sent at once, with the retries of a new webhook, even if it was delivered before."""
    return DeliveryShown.from_record(await webhooks.resend(request_id, who), acting)
