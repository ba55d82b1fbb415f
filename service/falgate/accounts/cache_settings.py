"""How an app uses the cache, as its operator has set it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Scope = Literal["org", "team", "app"]
"""Who shares pictures: the whole organisation, a team, or one app."""

SECONDS_MAX = 2**31 - 1

Freshness = Literal["cached", "no-cache", "no-store"]
"""What a request means that says nothing of it: pictures that are there, or new ones each time."""

Identical = Literal["share", "distinct"]
"""What equal requests get that are under way at once: the same pictures, or each its own."""

Override = Literal["freshness", "age", "derivation", "scope", "variation"]
"""What a caller may say otherwise than the app has it."""

OVERRIDES: tuple[Override, ...] = ("freshness", "age", "derivation", "scope", "variation")

Seconds = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]


class CachePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an app uses the cache.

    Attributes:
        scope: Who shares its pictures.
        max_age_s: Its answers have no older pictures, seconds; 0: as old as they are kept.
        freshness: See `Freshness`.
        derive: Whether a JPEG or WebP may be made here from a PNG that is there.
        identical: See `Identical`.
        callers_may: What callers may change of all this, by header. Who may change neither
            freshness nor age cannot buy what is there.
        ignore_freshness: Whether a caller's `no-cache`, `no-store` and `max-age` count for nothing,
            because its tool or browser sends them by itself.
        keep_prompts: Whether prompts are kept, for the gallery and to buy a picture again; if not,
            only their hash is.
    """

    scope: Scope = "org"
    max_age_s: Seconds = 0
    freshness: Freshness = "cached"
    derive: bool = True
    identical: Identical = "share"
    callers_may: tuple[Override, ...] = OVERRIDES
    ignore_freshness: bool = False
    keep_prompts: bool = False


DEFAULT_POLICY = CachePolicy()
