"""/models: what is served, until when, and which apps call it."""

from typing import Annotated

from litestar.di import NamedDependency
from msgspec import Meta

from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import AdminServices
from falgate.admin.api.shapes import View
from falgate.money.reports import Reports

routes = Resource("models")
_DAYS = 30


class ModelShown(View, frozen=True, kw_only=True):
    """A model that is served."""

    endpoint: Annotated[str, Meta(examples=["openai/gpt-image-2"])]
    title: str
    price_version: Annotated[str, Meta(description="Date of its prices")]
    retires: Annotated[
        str | None,
        Meta(
            description="Day from which its vendor makes no pictures of it any more",
            examples=["2026-12-01"],
        ),
    ]
    successor: Annotated[str | None, Meta(description="The model to move to")]
    apps: Annotated[list[str], Meta(description=f"Those that called it in the last {_DAYS} days")]


@routes.get("/models", "List models", 409)
async def list_models(
    services: NamedDependency[AdminServices],
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[ModelShown]:
    """With the day on which each one ends, and the apps that have to move before."""
    callers = await reports.callers(upstream, _DAYS)
    return page(
        services.models,
        lambda endpoint, spec: ModelShown.of(
            spec,
            retires=spec.retires and spec.retires.isoformat(),
            successor=spec.successor or None,
            apps=list(callers.get(endpoint, ())),
        ),
        limit,
        cursor,
    )
