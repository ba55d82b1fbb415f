"""The ports of input pictures for a model that has none; it fails when told."""
# ruff: noqa: D102 - the ports say what their methods do

from typing import Any

from falgate.inputs.sender import InputsUnsent


class NoInputs:
    """Nothing is read and nothing replaced; `unsent` says why inputs cannot be sent."""

    def __init__(self) -> None:
        self.unsent = ""

    async def read(self, *asked: Any) -> Any:
        return asked[-1]

    async def sent(self, *purchase: Any) -> dict[str, Any]:
        if self.unsent:
            raise InputsUnsent(self.unsent)
        body: dict[str, Any] = purchase[-1]
        return body

    async def recalled(self, *purchase: Any) -> dict[str, Any] | None:
        body: dict[str, Any] = purchase[-1]
        return body
