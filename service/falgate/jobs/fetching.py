"""Fetches what fal delivered and checks it, in tasks that begin before the money is settled."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from falgate.core.picture import Kept
from falgate.jobs.job import Order
from falgate.jobs.ports import Ports
from falgate.models.said import said
from falgate.models.spec import Expected

_AHEAD_MAX = 32
"""Results whose pictures may wait in memory until Redis has settled the money. Beyond it, pictures
are fetched when they can be stored."""


class Fetched(NamedTuple):
    """A picture that was fetched and checked.

    Attributes:
        data: The bytes; the picture may be followed by others.
        kept: The picture that they begin with.
    """

    data: bytes
    kept: Kept


class Fetches:
    """The pictures of one result.

    Attributes:
        urls: Where they are, in fal's order.
        said: What the result says of each of them.
        arguments: The request, as its model's input.
        expected: What was asked for.
    """

    def __init__(self, ports: Ports, order: Order, output: Any, *, ahead: bool) -> None:
        """Begin to fetch all of them, or with `ahead` false, fetch each when it is waited for."""
        spec = ports.models[order.endpoint]
        self._upstream = ports.upstream(order.upstream)
        self._pictures = ports.pictures
        self.urls = [str(file["url"]) for file in spec.files(output)]
        self.said = said(spec, output)
        self.arguments: Any = msgspec.convert(order.input, spec.input)
        self.expected: Expected = spec.expected(self.arguments)
        begun = dict.fromkeys(self.urls) if ahead else ()
        self._begun = {url: asyncio.create_task(self._fetch(url)) for url in begun}
        for task in self._begun.values():
            task.add_done_callback(_retrieve)

    async def fetched(self, url: str) -> Fetched:
        """Wait for a picture; the next call fetches it again.

        Raises:
            DownloadFailed: It could not be fetched.
            NotAPicture: It is none.
        """
        begun = self._begun.pop(url, None)
        return await (begun or self._fetch(url))

    def cancel(self) -> None:
        """Stop fetching what nobody waits for."""
        for task in self._begun.values():
            task.cancel()

    async def _fetch(self, url: str) -> Fetched:
        data = await self._upstream.download(url)
        return Fetched(data, await self._pictures.examine(data, self.expected.pixels_max))


class Fetcher:
    """Fetches the results of this process."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._under_way = 0

    @contextmanager
    def fetching(self, order: Order, output: Any) -> Iterator[Fetches]:
        """Fetch the pictures of a result of fal's while the block runs."""
        self._under_way += 1
        fetches = Fetches(self._ports, order, output, ahead=self._under_way <= _AHEAD_MAX)
        try:
            yield fetches
        finally:
            self._under_way -= 1
            fetches.cancel()


def _retrieve(task: asyncio.Task[Fetched]) -> None:
    """Retrieve an error that nobody may ask for any more."""
    if not task.cancelled():
        task.exception()
