"""`falgate deliveries`: webhooks, whether they arrived, and sending one again."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

import click
from redis.asyncio import Redis

from falgate.admin.api.deliveries import DeliveryShown
from falgate.cli.operating import acting, as_json, tabulate, tell, with_redis
from falgate.settings import Settings
from falgate.webhooks.admin import WebhookAdmin
from falgate.webhooks.delivery import Delivery, State
from falgate.webhooks.store.deliveries import Deliveries
from falgate.webhooks.store.lists import DeliveryLists

T = TypeVar("T")

_PAGE = 500
_COLUMNS = (
    "request_id",
    "state",
    "attempts",
    "last_outcome",
    "next_attempt_at",
    "ended_at",
    "team",
    "app",
    "target",
)


@click.group()
def deliveries() -> None:
    """Webhooks: what apps are told of the ends of their requests, and whether it arrived."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
@click.option("--app", default="", metavar="TEAM[/APP]", help="Only this team's or this app's.")
@click.option(
    "--limit",
    "number",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many.",
)
@as_json
def list_deliveries(*, state: State | None, app: str, number: int, plain: bool) -> None:
    """Show those that wait, the next one first; then those that failed, then those that arrived."""

    async def some(desk: WebhookAdmin) -> list[Delivery]:
        # By request: one that was tried between two pages comes twice, and is shown as it is now.
        found: dict[str, Delivery] = {}
        cursor = ""
        while len(found) < number:
            page, cursor = await desk.page(state, app, cursor, min(_PAGE, number - len(found)))
            found |= {each.request_id: each for each in page}
            if not cursor:
                break
        return list(found.values())

    shown = [DeliveryShown.of(each) for each in _at_desk(some)]
    tabulate(shown, _COLUMNS, plain=plain)


@deliveries.command()
@click.argument("request_id")
@as_json
def show(*, request_id: str, plain: bool) -> None:
    """Show the webhook of one request."""
    shown = DeliveryShown.of(_at_desk(lambda desk: desk.show(request_id)))
    tabulate([shown], _COLUMNS, plain=plain)


@deliveries.command()
@click.argument("request_id")
@as_json
def resend(*, request_id: str, plain: bool) -> None:
    """Send the webhook of one request again, whether it arrived before or not."""
    sent = _at_desk(lambda desk: desk.resend(request_id, acting()))
    tell(DeliveryShown.of(sent), f"the webhook of {request_id} is sent again", plain=plain)


def _at_desk(use: Callable[[WebhookAdmin], Awaitable[T]]) -> T:
    async def used(_: Settings, redis: Redis) -> T:
        return await use(WebhookAdmin(Deliveries(redis), DeliveryLists(redis)))

    return with_redis(used)
