"""Admission: whose request it is, what it asks for, and which pool it belongs to."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from falgate.accounts import apikey, limits, policy
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import Directory
from falgate.accounts.limits import PurchaseLimits
from falgate.cache import directives
from falgate.cache.policy import EffectivePolicy, resolve
from falgate.core.account import chain
from falgate.core.errors import KeyMalformed, KeyRefused, KeyUnknown, ModelUnknown, Unavailable
from falgate.fal import options
from falgate.fal.options import FalOptions
from falgate.jobs import refusals
from falgate.jobs.ports import Ports
from falgate.models import arguments as request
from falgate.models.spec import ModelSpec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        key: Whose key it is.
        terms: What a purchase of theirs is subject to.
        caching: How their app uses the cache.
    """

    key: KeyRecord
    terms: PurchaseLimits
    caching: CachePolicy


class AdmittedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be answered.

    Attributes:
        request_id: Ours, as the caller sees it.
        spec: The model.
        arguments: An instance of `spec.input`.
        key: Whose it is.
        terms: What a purchase for it is subject to.
        options: What its headers ask of fal.
        treatment: How the cache treats it.
        upstream: The name of who would sell it.
        fingerprint: Of the pool that serves it.
        ignored: The body's fields that the model does not know, as a list of tokens.
    """

    request_id: str
    spec: ModelSpec
    arguments: Any
    key: KeyRecord
    terms: PurchaseLimits
    options: FalOptions
    treatment: EffectivePolicy
    upstream: str
    fingerprint: str
    ignored: str = ""

    @property
    def wanted(self) -> int:
        """How many pictures."""
        return self.spec.asked(self.arguments)


Found = Callable[[KeyRecord], None]
"""Told of the key that was presented, also where it may not be used."""


async def authenticate(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Find the key that is presented, and let it pass at its own pace.

    Raises:
        Refusal: As `identify`.
        TooMany: Too many requests in this second.
    """
    caller = await identify(ports, authorization, address, found)
    await _pace(ports, caller)
    return caller


async def identify(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Find the key that is presented.

    Args:
        ports: The world.
        authorization: The header.
        address: Where the caller is.
        found: See `Found`.

    Raises:
        KeyMalformed: There is no Authorization header of fal's form.
        KeyUnknown: Not a key of ours.
        KeyRefused: A key that may not be used.
        NotAllowed: Not from this address.
        TooMany: Too many invalid keys from this address.
        Unavailable: Without Redis.
    """
    value = apikey.from_header(authorization or "")
    if value is None:
        raise KeyMalformed
    presented = apikey.present(value)
    if presented is None:
        ports.wrong_keys.wrong(address)
        raise KeyUnknown
    await ports.wrong_keys.check(address, presented)
    key, now_s, directory = await ports.keys.key(presented.id)
    if key is None or not key.opened_by(presented, now_s):
        ports.wrong_keys.wrong(address, presented.id if key else "")
        raise KeyUnknown
    ports.wrong_keys.right(presented)
    found(key)
    # A key may be made in the very instant in which its app is removed.
    if why := key.unusable(now_s) or directory.lacks(key.team, key.app):
        raise KeyRefused(why)
    policy.check_address(key.permissions, address)
    caching = directory.apps[f"{key.team}/{key.app}"].cache
    return Caller(key=key, terms=terms(key, directory), caching=caching)


def terms(key: KeyRecord, directory: Directory) -> PurchaseLimits:
    """What a purchase for a key is subject to."""
    team, app = directory.teams[key.team], directory.apps[f"{key.team}/{key.app}"]
    return PurchaseLimits(
        limits=(limits.NONE, team.limits, app.limits, key.limits),
        weight=team.weight,
        waiting_max=team.waiting_generations,
    )


async def _pace(ports: Ports, caller: Caller) -> None:
    """Count a request where somebody limits them.

    A limit that cannot be looked up lets requests through: it guards no money, budgets do that.
    """
    key = caller.key
    accounts = chain(key.team, key.app, key.id)
    limited = {
        account.name: each.requests_per_second
        for account, each in zip(accounts, caller.terms.limits, strict=True)
        if each.requests_per_second
    }
    if not limited:
        return
    try:
        exceeded = await ports.rates.take(limited)
    except Unavailable:
        ports.facts.unchecked()
        return
    if exceeded is not None:
        raise refusals.of_limit(exceeded)


def find_model(ports: Ports, endpoint: str) -> ModelSpec:
    """The model of a path.

    Raises:
        ModelUnknown: There is none; named by its alias as fal does.
    """
    spec = ports.models.get(endpoint)
    if spec is None:
        raise ModelUnknown(endpoint.partition("/")[2] or endpoint)
    return spec


def admit(
    ports: Ports,
    *,
    caller: Caller,
    spec: ModelSpec,
    body: bytes,
    content_type: str | None,
    headers: Mapping[str, str],
    request_id: str,
) -> AdmittedRequest:
    """Read and check a body, and what the headers ask for beside it.

    Raises:
        HeaderWrong: A header of falgate's makes no sense.
        InputRejected: With every problem.
        NotAllowed: The key may not ask for this.
    """
    permissions = caller.key.permissions
    policy.check_model(permissions, spec.endpoint)
    parsed = request.read(spec, body, content_type)
    if parsed.dropped:
        ports.facts.dropped(spec.endpoint, len(parsed.dropped))
    policy.check_arguments(permissions, spec, parsed.arguments)
    key = caller.key
    said = directives.read(headers)
    treatment = resolve(
        said, caller.caching, permissions, team=key.team, app=key.app, derives=ports.derives
    )
    upstream = ports.sellers[caller.key.kind].name
    return AdmittedRequest(
        request_id=request_id,
        spec=spec,
        arguments=parsed.arguments,
        key=key,
        terms=caller.terms,
        options=options.read(headers),
        treatment=treatment,
        upstream=upstream,
        fingerprint=treatment.pool_of(spec, parsed.arguments, upstream),
        ignored=parsed.ignored,
    )
