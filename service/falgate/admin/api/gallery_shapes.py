"""JSON representations of the gallery: its pictures, and what is looked for in it."""

from datetime import date
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.cache_sight import theirs
from falgate.admin.api.shapes import Usd, View, instant
from falgate.admin.snippets import Snippets
from falgate.pictures.gallery import CURSOR, GalleryPicture

PROMPT_SHOWN_MAX = 500
_NAME_MAX = 200
_SIZE = r"^([1-9][0-9]{0,4}x[1-9][0-9]{0,4})?$"


class GallerySought(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for; all of it must be true. It is a body because paths are logged."""

    words: Annotated[
        str, Meta(max_length=500, description="All of these words are in the stored prompt")
    ] = ""
    team: Annotated[str, Meta(max_length=_NAME_MAX, description="A team that bought it")] = ""
    app: Annotated[str, Meta(max_length=_NAME_MAX, description="TEAM/APP that bought it")] = ""
    model: Annotated[str, Meta(max_length=_NAME_MAX, examples=["fal-ai/gpt-image-1.5"])] = ""
    quality: Annotated[str, Meta(max_length=50)] = ""
    size: Annotated[str, Meta(pattern=_SIZE, description="In pixels", examples=["1024x1024"])] = ""
    first: Annotated[
        date | None, Meta(description="First local day of the last purchase for its pool")
    ] = None
    last: Annotated[date | None, Meta(description="Last local day of it")] = None
    pinned: Annotated[bool, Meta(description="Only pinned pictures")] = False
    cursor: Annotated[
        str,
        Meta(
            pattern=f"^({CURSOR})?$",
            description="`next_cursor` of the previous page; empty for the first page",
        ),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=200, description="Maximum number of items")] = 50

    def __repr__(self) -> str:
        """Omit the words, which are a prompt's."""
        return "GallerySought(...)"


class UsesShown(msgspec.Struct, frozen=True, kw_only=True):
    """How often a picture was served to one app."""

    app: Annotated[str | None, Meta(description="null: all further apps together")]
    uses: int


class GalleryShown(View, frozen=True, kw_only=True):
    """A picture, and the request that made it."""

    name: Annotated[str, Meta(description="File name, by which other routes name it")]
    width: Annotated[int | None, Meta(description="Pixels; null if no pool has it any more")]
    height: int | None
    size_bytes: int
    prompt: Annotated[
        str | None,
        Meta(description="null if it is not stored, or whoever asks may not see it"),
    ]
    prompt_cut: Annotated[bool, Meta(description="Whether the prompt goes on")]
    model: str | None
    scope: str | None
    variation: str
    arguments: Annotated[dict[str, str], Meta(description="Those recorded in the ledger")]
    value_usd: Annotated[Usd, Meta(description="List price of buying it again; 0 if converted")]
    app: Annotated[str | None, Meta(description="The app that bought it first")]
    apps: Annotated[list[str], Meta(description="Apps that bought for its pool")]
    uses: Annotated[int, Meta(description="How often it was served without being bought")]
    uses_by: Annotated[list[UsesShown], Meta(description="By app, most uses first")]
    used_at: str | None
    made_at: str | None
    until: Annotated[str | None, Meta(description="Expiry; null: pinned, or in no pool")]
    pinned: bool
    pooled: Annotated[bool, Meta(description="Whether a pool serves it")]
    pool: Annotated[str | None, Meta(description="Fingerprint of that pool, or of the last one")]
    master: Annotated[str | None, Meta(description="The picture it was converted from")]
    derived: Annotated[list[str], Meta(description="Pictures converted from it")]
    job: Annotated[str | None, Meta(description="The purchase that bought it")]
    holds: Annotated[
        list[str] | None,
        Meta(
            description="Metadata in its file: c2pa (content credentials, not verified), exif, xmp;"
            " null: not known before its thumbnail is made"
        ),
    ]

    @classmethod
    def by(cls, found: GalleryPicture, acting: Operator, *, whole: bool = False) -> Self:
        """Convert a picture as an operator may see it, with its `whole` prompt or its start."""
        record, picture, pool = found.record, found.picture, found.pool
        about = pool.about if pool else None
        prompt = about.prompt if about and acting.prompts else None
        shown = prompt if whole or prompt is None else prompt[:PROMPT_SHOWN_MAX]
        return cls.of(
            record,
            width=picture.width if picture else None,
            height=picture.height if picture else None,
            prompt=shown,
            prompt_cut=shown != prompt,
            model=about.endpoint if about else None,
            scope=about.scope if about else None,
            variation=about.variation if about else "",
            arguments=about.recorded if about else {},
            app=next(iter(theirs(acting, [record.app])), None),
            apps=theirs(acting, pool.apps) if pool else [],
            uses_by=_uses(found, acting),
            made_at=instant(picture.made_s if picture else record.noted_ms // 1000),
            until=instant(picture.until_s) if picture else None,
            pooled=picture is not None,
            pool=pool.fingerprint if pool else None,
            master=record.master or None,
            job=(picture.job or None) if picture else None,
            holds=None if record.holds is None else list(record.holds),
        )


class RequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """The request that made a picture, to be sent again."""

    model: str | None
    headers: Annotated[dict[str, str], Meta(description="Those that select the same pool")]
    arguments: Annotated[
        dict[str, Any] | None,
        Meta(description="null if they are not stored, or whoever asks may not see prompts"),
    ]
    snippets: Annotated[Snippets | None, Meta(description="The same for clients")]

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "RequestShown(...)"


def _uses(found: GalleryPicture, acting: Operator) -> list[UsesShown]:
    """Return the uses by app; those of apps that the operator may not see are one item."""
    uses_by = found.record.uses_by
    own = {app: uses_by[app] for app in theirs(acting, filter(None, uses_by))}
    shown = [
        UsesShown(app=app, uses=uses)
        for app, uses in sorted(own.items(), key=lambda item: (-item[1], item[0]))
    ]
    if others := sum(uses_by.values()) - sum(own.values()):
        shown.append(UsesShown(app=None, uses=others))
    return shown
