"""Models that are gone, in memory."""

# ruff: noqa: D102 - the port says what each method does

from callers import NOTHING_DECIDED

from falgate.accounts.directory import Directory


class GoneModels:
    """Remembers which models an upstream said it has no more."""

    def __init__(self) -> None:
        self.noted = list[str]()

    async def note(self, upstream: str, endpoint: str) -> Directory:
        self.noted.append(f"{upstream} {endpoint}")
        return NOTHING_DECIDED

    async def forget(self, upstream: str, endpoint: str) -> None:
        if (name := f"{upstream} {endpoint}") in self.noted:
            self.noted.remove(name)
