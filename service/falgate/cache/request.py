"""A request for pictures, as the cache sees it: what is wanted, and from which pool."""

from typing import Any

import msgspec

from falgate.cache.policy import EffectivePolicy
from falgate.models.spec import ModelSpec


class PictureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for pictures of a model.

    Attributes:
        spec: The model.
        arguments: An instance of `spec.input`.
        upstream: Name of the upstream that would sell the pictures.
        treatment: The effective cache policy.
        fingerprint: Of the pool that serves the request.
    """

    spec: ModelSpec
    arguments: Any
    upstream: str
    treatment: EffectivePolicy
    fingerprint: str

    @property
    def wanted(self) -> int:
        """Return the number of pictures that are wanted."""
        return self.spec.asked(self.arguments)

    @property
    def whole(self) -> bool:
        """Return whether its pictures have to be of one purchase."""
        return self.spec.is_seeded(self.arguments)


def request_for(
    spec: ModelSpec, arguments: Any, upstream: str, treatment: EffectivePolicy
) -> PictureRequest:
    """Return a request with the fingerprint of its pool."""
    return PictureRequest(
        spec=spec,
        arguments=arguments,
        upstream=upstream,
        treatment=treatment,
        fingerprint=treatment.pool_of(spec, arguments, upstream),
    )
