"""What a purge selects, and what it removed; pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

AGE_S_MAX = 10**9
"""Three decades, an upper bound for any age."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to purge: exactly one of the first five fields, optionally limited by age.

    Attributes:
        fingerprint: One pool.
        picture: One picture, together with its original and everything converted from that.
        app: The pools that "team/app" bought for.
        prompt: The pools of exactly this prompt.
        everything: All pools.
        older_than_s: Only pictures at least this old, seconds; 0 for any age.
    """

    fingerprint: str = ""
    picture: str = ""
    app: str = ""
    prompt: str = ""
    everything: bool = False
    older_than_s: Annotated[int, Meta(ge=0, le=AGE_S_MAX)] = 0

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "Selection(...)"


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a purge. Files stay while they may be in use.

    Attributes:
        pools: Pools that lost a picture.
        pictures: Pictures removed, counted once per pool.
    """

    pools: int
    pictures: int
