"""Fetches what fal delivered and checks it, in tasks that begin before the money is settled."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from falgate.core.picture import Kept
from falgate.jobs.job import Order
from falgate.jobs.ports import Ports
from falgate.models.spec import Expected


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
        expected: What was asked for.
    """

    def __init__(self, ports: Ports, order: Order, output: Any) -> None:
        """Begin to fetch all of them."""
        spec = ports.models[order.endpoint]
        self._upstream = ports.upstream(order.upstream)
        self._pictures = ports.pictures
        self.urls = [str(file["url"]) for file in spec.files(output)]
        self.expected: Expected = spec.expected(msgspec.convert(order.input, spec.input))
        self._begun = {url: asyncio.create_task(self._fetch(url)) for url in self.urls}
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


@contextmanager
def fetching(ports: Ports, order: Order, output: Any) -> Iterator[Fetches]:
    """Fetch the pictures of a result of fal's while the block runs."""
    fetches = Fetches(ports, order, output)
    try:
        yield fetches
    finally:
        fetches.cancel()


def _retrieve(task: asyncio.Task[Fetched]) -> None:
    """Retrieve an error that nobody may ask for any more."""
    if not task.cancelled():
        task.exception()
