"""An app's cache policy, as its operator has set it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Scope = Literal["org", "team", "app"]
"""Who shares pictures: the whole organisation, a team, or one app."""

SECONDS_MAX = 2**31 - 1

Freshness = Literal["cached", "no-cache", "no-store"]
"""Default for requests without Cache-Control: cached pictures, or new ones each time."""

Identical = Literal["share", "distinct"]
"""Whether identical concurrent requests get the same pictures, or each its own."""

Override = Literal["freshness", "age", "derivation", "scope", "variation"]
"""What a caller may override by header."""

OVERRIDES: tuple[Override, ...] = ("freshness", "age", "derivation", "scope", "variation")

Seconds = Annotated[int, Meta(ge=0, le=SECONDS_MAX)]


class CachePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app's cache policy.

    Attributes:
        scope: Who shares its pictures.
        max_age_s: Maximum age of pictures in its responses, in seconds; 0 means as long as they are
            kept.
        freshness: See `Freshness`.
        derive: Whether a JPEG or WebP may be converted from a cached PNG.
        identical: See `Identical`.
        callers_may: What callers may override by header. A caller that may override neither
            freshness nor age cannot buy pictures that are cached.
        ignore_freshness: Whether a caller's `no-cache`, `no-store` and `max-age` are ignored,
            because its tool or browser sends them by itself.
        keep_prompts: Whether prompts are kept, for the gallery and for buying a picture again; if
            not, only their hash is.
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
