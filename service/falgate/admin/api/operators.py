"""/operators: administration of operators, by admins."""

from typing import Annotated

import msgspec
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from falgate.accounts.directory import Name
from falgate.accounts.operator import OperatorRecord, Role
from falgate.admin.api.keys import Expiry, seconds
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Admin
from falgate.admin.api.shapes import OperatorShown
from falgate.admin.key_checks import NOTE_MAX
from falgate.admin.keys import OVERLAP_S_MAX
from falgate.admin.operators import OperatorMade
from falgate.admin.patch import merged
from falgate.admin.service import AdminService

routes = Resource("operators")
_ONE = "/operators/{operator_id:str}"

Called = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=NOTE_MAX,
        description="Who it is, one line without colons; in the audit log, behind the role",
        examples=["alice"],
    ),
]
Prompts = Annotated[
    bool, Meta(description="Whether they may see prompts that are stored; admins always may")
]


class NewOperator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operator to create."""

    role: Role
    name: Called
    team: Annotated[Name | None, Meta(description="The team of a lead; none for others")] = None
    prompts: Prompts = False
    expires_at: Expiry | None = None


class OperatorChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of an operator to change."""

    name: Called | UnsetType = UNSET
    prompts: Prompts | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    expires_at: Annotated[Expiry | None, Meta(description="null: never")] | UnsetType = UNSET


class SecretWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options for a new secret."""

    overlap_s: Annotated[
        int, Meta(ge=0, le=OVERLAP_S_MAX, description="How long the current secret stays valid, s")
    ] = 0


class OperatorTold(msgspec.Struct, frozen=True, kw_only=True):
    """An operator with their key, which is shown only this once."""

    key: str
    record: OperatorShown


@routes.get("/operators", "List operators")
async def list_operators(
    admin: Admin, limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[OperatorShown]:
    """Oldest first. The admin whose key is FALGATE_ADMIN_KEY is not among them."""
    now_s = await admin.now_s()
    found = {record.place: record for record in await admin.operators.all()}
    return page(found, lambda _, record: OperatorShown.as_of(now_s, record), limit, cursor)


@routes.post("/operators", "Create an operator", 404, 409)
async def create_operator(admin: Admin, data: JSONBody[NewOperator]) -> OperatorTold:
    """The response is the only place where the secret ever appears."""
    made = await admin.operators.create(
        data.role,
        data.name,
        team=data.team or "",
        prompts=data.prompts,
        expires_s=seconds(data.expires_at),
    )
    return await _told(admin, made)


@routes.get(_ONE, "Get an operator", 404)
async def show_operator(admin: Admin, operator_id: FromPath[str]) -> OperatorShown:
    """Without their secret."""
    return await _shown(admin, await admin.operators.show(operator_id))


@routes.patch(_ONE, "Change an operator", 404, 409)
async def change_operator(
    admin: Admin, operator_id: FromPath[str], data: JSONBody[OperatorChange]
) -> OperatorShown:
    """Fields that are not given keep their values; role and team never change."""

    def changed(was: OperatorRecord) -> OperatorRecord:
        expires_s = was.expires_s if data.expires_at is UNSET else seconds(data.expires_at)
        return merged(replace(was, expires_s=expires_s), data)

    return await _shown(admin, await admin.operators.change(operator_id, changed))


@routes.act(f"{_ONE}/revoke", "Revoke an operator's key for ever", 404, 409)
async def revoke_operator(admin: Admin, operator_id: FromPath[str]) -> OperatorShown:
    """Takes effect on every instance at once; a repeat changes nothing."""
    return await _shown(admin, await admin.operators.revoke(operator_id))


@routes.act(f"{_ONE}/rotate", "Give an operator's key a new secret", 404, 409)
async def rotate_operator(
    admin: Admin, operator_id: FromPath[str], data: JSONBody[SecretWanted]
) -> OperatorTold:
    """The id stays. Unless `overlap_s` is given, the current secret stops working at once."""
    return await _told(admin, await admin.operators.rotate(operator_id, data.overlap_s))


async def _shown(admin: AdminService, record: OperatorRecord) -> OperatorShown:
    return OperatorShown.as_of(await admin.now_s(), record)


async def _told(admin: AdminService, made: OperatorMade) -> OperatorTold:
    return OperatorTold(key=made.key, record=await _shown(admin, made.record))
