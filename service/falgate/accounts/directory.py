"""Who there is: teams and their apps, as the operator named them."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from falgate.accounts.cache_settings import DEFAULT_POLICY, CachePolicy
from falgate.accounts.limits import NONE, Limit, Limits

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
"""A team's or an app's name: it becomes a metric's label, a key of Redis and a path of the API."""

Name = Annotated[str, Meta(pattern=rf"^{NAME.pattern}$", examples=["web"])]
Weight = Annotated[int, Meta(ge=1, le=1000)]


class Team(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team.

    Attributes:
        limits: On its pace.
        weight: Its share of turns at a busy upstream, beside other teams' weights.
        waiting_generations: How many of its purchases may wait for a turn; 0: any number.
    """

    limits: Limits = NONE
    weight: Weight = 1
    waiting_generations: Limit = 0


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app of a team.

    Attributes:
        limits: On its pace.
        cache: How it uses the cache.
    """

    limits: Limits = NONE
    cache: CachePolicy = DEFAULT_POLICY


class Directory(msgspec.Struct, frozen=True):
    """Everybody, as of one revision.

    Attributes:
        revision: Raised by every change.
        teams: By name.
        apps: By "team/app".
    """

    revision: int
    teams: dict[str, Team]
    apps: dict[str, App]

    def lacks(self, team: str, app: str) -> str | None:
        """Why nobody may act for this app of a team any more; None while both are there."""
        if team not in self.teams:
            return "of a team that was removed"
        if f"{team}/{app}" not in self.apps:
            return "of an app that was removed"
        return None
