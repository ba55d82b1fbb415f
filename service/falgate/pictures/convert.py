"""The process in which pictures are converted and thumbnails made."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from falgate.core.picture import NotAPicture

SIDE_PX_MAX = 8192
PIXELS_MAX = SIDE_PX_MAX**2
"""Upper bound of what is ever decoded."""
_WAIT_S = 60.0


def convert(data: bytes, content_type: str, quality: int, pixels_max: int) -> bytes:
    """Convert a picture; see `encode`, which the process of the gateway does not load."""
    from falgate.pictures.encode import convert  # noqa: PLC0415 - when it is needed

    return convert(data, content_type, quality, pixels_max)


def thumbnail(data: bytes, side_px: int) -> bytes:
    """Make a thumbnail; see `encode`."""
    from falgate.pictures.encode import thumbnail  # noqa: PLC0415 - when it is needed

    return thumbnail(data, side_px)


class Converter:
    """Converts pictures in a worker process.

    An encoder holds a core for a tenth of a second or more, and in a thread it would hold the
    interpreter's lock between Pillow's calls. One process is enough: each conversion happens once,
    and so does each thumbnail.
    """

    def __init__(self, quality: int) -> None:
        """Encode with this quality, 1 to 100."""
        self._quality = quality
        self._pool: ProcessPoolExecutor | None = None

    async def convert(self, data: bytes, content_type: str, pixels_max: int = PIXELS_MAX) -> bytes:
        """Run `convert` in the worker process.

        Raises:
            NotAPicture: It cannot be converted, or the worker process failed.
        """
        return await self._run(convert, data, content_type, self._quality, pixels_max)

    async def thumbnail(self, data: bytes, side_px: int) -> bytes:
        """Run `thumbnail` in the worker process.

        Raises:
            NotAPicture: It cannot be made, or the worker process failed.
        """
        return await self._run(thumbnail, data, side_px)

    async def _run(self, work: Callable[..., bytes], *given: object) -> bytes:
        pool: ProcessPoolExecutor | None = None
        try:
            pool = self._begun()
            return await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(pool, work, *given), _WAIT_S
            )
        # OSError, NotImplementedError: the system cannot start a process or lacks semaphores.
        except (BrokenProcessPool, NotImplementedError, OSError, TimeoutError) as error:
            # Another task may have replaced the pool meanwhile.
            if pool is not None and self._pool is pool:
                self._pool = None
                pool.shutdown(wait=False, cancel_futures=True)
            raise NotAPicture(f"It could not be converted: {type(error).__name__}") from error

    def _begun(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, not forked: a fork would copy locks that other threads hold and never
            # release in the copy.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_alone)
        return self._pool

    async def close(self) -> None:
        """Stop the worker process."""
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
            self._pool = None


def _alone() -> None:
    """Make a worker process end with its parent, even a killed one, and ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        # The worker holds both ends of its queue, so a killed parent would go unnoticed.
        parent.join()
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
