"""/models: what is served, until when, and which apps call it; what operators decide about it.

In paths, endpoints are written with colons: openai:gpt-image-2 for openai/gpt-image-2.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from falgate.accounts.directory import DEFAULT_MODEL, Afterwards, Directory, gone_name
from falgate.accounts.limits import PurchaseRates
from falgate.accounts.retirement import FAL, days_left, retires, successor
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin, AdminServices
from falgate.admin.api.shapes import View, instant
from falgate.admin.patch import ModelChange, merged
from falgate.models.spec import ModelSpec
from falgate.money.reports import Reports

routes = Resource("models")
CALLED_DAYS = 30
ModelName = Annotated[
    str,
    PathParameter(
        max_length=200, description="Its endpoint, / written as :, such as openai:gpt-image-2"
    ),
]


class ModelShown(View, frozen=True, kw_only=True):
    """A model that is served."""

    endpoint: Annotated[str, Meta(examples=["openai/gpt-image-2"])]
    title: str
    price_version: Annotated[str, Meta(description="Date of its prices")]
    retires: Annotated[
        str | None,
        Meta(description="Day from which nothing of it is bought", examples=["2026-12-01"]),
    ]
    days_left: Annotated[int | None, Meta(description="Until then; 0 or less if it has ended")]
    gone_at: Annotated[str | None, Meta(description="When fal said first that it has it no more")]
    successor: Annotated[str | None, Meta(description="The model to move to")]
    afterwards: Annotated[
        Afterwards, Meta(description="What follows for requests that the cache cannot answer")
    ]
    apps: Annotated[
        list[str], Meta(description=f"Those that called it in the last {CALLED_DAYS} days")
    ]


class ModelDecided(View, frozen=True, kw_only=True):
    """What operators decided about a model; null and "" stand for what its own file says."""

    endpoint: str
    retires: Annotated[str | None, Meta(description="Day from which nothing of it is bought")]
    successor: str
    afterwards: Afterwards
    limits: PurchaseRates


def shown(
    spec: ModelSpec,
    directory: Directory,
    upstream: str,
    now_s: int,
    callers: Mapping[str, Sequence[str]],
) -> ModelShown:
    """Convert a model, with the day of fal's, which may not count for the upstream.

    Args:
        spec: The model.
        directory: What operators decided, and what upstreams said.
        upstream: Name of the upstream that sells it.
        now_s: Redis's time, in seconds since 1970.
        callers: By endpoint, the apps that called it lately.
    """
    day = retires(spec, directory, FAL)
    gone = directory.gone.get(gone_name(upstream, spec.endpoint))
    return ModelShown.of(
        spec,
        retires=day.isoformat() if day else None,
        days_left=days_left(day, now_s) if day else None,
        gone_at=instant(gone.since_s) if gone else None,
        successor=successor(spec, directory) or None,
        afterwards=directory.models.get(spec.endpoint, DEFAULT_MODEL).afterwards,
        apps=list(callers.get(spec.endpoint, ())),
    )


@routes.get("/models", "List models", 409, lead=True)
async def list_models(  # noqa: PLR0917 -- the framework gives them by name
    acting: Acting,
    services: NamedDependency[AdminServices],
    reports: NamedDependency[Reports],
    upstream: NamedDependency[str],
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[ModelShown]:
    """With the day on which each one ends, and the apps that have to move before.

    For a lead, the apps of the own team.
    """
    callers = await reports.callers(upstream, CALLED_DAYS, of=acting.team)
    directory, now_s = await services.records.directory(), await services.records.now_s()
    return page(
        services.models,
        lambda _, spec: shown(spec, directory, upstream, now_s, callers),
        limit,
        cursor,
    )


@routes.patch("/models/{model_name:str}", "Decide about a model", 404, 409)
async def change_model(
    admin: Admin, model_name: ModelName, data: JSONBody[ModelChange]
) -> ModelDecided:
    """Fields that are not given keep their values. In force everywhere within a second."""
    endpoint = model_name.replace(":", "/")
    model = await admin.served.change(endpoint, lambda was: merged(was, data))
    day = model.retires
    return ModelDecided.of(model, endpoint=endpoint, retires=day.isoformat() if day else None)
