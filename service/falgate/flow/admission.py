"""Admission: whose request it is, what it asks for, and which pool it belongs to."""

from typing import Any

import msgspec

from falgate.core import apikey, request
from falgate.core.apikey import KeyRecord
from falgate.core.errors import KeyMalformed, KeyRefused, KeyUnknown, ModelUnknown
from falgate.core.fingerprint import fingerprint
from falgate.core.model import ModelSpec
from falgate.flow.ports import Ports

SCOPE = "organisation"
"""Who shares a pool."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be answered.

    Attributes:
        request_id: Ours, as the caller sees it.
        spec: The model.
        arguments: An instance of `spec.input`.
        key: Whose it is.
        upstream: The name of who would sell it.
        fingerprint: Of the pool that serves it.
    """

    request_id: str
    spec: ModelSpec
    arguments: Any
    key: KeyRecord
    upstream: str
    fingerprint: str

    @property
    def wanted(self) -> int:
        """How many pictures."""
        return self.spec.asked(self.arguments)


async def authenticate(ports: Ports, authorization: str | None) -> KeyRecord:
    """Find the key that is presented.

    Raises:
        KeyMalformed: There is no Authorization header of fal's form.
        KeyUnknown: Not a key of ours.
        KeyRefused: A key that may not be used.
        Unavailable: Without Redis.
    """
    value = apikey.from_header(authorization or "")
    if value is None:
        raise KeyMalformed
    presented = apikey.present(value)
    if presented is None:
        raise KeyUnknown
    record = await ports.keys.read(presented.id)
    # A key whose kind was edited is not the key that was handed out.
    if record is None or record.kind != presented.kind or not presented.matches(record.digest):
        raise KeyUnknown
    if record.revoked_s:
        raise KeyRefused("revoked")
    return record


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
    key: KeyRecord,
    spec: ModelSpec,
    body: bytes,
    content_type: str | None,
    request_id: str,
) -> Call:
    """Read and check a body.

    Raises:
        InputRejected: With every problem.
    """
    parsed = request.read(spec, body, content_type)
    if parsed.dropped:
        ports.facts.dropped(spec.endpoint, len(parsed.dropped))
    upstream = ports.sellers[key.kind].name
    return Call(
        request_id=request_id,
        spec=spec,
        arguments=parsed.arguments,
        key=key,
        upstream=upstream,
        fingerprint=fingerprint(spec, parsed.arguments, upstream=upstream, scope=SCOPE),
    )
