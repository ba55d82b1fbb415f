"""Admission: decides whether a key and a body are accepted, and which pool serves the request."""

from collections.abc import Mapping

import msgspec

from falgate.accounts import limits, policy
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import Directory
from falgate.accounts.limits import PurchaseLimits
from falgate.cache import directives
from falgate.cache.policy import resolve
from falgate.cache.request import PictureRequest
from falgate.core.account import Account, chain
from falgate.core.errors import KeyRefused, ModelUnknown
from falgate.fal import options
from falgate.fal.options import FalOptions
from falgate.models import arguments as request
from falgate.models.arguments import Parsed
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
        dropped: How many these are.
    """

    request_id: str
    key: KeyRecord
    terms: PurchaseLimits
    options: FalOptions
    ignored: str = ""
    dropped: int = 0

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts that a purchase is charged to, the organisation first."""
        return chain(self.key.team, self.key.app, self.key.id)


def permit(key: KeyRecord, directory: Directory, now_s: int) -> Caller:
    """Return the caller that a key stands for.

    Args:
        key: Its record.
        directory: All teams and apps.
        now_s: Redis's time, in seconds since 1970.

    Raises:
        KeyRefused: The key may not be used now, or its app or team was removed.
    """
    # A key may be created in the same instant in which its app is removed.
    if why := key.unusable(now_s) or directory.lacks(key.team, key.app):
        raise KeyRefused(why)
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


def find_model(models: Mapping[str, ModelSpec], endpoint: str) -> ModelSpec:
    """Return the model of a path.

    Raises:
        ModelUnknown: There is none; the message names the alias, as fal's does.
    """
    spec = models.get(endpoint)
    if spec is None:
        raise ModelUnknown(endpoint.partition("/")[2] or endpoint)
    return spec


def read(caller: Caller, spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed:
    """Parse and check a body; its input pictures are still as the caller names them.

    Args:
        caller: Who asks.
        spec: The model.
        body: The bytes of the body.
        content_type: Its Content-Type, if there is one.

    Raises:
        InputRejected: The body is invalid; lists every problem.
        NotAllowed: The key may not ask for this.
    """
    permissions = caller.key.permissions
    policy.check_model(permissions, spec.endpoint)
    parsed = request.read(spec, body, content_type)
    policy.check_arguments(permissions, spec, parsed.arguments)
    return parsed


def admit(
    caller: Caller,
    spec: ModelSpec,
    parsed: Parsed,
    *,
    upstream: str,
    derives: bool,
    headers: Mapping[str, str],
    request_id: str,
) -> AdmittedRequest:
    """Decide how a body is served, by the headers that go with it.

    Args:
        caller: Who asks.
        spec: The model.
        parsed: The body, as `read` returned it, with all input pictures read.
        upstream: Name of the upstream for the caller's kind of key.
        derives: Whether pictures are converted here at all.
        headers: By lower-case name.
        request_id: Our id of the request.

    Raises:
        HeaderWrong: One of falgate's headers is invalid.
        NotAllowed: The key may not ask for this.
    """
    key = caller.key
    said = directives.read(headers)
    treatment = resolve(
        said, caller.caching, key.permissions, team=key.team, app=key.app, derives=derives
    )
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
        dropped=len(parsed.dropped),
    )
