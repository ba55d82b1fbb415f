"""The effective cache policy of a request: its directives, if its app and key allow them."""

from math import inf
from typing import Any, Literal

import msgspec

from falgate.accounts.apikey import Permissions
from falgate.accounts.cache_settings import OVERRIDES, CachePolicy, Freshness, Override, Scope
from falgate.cache.directives import NONE, Directives
from falgate.cache.fingerprint import fingerprint
from falgate.core.errors import NotAllowed
from falgate.core.picture import Picture
from falgate.models.spec import ModelSpec

Refresh = Literal["", "replace", "aside", "beside"]
"""Whether to buy although the pool has pictures: "replace" them by the new ones, keep the new
ones "aside" (in no pool), or put them "beside" the old ones; "" not to."""


_WIDTHS: tuple[Scope, ...] = ("app", "team", "org")
_FRESH: dict[Freshness, Refresh] = {"cached": "", "no-cache": "replace", "no-store": "aside"}


class EffectivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How the cache treats one request.

    Attributes:
        scope: Name of those who share its pictures; part of the fingerprint.
        variation: Label of its pool; part of the fingerprint.
        fresh: Whether to buy although there may be pictures, see `Refresh`.
        max_age_s: Use only pictures younger than this, in seconds; None for any age.
        only_cached: Buy nothing.
        derived: Whether converted pictures may be used.
        distinct: Whether open requests of its app that are equal get other pictures.
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
        """Return the fingerprint of the pool that serves a request under this policy."""
        return fingerprint(
            spec, arguments, upstream=upstream, scope=self.scope, variation=self.variation
        )

    def of_request(self, spec: ModelSpec, arguments: Any) -> "EffectivePolicy":
        """Return the policy for these arguments: what fal would repeat is not made distinct."""
        if spec.is_unpooled(arguments):
            return msgspec.structs.replace(self, fresh="aside", distinct=False)
        if self.distinct and spec.is_seeded(arguments):
            return msgspec.structs.replace(self, distinct=False)
        return self

    def allows(self, picture: Picture, now_s: int) -> bool:
        """Return whether a picture of the pool may be used."""
        return now_s < self.ends_s(picture) and (self.derived or not picture.master)

    def ends_s(self, picture: Picture) -> float:
        """Return when a picture becomes too old for the request; `inf` if it never does."""
        aged_s = inf if self.max_age_s is None else picture.made_s + self.max_age_s
        return min(aged_s, picture.until_s or inf)


def scope_name(scope: Scope, team: str, app: str) -> str:
    """Return the name of a scope's members; scopes that do not share have different names."""
    match scope:
        case "org":
            return "organisation"
        case "team":
            return f"team:{team}"
        case "app":
            return f"app:{team}/{app}"


def resolve(
    said: Directives,
    caching: CachePolicy,
    permissions: Permissions,
    *,
    team: str,
    app: str,
    derives: bool = True,
) -> EffectivePolicy:
    """Combine a request's directives with what its app and key allow.

    Args:
        said: The request's directives.
        caching: The app's cache policy.
        permissions: The key's permissions.
        team: The app's team.
        app: Its name within the team.
        derives: Whether the gateway converts pictures at all.

    Raises:
        NotAllowed: A directive is not allowed. It is not ignored silently, unless the app says so:
            a caller that asks for new pictures would not notice that it gets old ones.
    """
    if caching.ignore_freshness:
        said = msgspec.structs.replace(said, no_cache=False, no_store=False, max_age_s=None)
    if said != NONE:
        _check(said, caching, permissions)
    scope = said.scope or caching.scope
    if _WIDTHS.index(scope) > _WIDTHS.index(caching.scope):
        raise NotAllowed(f"This app may share with its {caching.scope}, but not with the {scope}")
    max_age_s = caching.max_age_s or None if said.max_age_s is None else said.max_age_s
    fresh = _fresh(said, caching, permissions)
    return EffectivePolicy(
        scope=scope_name(scope, team, app),
        variation=said.variation,
        fresh=fresh,
        max_age_s=max_age_s,
        only_cached=said.only_if_cached,
        derived=derives and caching.derive and permissions.derive and not said.no_transform,
        # New pictures are never shared; an equal request for them is a repetition of the first.
        distinct=caching.identical == "distinct" and not fresh,
        keep_prompt=caching.keep_prompts,
    )


def _check(said: Directives, caching: CachePolicy, permissions: Permissions) -> None:
    asked: dict[Override, bool] = {
        # With only-if-cached nothing is bought, so there is nothing to forbid.
        "freshness": (said.no_cache or said.no_store) and not said.only_if_cached,
        "age": said.max_age_s is not None and not said.only_if_cached,
        "derivation": said.no_transform,
        "scope": said.scope is not None and said.scope != caching.scope,
        "variation": said.variation != "",
    }
    barred = set(OVERRIDES) - set(caching.callers_may)
    if not permissions.fresh:
        # `max-age=0` buys new pictures just as `no-cache` does, so both are barred.
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
    # The app's own default only buys new pictures with keys that may do so.
    return _FRESH[caching.freshness] if silent and permissions.fresh else ""


_FRESHNESS = "leave `no-cache`, `no-store` and `max-age` out of Cache-Control"
_WORDS: dict[Override, str] = {
    "freshness": f"This key may not buy pictures that are cached: {_FRESHNESS}",
    "age": f"This key may not buy pictures that are cached: {_FRESHNESS}",
    "derivation": "Callers of this app may not refuse converted pictures: leave `no-transform` out "
    "of Cache-Control",
    "scope": "Callers of this app may not choose who shares its pictures: leave X-Falgate-Scope "
    "out",
    "variation": "Callers of this app may not open separate pools: leave X-Falgate-Variation out",
}
