"""/keys: administration of keys."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.directory import Name
from falgate.accounts.limits import NONE, Limits
from falgate.accounts.operator import Operator
from falgate.admin.api.leads import check_limits
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import KeyShown
from falgate.admin.key_checks import NOTE_MAX
from falgate.admin.keys import OVERLAP_S, OVERLAP_S_MAX, Made
from falgate.admin.patch import LimitsChange, PermissionsChange, merged
from falgate.admin.service import AdminService

routes = Resource("keys")
_EVERYTHING = Permissions()

Note = Annotated[str, Meta(max_length=NOTE_MAX, description="A note for people, one line")]
Expiry = Annotated[datetime, Meta(tz=True)]
Of = Annotated[
    str, QueryParameter(name="of", max_length=200, description="Only those of TEAM or TEAM/APP")
]


class KeyMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to create."""

    team: Name
    app: Name
    kind: Kind = "live"
    name: Note = ""
    expires_at: Expiry | None = None
    permissions: Permissions = _EVERYTHING
    limits: Limits = NONE


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a key to change."""

    name: Note | UnsetType = UNSET
    expires_at: Annotated[Expiry | None, Meta(description="null: never")] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    permissions: PermissionsChange | UnsetType = UNSET
    limits: LimitsChange | UnsetType = UNSET


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options for a new secret."""

    overlap_s: Annotated[
        int, Meta(ge=0, le=OVERLAP_S_MAX, description="How long the current secret stays valid, s")
    ] = OVERLAP_S


class KeyTold(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its secret, which is shown only this once."""

    key: str
    record: KeyShown


@routes.get("/keys", "List keys", lead=True)
async def list_keys(
    admin: Admin,
    acting: Acting,
    of: Of = "",
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[KeyShown]:
    """Oldest first; for a lead, those of the own team."""
    now_s = await admin.now_s()
    found = await admin.keys.all(acting.of_theirs(of), after=cursor, number=limit + 1)
    items = [KeyShown.as_of(now_s, key) for key in found[:limit]]
    return Page(items=items, next_cursor=found[limit - 1].place if len(found) > limit else None)


@routes.post("/keys", "Create a key", 404, 409, lead=True)
async def create_key(admin: Admin, acting: Acting, data: JSONBody[KeyMade]) -> KeyTold:
    """The response is the only place where the secret ever appears."""
    acting.answer_for(data.team)
    await check_limits(acting, admin, data.limits)
    made = await admin.keys.create(
        f"{data.team}/{data.app}",
        kind=data.kind,
        name=data.name,
        expires_s=seconds(data.expires_at),
        permissions=data.permissions,
        limits=data.limits,
    )
    return await _told(admin, made)


@routes.get("/keys/{key_id:str}", "Get a key", 404, lead=True)
async def show_key(admin: Admin, acting: Acting, key_id: FromPath[str]) -> KeyShown:
    """Without its secret."""
    return await _shown(admin, await _theirs(admin, acting, key_id))


@routes.patch("/keys/{key_id:str}", "Change a key", 404, 409, lead=True)
async def change_key(
    admin: Admin, acting: Acting, key_id: FromPath[str], data: JSONBody[KeyChange]
) -> KeyShown:
    """Fields that are not given keep their values. A disabled key can be enabled again."""
    await _theirs(admin, acting, key_id)
    await check_limits(acting, admin, data.limits)

    def changed(was: KeyRecord) -> KeyRecord:
        expires_s = was.expires_s if data.expires_at is UNSET else seconds(data.expires_at)
        return merged(replace(was, expires_s=expires_s), data)

    return await _shown(admin, await admin.keys.change(key_id, changed))


@routes.act("/keys/{key_id:str}/revoke", "Revoke a key for ever", 404, 409, lead=True)
async def revoke_key(admin: Admin, acting: Acting, key_id: FromPath[str]) -> KeyShown:
    """Takes effect on every instance at once; a repeat changes nothing."""
    await _theirs(admin, acting, key_id)
    return await _shown(admin, await admin.keys.revoke(key_id))


@routes.act("/keys/{key_id:str}/rotate", "Give a key a new secret", 404, 409, lead=True)
async def rotate_key(
    admin: Admin, acting: Acting, key_id: FromPath[str], data: JSONBody[Rotation]
) -> KeyTold:
    """The id stays. An older previous secret stops working at once."""
    await _theirs(admin, acting, key_id)
    return await _told(admin, await admin.keys.rotate(key_id, data.overlap_s))


async def _theirs(admin: AdminService, acting: Operator, key_id: str) -> KeyRecord:
    """Return a key, which never moves to another team.

    Raises:
        Forbidden: A lead asks for another team's.
        NotFound: There is no such key.
    """
    record = await admin.keys.show(key_id)
    acting.answer_for(record.team)
    return record


async def _shown(admin: AdminService, record: KeyRecord) -> KeyShown:
    return KeyShown.as_of(await admin.now_s(), record)


async def _told(admin: AdminService, made: Made) -> KeyTold:
    return KeyTold(key=made.key, record=await _shown(admin, made.record))


def seconds(at: datetime | None) -> int:
    """Return seconds since 1970, at least 1, because 0 means never; None gives 0."""
    return 0 if at is None else max(1, round(at.timestamp()))
