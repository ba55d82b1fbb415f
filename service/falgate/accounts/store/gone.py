"""Notes of the models that an upstream said it has no more, in the directory."""

from falgate.accounts.directory import Directory, Gone, gone_name
from falgate.accounts.store.registry import Registry

_AGAIN_S = 60
"""How often it is noted at most that it was said again."""


class GoneModels:
    """The notes. All methods raise `Unavailable` without Redis."""

    def __init__(self, registry: Registry) -> None:
        """Keep the notes in a registry, whose directory all instances follow."""
        self._registry = registry

    async def note(self, upstream: str, endpoint: str) -> Directory:
        """Note that an upstream has a model no more; return the directory."""
        name, now_s = gone_name(upstream, endpoint), await self._registry.now_s()
        while True:
            directory = await self._registry.directory()
            was = directory.gone.get(name)
            if was and now_s < was.seen_s + _AGAIN_S:
                return directory
            now = Gone(since_s=was.since_s if was else now_s, seen_s=now_s)
            await self._registry.put_gone(name, was, now)

    async def forget(self, upstream: str, endpoint: str) -> None:
        """Forget it, if it is noted: the upstream has just sold the model."""
        name = gone_name(upstream, endpoint)
        if name in self._registry.known.gone:
            directory = await self._registry.directory()
            await self._registry.put_gone(name, directory.gone.get(name), None)
