"""JSON representations of pools and pictures, for REST and for the commands."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from falgate.admin.api.shapes import Usd, instant
from falgate.core.money import dollars
from falgate.core.picture import Picture
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.requests.erasure import Receipt
from falgate.requests.reroll import Rerolled


class PooledShown(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in a pool."""

    name: Annotated[str, Meta(description="File name, the last part of its URL")]
    made_at: str | None
    until: Annotated[str | None, Meta(description="Expiry; null: pinned, never expires")]
    master: Annotated[str | None, Meta(description="The picture it was converted from")]
    size_bytes: int
    uses: Annotated[int | None, Meta(description="How often it was served")]
    used_at: str | None

    @classmethod
    def of(cls, picture: Picture, record: Record | None) -> "PooledShown":
        """Convert a picture of a pool and its record."""
        return cls(
            name=picture.name,
            made_at=instant(picture.made_s),
            until=instant(picture.until_s),
            master=picture.master or None,
            size_bytes=picture.size_bytes,
            uses=record.uses if record else None,
            used_at=instant(record.used_ms // 1000) if record else None,
        )


class PoolShown(msgspec.Struct, frozen=True, kw_only=True):
    """A pool."""

    fingerprint: str
    endpoint: str | None
    upstream: str | None
    scope: str | None
    variation: str
    prompt: Annotated[str | None, Meta(description="null if the app does not store prompts")]
    prompt_sha256: str | None
    asked: Annotated[dict[str, str], Meta(description="The arguments recorded in the ledger")]
    apps: Annotated[list[str], Meta(description="Apps that bought for it")]
    bought_at: str | None
    generation: int
    pictures: list[PooledShown]

    @classmethod
    def of(cls, shelf: PoolRecord, records: Mapping[str, Record]) -> "PoolShown":
        """Convert a pool and the records of its pictures."""
        about, pool = shelf.about, shelf.pool
        arguments = about.arguments if about else None
        return cls(
            fingerprint=shelf.fingerprint,
            endpoint=about.endpoint if about else None,
            upstream=about.upstream if about else None,
            scope=about.scope if about else None,
            variation=about.variation if about else "",
            prompt=arguments.get("prompt") if arguments else None,
            prompt_sha256=about.prompt_sha256 if about else None,
            asked=about.recorded if about else {},
            apps=list(shelf.apps),
            bought_at=instant(shelf.bought_ms // 1000),
            generation=pool.generation,
            pictures=[PooledShown.of(each, records.get(each.name)) for each in pool.pictures],
        )


class PictureShown(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture."""

    name: str
    size_bytes: int
    value_usd: Annotated[Usd, Meta(description="List price of buying it again")]
    app: Annotated[str, Meta(description="The app that bought it first")]
    pools: Annotated[list[str], Meta(description="Pools it was added to; it may have left them")]
    derived: Annotated[list[str], Meta(description="Pictures converted from it")]
    master: str | None
    pinned: bool
    uses: int
    used_at: str | None
    stored_at: str | None

    @classmethod
    def of(cls, record: Record) -> "PictureShown":
        """Convert a picture's record."""
        return cls(
            name=record.name,
            size_bytes=record.size_bytes,
            value_usd=dollars(record.value),
            app=record.app,
            pools=list(record.pools),
            derived=list(record.derived),
            master=record.master or None,
            pinned=record.pinned,
            uses=record.uses,
            used_at=instant(record.used_ms // 1000),
            stored_at=instant(record.noted_ms // 1000),
        )


class RerolledShown(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a reroll: a picture bought to replace a rejected one."""

    request_id: str
    fingerprint: str
    pictures: list[str]
    booked_usd: Usd

    @classmethod
    def of(cls, rerolled: Rerolled) -> "RerolledShown":
        """Convert the result, with its amount in dollars."""
        return cls(
            request_id=rerolled.request,
            fingerprint=rerolled.fingerprint,
            pictures=[picture.name for picture in rerolled.pictures],
            booked_usd=dollars(rerolled.billed),
        )


class ReceiptShown(msgspec.Struct, frozen=True, kw_only=True):
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

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptShown":
        """Convert a receipt, with its time as RFC 3339."""
        fields: dict[str, Any] = msgspec.structs.asdict(receipt)
        at = instant(fields.pop("at_ms") // 1000)
        shown: ReceiptShown = msgspec.convert(fields | {"at": at}, cls)
        return shown
