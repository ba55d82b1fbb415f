"""Ports of input pictures: reading them for a request, and sending them with a purchase."""

from typing import Any, Protocol

from falgate.accounts.apikey import KeyRecord
from falgate.models.spec import ModelSpec


class Inputs(Protocol):
    """Reads the input pictures of requests."""

    async def read(self, key: KeyRecord, spec: ModelSpec, arguments: Any) -> Any:
        """Return the arguments with each input picture replaced by what it is, and stored.

        Raises `InputRejected`, `NotAllowed`, `TooMany` or `Unavailable`.
        """


class InputSending(Protocol):
    """Puts input pictures where an upstream reads them. Methods raise `Unavailable`."""

    async def sent(
        self, upstream: str, app: str, spec: ModelSpec, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a purchase's body with URLs at the upstream; raises `InputsUnsent`."""

    async def recalled(
        self, upstream: str, spec: ModelSpec, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Return the body that was sent, or None if that is not remembered."""
