"""/models/{endpoint}/form: a model's arguments, as the fields of a form."""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from msgspec import Meta

from falgate.admin.api.models import ModelName
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import AdminServices
from falgate.admin.model_form import FormField, form
from falgate.core.problems import NotFound
from falgate.http.fal_openapi import schemas

routes = Resource("models")


class FormShown(msgspec.Struct, frozen=True, kw_only=True):
    """A form for requests to a model."""

    endpoint: str
    title: str
    category: str
    prompt: Annotated[str, Meta(description="Name of the field for the prompt")]
    count: Annotated[str, Meta(description="Of that for the number of pictures; may be empty")]
    inline: Annotated[str, Meta(description="Of that which asks for data URIs; may be empty")]
    sizes: Annotated[str | None, Meta(description="Rules for sizes, if callers choose them")]
    fields: Annotated[list[FormField], Meta(description="In fal's order")]


@routes.get("/models/{model_name:str}/form", "A model's arguments as a form", 404, lead=True)
async def show_form(services: NamedDependency[AdminServices], model_name: ModelName) -> FormShown:
    """Made from the model's schema, whether it is falgate's own or described by files."""
    spec = services.models.get(model_name.replace(":", "/"))
    if spec is None:
        raise NotFound(f"There is no such model; there are {', '.join(services.models)}")
    return FormShown(
        endpoint=spec.endpoint,
        title=spec.title,
        category=spec.category,
        prompt=spec.prompt,
        count=spec.count,
        inline=spec.inline,
        sizes=str(spec.grid) if spec.grid else None,
        fields=form(spec, schemas(spec)),
    )
