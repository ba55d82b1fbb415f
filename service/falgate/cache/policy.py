"""How the cache treats a request: what its app has set, what its key may, what its caller said."""

from typing import Any, Literal

import msgspec

from falgate.accounts.apikey import Permissions
from falgate.accounts.cache_settings import OVERRIDES, CachePolicy, Freshness, Override, Scope
from falgate.cache.directives import Directives
from falgate.cache.fingerprint import fingerprint
from falgate.core.errors import NotAllowed
from falgate.core.picture import Picture
from falgate.models.spec import ModelSpec

Refresh = Literal["", "replace", "aside", "beside"]
"""Buying although the pool has pictures: to put new ones in their place, to keep none of the new
ones, or to put them behind those that are there."""


_WIDTHS: tuple[Scope, ...] = ("app", "team", "org")
_FRESH: dict[Freshness, Refresh] = {"cached": "", "no-cache": "replace", "no-store": "aside"}


class EffectivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How the cache treats one request.

    Attributes:
        scope: Who shares its pictures, by name: part of the fingerprint.
        variation: Label of its pool: likewise.
        fresh: Whether to buy although there may be pictures, see `Refresh`.
        max_age_s: Only pictures younger than that; None: of any age.
        only_cached: Buy nothing.
        derived: Whether pictures may be made here from others.
        distinct: Whether it gets other pictures than equal requests of its app under way.
        keep_prompt: Whether the prompt is kept with the pictures.
    """

    scope: str
    variation: str = ""
    fresh: Refresh = ""
    max_age_s: int | None = None
    only_cached: bool = False
    derived: bool = True
    distinct: bool = False
    keep_prompt: bool = False

    def pool_of(self, spec: ModelSpec, arguments: Any, upstream: str) -> str:
        """Fingerprint of the pool that serves such a request."""
        return fingerprint(
            spec, arguments, upstream=upstream, scope=self.scope, variation=self.variation
        )

    def allows(self, picture: Picture, now_s: int) -> bool:
        """Whether a picture that is there may be in the answer."""
        young = self.max_age_s is None or now_s - picture.made_s < self.max_age_s
        return young and (self.derived or not picture.master)


def scope_name(scope: Scope, team: str, app: str) -> str:
    """The name of those who share: different for any two who do not."""
    return {"org": "organisation", "team": f"team:{team}", "app": f"app:{team}/{app}"}[scope]


def resolve(
    said: Directives,
    caching: CachePolicy,
    permissions: Permissions,
    *,
    team: str,
    app: str,
    derives: bool = True,
) -> EffectivePolicy:
    """Bring what was said together with what is allowed.

    Args:
        said: By the caller.
        caching: What the app has set.
        permissions: What the key may.
        team: Whose app it is.
        app: Its name within the team.
        derives: Whether the gateway makes pictures of others at all.

    Raises:
        NotAllowed: A header asks for what its key or app may not have. Nothing is silently left
            out unless the app says so: who asks for new pictures and gets old ones would not know.
    """
    if caching.ignore_freshness:
        said = msgspec.structs.replace(said, no_cache=False, no_store=False, max_age_s=None)
    _check(said, caching, permissions)
    scope = said.scope or caching.scope
    if _WIDTHS.index(scope) > _WIDTHS.index(caching.scope):
        raise NotAllowed(f"This app shares with its {caching.scope} at most, not with the {scope}")
    max_age_s = caching.max_age_s or None if said.max_age_s is None else said.max_age_s
    fresh = _fresh(said, caching, permissions)
    return EffectivePolicy(
        scope=scope_name(scope, team, app),
        variation=said.variation,
        fresh=fresh,
        max_age_s=max_age_s,
        only_cached=said.only_if_cached,
        derived=derives and caching.derive and permissions.derive and not said.no_transform,
        # New pictures are nobody else's anyway; there, equal requests are one that is sent again.
        distinct=caching.identical == "distinct" and not fresh,
        keep_prompt=caching.keep_prompts,
    )


def _check(said: Directives, caching: CachePolicy, permissions: Permissions) -> None:
    asked: dict[Override, bool] = {
        # What buys nothing in any case is nobody's to forbid.
        "freshness": (said.no_cache or said.no_store) and not said.only_if_cached,
        "age": said.max_age_s is not None and not said.only_if_cached,
        "derivation": said.no_transform,
        "scope": said.scope is not None and said.scope != caching.scope,
        "variation": said.variation != "",
    }
    barred = set(OVERRIDES) - set(caching.callers_may)
    if not permissions.fresh:
        barred |= {"freshness", "age"}
    for what in OVERRIDES:
        if asked[what] and what in barred:
            raise NotAllowed(_WORDS[what])


def _fresh(said: Directives, caching: CachePolicy, permissions: Permissions) -> Refresh:
    if said.no_store:
        return "aside"
    if said.no_cache:
        return "replace"
    silent = said.max_age_s is None and not said.only_if_cached
    # An app that buys afresh by itself does so with the keys that may.
    return _FRESH[caching.freshness] if silent and permissions.fresh else ""


_FRESHNESS = "leave `no-cache`, `no-store` and `max-age` out of Cache-Control"
_WORDS: dict[Override, str] = {
    "freshness": f"This key may not buy what is there already: {_FRESHNESS}",
    "age": f"This key may not buy what is there already: {_FRESHNESS}",
    "derivation": "This app's pictures may be converted: leave `no-transform` out of Cache-Control",
    "scope": "This app's callers may not choose who shares its pictures: leave X-Falgate-Scope out",
    "variation": "This app's callers may not open pools of their own: leave "
    "X-Falgate-Variation out",
}
