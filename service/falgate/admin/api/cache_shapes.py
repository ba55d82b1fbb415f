"""What the administration shows of pools and pictures, as JSON: by REST and by the commands."""

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
    """A picture of a pool."""

    name: Annotated[str, Meta(description="Of its file: the last part of its URL")]
    made_at: str | None
    until: Annotated[str | None, Meta(description="None: it is pinned, and handed out for ever")]
    master: Annotated[str | None, Meta(description="The picture that it was made from here")]
    size_bytes: int
    uses: Annotated[int | None, Meta(description="How often it was handed out")]
    used_at: str | None

    @classmethod
    def of(cls, picture: Picture, record: Record | None) -> "PooledShown":
        """As it stands."""
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
    prompt: Annotated[str | None, Meta(description="Where its app lets prompts be kept")]
    prompt_sha256: str | None
    asked: Annotated[dict[str, str], Meta(description="The arguments that the ledger keeps too")]
    apps: Annotated[list[str], Meta(description="Who bought for it")]
    bought_at: str | None
    generation: int
    pictures: list[PooledShown]

    @classmethod
    def of(cls, shelf: PoolRecord, records: Mapping[str, Record]) -> "PoolShown":
        """As it stands."""
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
    app: Annotated[str, Meta(description="Who bought it first")]
    pools: Annotated[list[str], Meta(description="That it was put into; it may have left them")]
    derived: Annotated[list[str], Meta(description="What was made of it here")]
    master: str | None
    pinned: bool
    uses: int
    used_at: str | None
    stored_at: str | None

    @classmethod
    def of(cls, record: Record) -> "PictureShown":
        """As it stands."""
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
    """A picture in the place of another."""

    request_id: str
    fingerprint: str
    pictures: list[str]
    booked_usd: Usd

    @classmethod
    def of(cls, rerolled: Rerolled) -> "RerolledShown":
        """In dollars."""
        return cls(
            request_id=rerolled.request,
            fingerprint=rerolled.fingerprint,
            pictures=[picture.name for picture in rerolled.pictures],
            booked_usd=dollars(rerolled.billed),
        )


class ReceiptShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten of a prompt."""

    id: str
    at: str | None
    prompt_sha256: str
    pools: int
    pictures: int
    size_bytes: int
    shared: Annotated[list[str], Meta(description="Pictures that another prompt has too, and stay")]
    requests: int
    refusals: int
    under_way: Annotated[int, Meta(description="Purchases that are not over: forget it again then")]
    log_rewritten: bool

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptShown":
        """With its time as RFC 3339."""
        fields: dict[str, Any] = msgspec.structs.asdict(receipt)
        at = instant(fields.pop("at_ms") // 1000)
        shown: ReceiptShown = msgspec.convert(fields | {"at": at}, cls)
        return shown
