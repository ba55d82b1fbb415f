"""JSON representations of pools and pictures, for REST and for the commands."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.cache_sight import theirs
from falgate.admin.api.shapes import Usd, View, instant
from falgate.core.picture import Picture
from falgate.pictures.catalogue import PoolRecord, Record


class PooledShown(View, frozen=True, kw_only=True):
    """A picture in a pool."""

    name: Annotated[str, Meta(description="File name, the last part of its URL")]
    made_at: str | None
    until: Annotated[str | None, Meta(description="Expiry; null: pinned, never expires")]
    master: Annotated[str | None, Meta(description="The picture it was converted from")]
    size_bytes: int
    uses: Annotated[int | None, Meta(description="How often it was served")]
    used_at: str | None

    @classmethod
    def from_record(cls, picture: Picture, record: Record | None) -> Self:
        """Convert a picture of a pool and its record."""
        return cls.of(
            picture,
            until=instant(picture.until_s),
            master=picture.master or None,
            uses=record.uses if record else None,
            used_at=instant(record.used_ms // 1000) if record else None,
        )


class PoolShown(View, frozen=True, kw_only=True):
    """A pool."""

    fingerprint: str
    endpoint: str | None
    upstream: str | None
    scope: str | None
    variation: str
    prompt: Annotated[
        str | None,
        Meta(
            description="null if the app does not store prompts, or whoever asks may not see them"
        ),
    ]
    prompt_sha256: str | None
    asked: Annotated[dict[str, str], Meta(description="The arguments recorded in the ledger")]
    apps: Annotated[list[str], Meta(description="Apps that bought for it")]
    bought_at: str | None
    generation: int
    pictures: list[PooledShown]

    @classmethod
    def from_record(
        cls, pool_record: PoolRecord, records: Mapping[str, Record], acting: Operator
    ) -> Self:
        """Convert a pool and the records of its pictures, as an operator may see them."""
        about = pool_record.about
        known = ("endpoint", "upstream", "scope")
        told = about if acting.prompts else None
        arguments = told.arguments if told else None
        return cls.of(
            pool_record,
            **{name: getattr(about, name, None) for name in known},
            variation=about.variation if about else "",
            prompt=arguments.get("prompt") if arguments else None,
            prompt_sha256=told.prompt_sha256 if told else None,
            apps=theirs(acting, pool_record.apps),
            asked=about.recorded if about else {},
            generation=pool_record.pool.generation,
            pictures=[
                PooledShown.from_record(each, records.get(each.name))
                for each in pool_record.pool.pictures
            ],
        )


class PictureShown(View, frozen=True, kw_only=True):
    """A stored picture."""

    name: str
    size_bytes: int
    value_usd: Annotated[Usd, Meta(description="List price of buying it again")]
    app: Annotated[str | None, Meta(description="The app that bought it first")]
    pools: Annotated[list[str], Meta(description="Pools it was added to; it may have left them")]
    derived: Annotated[list[str], Meta(description="Pictures converted from it")]
    master: str | None
    pinned: bool
    uses: int
    used_at: str | None
    stored_at: str | None

    @classmethod
    def from_record(cls, record: Record, acting: Operator, pools: Iterable[str]) -> Self:
        """Convert a picture's record, as an operator may see it who sees these of its pools."""
        return cls.of(
            record,
            app=next(iter(theirs(acting, [record.app])), None),
            pools=list(pools),
            master=record.master or None,
            stored_at=instant(record.noted_ms // 1000),
        )


class RerolledShown(View, frozen=True, kw_only=True):
    """The result of a reroll: a picture bought to replace a rejected one."""

    request_id: str
    fingerprint: str
    pictures: list[str]
    booked_usd: Usd


class ReceiptShown(View, frozen=True, kw_only=True):
    """What was erased of a prompt."""

    id: str
    at: str | None
    prompt_sha256: str
    pools: int
    pictures: int
    size_bytes: int
    shared: Annotated[list[str], Meta(description="Pictures kept because another prompt has them")]
    requests: int
    refusals: int
    under_way: Annotated[int, Meta(description="Open purchases; erase again when they have ended")]
    log_rewritten: bool
