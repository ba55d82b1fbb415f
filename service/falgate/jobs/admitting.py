"""From a caller's body to an admitted request: parsed, its input pictures read, its model found."""

import asyncio
from collections.abc import Mapping
from functools import partial

import msgspec

from falgate.jobs.admission import AdmittedRequest, Caller, admit, read
from falgate.jobs.ports import Ports
from falgate.jobs.redirect import redirect
from falgate.models.spec import ModelSpec

AT_ONCE_BYTES_MAX = 16 * 1024
"""A body up to this size is checked at once, a longer one in a thread."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller sent.

    Attributes:
        body: Its bytes.
        content_type: Its Content-Type, if there is one.
        headers: By lower-case name.
        request_id: Our id of the request.
        called: The alias under which the model was called, or "".
    """

    body: bytes
    content_type: str | None
    headers: Mapping[str, str]
    request_id: str
    called: str = ""

    def __repr__(self) -> str:
        """Omit the prompt."""
        return f"Sent({self.request_id})"


async def admitted(ports: Ports, caller: Caller, spec: ModelSpec, sent: Sent) -> AdmittedRequest:
    """Read a caller's request for a model, and check it.

    Raises:
        Refusal: As `admission.read`, `Inputs.read`, `admission.admit` and `redirect`.
    """
    # What is wrong with a megabyte of nested lists takes half a second to say.
    at_once = len(sent.body) <= AT_ONCE_BYTES_MAX
    check = partial(read, caller, spec, sent.body, sent.content_type, sent.called)
    parsed = check() if at_once else await asyncio.to_thread(check)
    if spec.inputs:
        arguments = await ports.inputs.read(caller.key, spec, parsed.arguments)
        parsed = msgspec.structs.replace(parsed, arguments=arguments)
    decide = partial(
        admit,
        caller,
        spec,
        parsed,
        upstream=ports.upstreams[caller.key.kind].name,
        derives=ports.derives,
        headers=sent.headers,
        request_id=sent.request_id,
        called=sent.called,
    )
    call = decide() if at_once else await asyncio.to_thread(decide)
    if call.dropped:
        ports.facts.dropped(spec.endpoint, call.dropped)
    return await redirect(ports, caller, call)
