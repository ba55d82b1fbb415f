"""/keys."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.directory import Name
from falgate.accounts.limits import NONE, Limits
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import KeyShown
from falgate.admin.key_checks import NOTE_MAX
from falgate.admin.keys import OVERLAP_S, OVERLAP_S_MAX, Made
from falgate.admin.patch import LimitsChange, merged
from falgate.admin.service import AdminService

_TAGS = ["keys"]
_EVERYTHING = Permissions()

Note = Annotated[str, Meta(max_length=NOTE_MAX, description="One line, for people")]
Expiry = Annotated[datetime, Meta(tz=True)]
Of = Annotated[
    str, QueryParameter(name="of", max_length=200, description="Only those of TEAM or TEAM/APP")
]


class KeyMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make."""

    team: Name
    app: Name
    kind: Kind = "live"
    name: Note = ""
    expires_at: Expiry | None = None
    permissions: Permissions = _EVERYTHING
    limits: Limits = NONE


class PermissionsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may ask for; an empty list allows everything."""

    models: list[str] | UnsetType = UNSET
    qualities: list[str] | UnsetType = UNSET
    sizes: list[str] | UnsetType = UNSET
    pictures_max: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET
    networks: list[str] | UnsetType = UNSET
    fresh: bool | UnsetType = UNSET
    derive: bool | UnsetType = UNSET


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a key."""

    name: Note | UnsetType = UNSET
    expires_at: Annotated[Expiry | None, Meta(description="null: never")] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    permissions: PermissionsChange | UnsetType = UNSET
    limits: LimitsChange | UnsetType = UNSET


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to give a key a new secret."""

    overlap_s: Annotated[
        int, Meta(ge=0, le=OVERLAP_S_MAX, description="How long the present secret stays good")
    ] = OVERLAP_S


class KeyTold(msgspec.Struct, frozen=True, kw_only=True):
    """A key, this once with its secret."""

    key: str
    record: KeyShown


@get("/keys", tags=_TAGS, summary="All keys", responses=refusals())
async def list_keys(
    admin: NamedDependency[AdminService],
    of: Of = "",
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[KeyShown]:
    """The oldest first."""
    now_s = await admin.now_s()
    found = await admin.keys.all(of, after=cursor, number=limit + 1)
    items = [KeyShown.of(key, now_s) for key in found[:limit]]
    return Page(items=items, next_cursor=found[limit - 1].place if len(found) > limit else None)


@post("/keys", tags=_TAGS, summary="Make a key", responses=refusals(404, 409))
async def create_key(admin: NamedDependency[AdminService], data: JSONBody[KeyMade]) -> KeyTold:
    """The answer is the only place where its secret ever stands."""
    made = await admin.keys.create(
        f"{data.team}/{data.app}",
        kind=data.kind,
        name=data.name,
        expires_s=_seconds(data.expires_at),
        permissions=data.permissions,
        limits=data.limits,
    )
    return await _told(admin, made)


@get("/keys/{key_id:str}", tags=_TAGS, summary="A key", responses=refusals(404))
async def show_key(admin: NamedDependency[AdminService], key_id: FromPath[str]) -> KeyShown:
    """Without its secret."""
    return await _shown(admin, await admin.keys.show(key_id))


@patch("/keys/{key_id:str}", tags=_TAGS, summary="Change a key", responses=refusals(404, 409))
async def change_key(
    admin: NamedDependency[AdminService], key_id: FromPath[str], data: JSONBody[KeyChange]
) -> KeyShown:
    """What is not given stays. A key that is disabled can be enabled again."""
    rest = replace(data, expires_at=UNSET)

    def changed(was: KeyRecord) -> KeyRecord:
        expires_s = was.expires_s if data.expires_at is UNSET else _seconds(data.expires_at)
        return merged(replace(was, expires_s=expires_s), rest)

    return await _shown(admin, await admin.keys.change(key_id, changed))


@post(
    "/keys/{key_id:str}/revoke",
    tags=_TAGS,
    summary="End the use of a key for ever",
    status_code=200,
    responses=refusals(404, 409),
)
async def revoke_key(admin: NamedDependency[AdminService], key_id: FromPath[str]) -> KeyShown:
    """On every instance at once. Again: nothing changes."""
    return await _shown(admin, await admin.keys.revoke(key_id))


@post(
    "/keys/{key_id:str}/rotate",
    tags=_TAGS,
    summary="Give a key a new secret, under its id",
    status_code=200,
    responses=refusals(404, 409),
)
async def rotate_key(
    admin: NamedDependency[AdminService], key_id: FromPath[str], data: JSONBody[Rotation]
) -> KeyTold:
    """A secret before the present one ends at once."""
    return await _told(admin, await admin.keys.rotate(key_id, data.overlap_s))


async def _shown(admin: AdminService, record: KeyRecord) -> KeyShown:
    return KeyShown.of(record, await admin.now_s())


async def _told(admin: AdminService, made: Made) -> KeyTold:
    return KeyTold(key=made.key, record=await _shown(admin, made.record))


def _seconds(at: datetime | None) -> int:
    """Seconds since 1970, and before that the first one: it is past in any case."""
    return 0 if at is None else max(1, round(at.timestamp()))


HANDLERS = (list_keys, create_key, show_key, change_key, revoke_key, rotate_key)
