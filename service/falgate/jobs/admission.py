"""Admission: authenticates a request, checks its body, and finds the pool that serves it."""

from collections.abc import Callable, Mapping

import msgspec

from falgate.accounts import apikey, limits, policy
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import Directory
from falgate.accounts.limits import PurchaseLimits
from falgate.cache import directives
from falgate.cache.policy import resolve
from falgate.cache.request import PictureRequest
from falgate.core.account import Account, chain
from falgate.core.errors import KeyMalformed, KeyRefused, KeyUnknown, ModelUnknown, Unavailable
from falgate.fal import options
from falgate.fal.options import FalOptions
from falgate.jobs import refusals
from falgate.jobs.ports import Ports
from falgate.models import arguments as request
from falgate.models.spec import ModelSpec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated caller.

    Attributes:
        key: The key that was presented.
        terms: The limits of a purchase with this key.
        caching: The cache policy of the key's app.
    """

    key: KeyRecord
    terms: PurchaseLimits
    caching: CachePolicy


class AdmittedRequest(PictureRequest, frozen=True, kw_only=True):
    """A request that was authenticated and checked.

    Attributes:
        request_id: Our id of the request, as the caller sees it.
        key: The key that asked.
        terms: The limits of a purchase for this request.
        options: fal's request options, from the headers.
        ignored: The body's fields that the model does not have, as a list of tokens.
    """

    request_id: str
    key: KeyRecord
    terms: PurchaseLimits
    options: FalOptions
    ignored: str = ""

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts that a purchase is charged to, the organisation first."""
        return chain(self.key.team, self.key.app, self.key.id)


Found = Callable[[KeyRecord], None]
"""Called with the record of a valid key, even if the key may not be used."""


async def authenticate(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Identify the caller, and count the request against the limits on requests per second.

    Raises:
        Refusal: As `identify`.
        TooMany: A limit on requests per second is reached.
    """
    caller = await identify(ports, authorization, address, found)
    await _pace(ports, caller)
    return caller


async def identify(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Find the caller by the key that is presented.

    Args:
        ports: The ports of the request flow.
        authorization: The Authorization header.
        address: The caller's IP address.
        found: See `Found`.

    Raises:
        KeyMalformed: There is no Authorization header of fal's form.
        KeyUnknown: The key is not one of ours.
        KeyRefused: The key may not be used.
        NotAllowed: The key may not be used from this address.
        TooMany: Too many invalid keys came from this address.
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
    # A key may be created in the same instant in which its app is removed.
    if why := key.unusable(now_s) or directory.lacks(key.team, key.app):
        raise KeyRefused(why)
    policy.check_address(key.permissions, address)
    caching = directory.apps[f"{key.team}/{key.app}"].cache
    return Caller(key=key, terms=terms(key, directory), caching=caching)


def terms(key: KeyRecord, directory: Directory) -> PurchaseLimits:
    """Return the limits of a purchase with a key."""
    team, app = directory.teams[key.team], directory.apps[f"{key.team}/{key.app}"]
    return PurchaseLimits(
        limits=(limits.NONE, team.limits, app.limits, key.limits),
        weight=team.weight,
        waiting_max=team.waiting_generations,
    )


async def _pace(ports: Ports, caller: Caller) -> None:
    """Count a request of each account that has a limit on requests per second.

    If Redis cannot be asked, the request is let through: these limits do not protect money, budgets
    do.
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
    """Return the model of a path.

    Raises:
        ModelUnknown: There is none; the message names the alias, as fal's does.
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
    """Parse and check a body, and the headers that go with it.

    Raises:
        HeaderWrong: One of falgate's headers is invalid.
        InputRejected: The body is invalid; lists every problem.
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
    upstream = ports.upstreams[caller.key.kind].name
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
