"""Admission: decides whether a key and a body are accepted, and which pool serves the request."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from falgate.accounts import limits, policy, retirement
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import DEFAULT_MODEL, App, Directory, target_of
from falgate.accounts.limits import PurchaseLimits
from falgate.accounts.retirement import Ended
from falgate.cache import directives
from falgate.cache.policy import resolve
from falgate.cache.request import PictureRequest
from falgate.core.account import Account, chain
from falgate.core.errors import KeyRefused, ModelUnknown
from falgate.fal import options
from falgate.fal.options import FalOptions
from falgate.jobs.succession import succeed
from falgate.models import arguments as request
from falgate.models.arguments import Parsed
from falgate.models.spec import ModelSpec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated caller.

    Attributes:
        key: The key that was presented.
        terms: The limits of a purchase with this key, whatever its model.
        app: The key's app.
        directory: What operators decided.
        now_s: Redis's time, in seconds since 1970.
    """

    key: KeyRecord
    terms: PurchaseLimits
    app: App
    directory: Directory
    now_s: int


class AdmittedRequest(PictureRequest, frozen=True, kw_only=True):
    """A request that was authenticated and checked.

    Attributes:
        request_id: Our id of the request, as the caller sees it.
        key: The key that asked.
        terms: The limits of a purchase for this request.
        options: fal's request options, from the headers.
        called: The name under which the model was called, if it is not its endpoint: an alias, or
            the endpoint of a model whose successor it is; else "".
        ended: How the model has ended, so that nothing may be bought; None if it has not.
        ignored: The body's fields that the model does not have, as a list of tokens.
        dropped: How many these are.
    """

    request_id: str
    key: KeyRecord
    terms: PurchaseLimits
    options: FalOptions
    called: str = ""
    ended: Ended | None = None
    ignored: str = ""
    dropped: int = 0

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts that a purchase is charged to, the organisation first."""
        return chain(self.key.team, self.key.app, self.key.id, self.spec.endpoint)


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
    return Caller(
        key=key,
        terms=terms(key, directory),
        app=directory.apps[f"{key.team}/{key.app}"],
        directory=directory,
        now_s=now_s,
    )


def terms(key: KeyRecord, directory: Directory) -> PurchaseLimits:
    """Return the limits of a purchase with a key, whatever its model."""
    team, app = directory.teams[key.team], directory.apps[f"{key.team}/{key.app}"]
    return PurchaseLimits(
        limits=(limits.NONE, team.limits, app.limits, key.limits),
        weight=team.weight,
        waiting_max=team.waiting_generations,
    )


def terms_for(terms: PurchaseLimits, directory: Directory, endpoint: str) -> PurchaseLimits:
    """Return the limits of a purchase with those of its model."""
    return replace(terms, model=directory.models.get(endpoint, DEFAULT_MODEL).limits)


def find_model(models: Mapping[str, ModelSpec], endpoint: str) -> ModelSpec:
    """Return the model of a path.

    Raises:
        ModelUnknown: There is none; the message names the alias, as fal's does.
    """
    spec = models.get(endpoint)
    if spec is None:
        raise ModelUnknown(_told(endpoint))
    return spec


def _told(name: str) -> str:
    """Return what fal's error calls a model that it does not have: its name without the owner."""
    return name.partition("/")[2] or name


def called_model(
    models: Mapping[str, ModelSpec], name: str, caller: Caller, *, told_as: str = ""
) -> tuple[ModelSpec, str]:
    """Return the model that a caller means by a name, and that name if it is an alias, else "".

    An alias cannot hide a model: it is refused when it is made.

    Args:
        models: The served models, by endpoint.
        name: An endpoint or an alias.
        caller: Who asks.
        told_as: What the error calls it; by default as `find_model` does.

    Raises:
        ModelUnknown: It is neither.
    """
    spec = models.get(name) or models.get(target_of(name, caller.directory, caller.app))
    if spec is None:
        raise ModelUnknown(told_as or _told(name))
    return spec, "" if name == spec.endpoint else name


def read(
    caller: Caller, spec: ModelSpec, body: bytes, content_type: str | None, called: str = ""
) -> Parsed:
    """Parse and check a body; its input pictures are still as the caller names them.

    Args:
        caller: Who asks.
        spec: The model.
        body: The bytes of the body.
        content_type: Its Content-Type, if there is one.
        called: The alias under which the model was called, or "".

    Raises:
        InputRejected: The body is invalid; lists every problem.
        NotAllowed: The key may not ask for this.
    """
    permissions = caller.key.permissions
    policy.check_model(permissions, spec.endpoint, called)
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
    called: str = "",
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
        called: The alias under which the model was called, or "".

    Raises:
        HeaderWrong: One of falgate's headers is invalid.
        NotAllowed: The key may not ask for this.
    """
    key = caller.key
    said = directives.read(headers)
    treatment = resolve(
        said, caller.app.cache, key.permissions, team=key.team, app=key.app, derives=derives
    ).of_request(spec, parsed.arguments)
    return AdmittedRequest(
        request_id=request_id,
        spec=spec,
        arguments=parsed.arguments,
        key=key,
        terms=terms_for(caller.terms, caller.directory, spec.endpoint),
        options=options.read(headers),
        treatment=treatment,
        upstream=upstream,
        fingerprint=treatment.pool_of(spec, parsed.arguments, upstream),
        called=called,
        ended=ending(caller, spec, upstream),
        ignored=parsed.ignored,
        dropped=len(parsed.dropped),
    )


def ending(caller: Caller, spec: ModelSpec, upstream: str) -> Ended | None:
    """Return how a model has ended for a caller; None if it can be bought."""
    return retirement.ended(spec, caller.directory, caller.app, upstream, caller.now_s)


def succeeded(
    caller: Caller, call: AdmittedRequest, models: Mapping[str, ModelSpec]
) -> AdmittedRequest:
    """Return a request for a model that has ended as one for its successor.

    The key's permissions were checked for the model that it called. Its operator decided that the
    successor takes its place.

    Raises:
        InputRejected, ModelRetired: As `succeed`.
    """
    spec, arguments, over = succeed(
        call.spec, call.arguments, models, lambda each: ending(caller, each, call.upstream)
    )
    treatment = call.treatment.of_request(spec, arguments)
    return replace(
        call,
        spec=spec,
        arguments=arguments,
        treatment=treatment,
        terms=terms_for(caller.terms, caller.directory, spec.endpoint),
        fingerprint=treatment.pool_of(spec, arguments, call.upstream),
        called=call.called or call.spec.endpoint,
        ended=over,
    )
