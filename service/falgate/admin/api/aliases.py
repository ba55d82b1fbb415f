"""/aliases: names for models that all apps may call.

In paths, names are written with colons: acme:image for acme/image.
"""

from typing import Annotated

import msgspec
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from falgate.accounts.directory import Alias
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Admin

routes = Resource("models")
_ONE = "/aliases/{alias_name:str}"
AliasName = Annotated[
    str, PathParameter(max_length=200, description="Its name, / written as :, such as acme:image")
]


class AliasShown(msgspec.Struct, frozen=True, kw_only=True):
    """An alias."""

    name: Annotated[str, Meta(examples=["acme/image"])]
    target: Annotated[str, Meta(examples=["openai/gpt-image-2"])]


@routes.get("/aliases", "List aliases", lead=True)
async def list_aliases(admin: Admin, limit: Limit = LIMIT, cursor: Cursor = "") -> Page[AliasShown]:
    """By name. Those that only one app has are shown with the app."""
    return page(
        await admin.aliases.all(),
        lambda name, alias: AliasShown(name=name, target=alias.target),
        limit,
        cursor,
    )


@routes.put(_ONE, "Set an alias", 409)
async def set_alias(admin: Admin, alias_name: AliasName, data: JSONBody[Alias]) -> AliasShown:
    """In force everywhere within a second. Apps call the name as they would call the model."""
    name = alias_name.replace(":", "/")
    done = await admin.aliases.set(name, data)
    return AliasShown(name=name, target=done.target)


@routes.delete(_ONE, "Remove an alias", 404, 409)
async def remove_alias(admin: Admin, alias_name: AliasName) -> None:
    """Apps that call it get 404 from now on."""
    await admin.aliases.remove(alias_name.replace(":", "/"))
