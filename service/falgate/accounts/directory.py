"""The directory of teams, their apps, and what was decided about models, by operators."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from falgate.accounts.cache_settings import DEFAULT_POLICY, CachePolicy
from falgate.accounts.limits import NONE, UNLIMITED, Limit, Limits, PurchaseRates

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

ALIASES_MAX = 100
Endpoint = Annotated[str, Meta(max_length=200, examples=["openai/gpt-image-2"])]
Aliases = Annotated[dict[str, Endpoint], Meta(max_length=ALIASES_MAX)]
"""By the name that apps call, such as "acme/image", the model that it stands for."""

Afterwards = Literal["serve-cached", "redirect"]
"""What becomes of requests for a model that has ended and that the cache cannot answer.

serve-cached: they get 410, with the successor's name. redirect: its successor serves them.
"""


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
        aliases: Names for models that only this app has; they come before the organisation's.
        afterwards: By endpoint, what becomes of its requests once that model has ended; a model
            that is not listed does as it does for the organisation.
    """

    limits: Limits = NONE
    cache: CachePolicy = DEFAULT_POLICY
    aliases: Aliases = {}
    afterwards: Annotated[dict[str, Afterwards], Meta(max_length=ALIASES_MAX)] = {}


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What operators decided about a model that is served.

    Attributes:
        retires: The day (UTC) from which nothing of it is bought; None for fal's, which its file
            has.
        successor: Endpoint of the model that takes its place; "" for the one that its file has.
        afterwards: See `Afterwards`.
        limits: Limits on its purchases. Requests that cache hits answer are limited by who asks.
    """

    retires: date | None = None
    successor: str = ""
    afterwards: Afterwards = "serve-cached"
    limits: PurchaseRates = UNLIMITED


DEFAULT_MODEL = Model()


class Alias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a name stands for, for all apps.

    Attributes:
        target: Endpoint of a model that is served.
    """

    target: Endpoint


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream answered that it has a model no more.

    Attributes:
        since_s: When it did so first, in seconds since 1970.
        seen_s: When it did so last. Some time after that, the next request asks it again.
    """

    since_s: int
    seen_s: int


class Directory(msgspec.Struct, frozen=True):
    """All teams and apps, and what is known of models, as of one revision.

    Attributes:
        revision: Raised by every change.
        teams: By name.
        apps: By "team/app".
        models: By endpoint; only those about which something was decided.
        aliases: By name.
        gone: By upstream and endpoint, as `gone_name` writes them.
    """

    revision: int
    teams: dict[str, Team]
    apps: dict[str, App]
    models: Mapping[str, Model] = {}
    aliases: Mapping[str, Alias] = {}
    gone: Mapping[str, Gone] = {}

    def lacks(self, team: str, app: str) -> str | None:
        """Return why an app's keys are unusable: it or its team was removed; None if both exist."""
        if team not in self.teams:
            return "of a team that was removed"
        if f"{team}/{app}" not in self.apps:
            return "of an app that was removed"
        return None


def gone_name(upstream: str, endpoint: str) -> str:
    """Return the name under which it is noted that an upstream has a model no more."""
    return f"{upstream} {endpoint}"


def target_of(name: str, directory: Directory, app: App) -> str:
    """Return the endpoint that a name stands for, or "": an app's own aliases come first."""
    known = directory.aliases.get(name)
    return app.aliases.get(name) or (known.target if known else "")


def aliases_of(directory: Directory, app: str) -> dict[str, str]:
    """Return the endpoints by all names that an app, "team/app", may call them by."""
    own = directory.apps[app].aliases if app in directory.apps else {}
    return {name: alias.target for name, alias in directory.aliases.items()} | own
