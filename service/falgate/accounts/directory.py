"""The directory of teams and their apps, as the operator named them."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from falgate.accounts.cache_settings import DEFAULT_POLICY, CachePolicy
from falgate.accounts.limits import NONE, Limit, Limits

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
"""Name of a team or app; it also appears in metric labels, Redis keys and API paths."""

FIRST = "default"
"""Name of the team and the app that a first start creates."""

NAME_WORDS = (
    "A name has up to 64 letters, digits, dots, dashes and underscores, and does not begin with a "
    "dot or a dash"
)
Name = Annotated[str, Meta(pattern=rf"^{NAME.pattern}$", examples=["web"])]
Weight = Annotated[int, Meta(ge=1, le=1000)]


class Team(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team.

    Attributes:
        limits: Rate and concurrency limits.
        weight: Its share of upstream slots, relative to other teams' weights.
        waiting_generations: How many of its purchases may wait for a slot; 0 means any number.
    """

    limits: Limits = NONE
    weight: Weight = 1
    waiting_generations: Limit = 0


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app of a team.

    Attributes:
        limits: Rate and concurrency limits.
        cache: Its cache policy.
    """

    limits: Limits = NONE
    cache: CachePolicy = DEFAULT_POLICY


class Directory(msgspec.Struct, frozen=True):
    """All teams and apps, as of one revision.

    Attributes:
        revision: Raised by every change.
        teams: By name.
        apps: By "team/app".
    """

    revision: int
    teams: dict[str, Team]
    apps: dict[str, App]

    def lacks(self, team: str, app: str) -> str | None:
        """Return why an app's keys are unusable: it or its team was removed; None if both exist."""
        if team not in self.teams:
            return "of a team that was removed"
        if f"{team}/{app}" not in self.apps:
            return "of an app that was removed"
        return None
