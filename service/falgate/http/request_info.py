"""What a route reads of its request: its caller, its admitted body, and its metadata."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from falgate.accounts.apikey import KeyRecord
from falgate.http.request_errors import TypeUnclear
from falgate.jobs import admitting
from falgate.jobs.admission import AdmittedRequest, Caller
from falgate.jobs.admitting import Sent
from falgate.jobs.authentication import authenticate
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec

REQUEST_ID, KEY, REFUSAL = "falgate_request_id", "falgate_key", "falgate_refusal"
MODEL = "falgate_model"
"""Names in a request's state of its id, and for logs of its identified key, refusal and model."""


async def caller_of(ports: Ports, request: Request[Any, Any, Any]) -> Caller:
    """Authenticate a request; raises as `authenticate`."""
    authorization = request.headers.get("authorization")
    return await authenticate(ports, authorization, address_of(request), noting(request))


async def admitted(
    ports: Ports,
    caller: Caller,
    spec: ModelSpec,
    request: Request[Any, Any, Any],
    called: str = "",
) -> AdmittedRequest:
    """Read a caller's request for a model, and check it.

    Args:
        ports: The ports of the request flow.
        caller: Who asks.
        spec: The model.
        request: The request.
        called: The alias under which the model was called, or "".

    Raises:
        Refusal: As `admitting.admitted`.
    """
    request.scope["state"][MODEL] = spec.endpoint
    sent = Sent(
        body=await request.body(),
        content_type=type_of(request),
        headers=fields_of(request),
        request_id=request.scope["state"][REQUEST_ID],
        called=called,
    )
    return await admitting.admitted(ports, caller, spec, sent)


def noting(request: Request[Any, Any, Any]) -> Callable[[KeyRecord], None]:
    """Return a callback that stores the identified key in the request's state, for the log."""
    state = request.scope["state"]
    return lambda key: state.update({KEY: key})


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return the client's address, or "" if the server does not know it."""
    return request.client.host if request.client else ""


def type_of(request: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Return the Content-Type of a request's body, or None.

    Raises:
        TypeUnclear: There are several.
    """
    types = request.headers.getall("content-type", [])
    if len(types) > 1 or "," in "".join(types).partition(";")[0]:
        raise TypeUnclear(", ".join(types))
    return types[0] if types else None


def fields_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined by commas (RFC 9110 5.3)."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        fields.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in fields.items()}
