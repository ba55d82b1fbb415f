"""Conversion: a JPEG or WebP made of a PNG, in a process of its own."""

import asyncio
import io
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from PIL import Image

from falgate.core.picture import NotAPicture

SIDE_PX_MAX = 8192
PIXELS_MAX = SIDE_PX_MAX**2
"""Nothing larger is decoded, whoever wants it."""
_FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}
_WAIT_S = 60.0


def convert(data: bytes, content_type: str, quality: int, pixels_max: int = PIXELS_MAX) -> bytes:
    """Another type of file of the same picture, of the same size and with the same transparency.

    Args:
        data: A whole picture.
        content_type: "image/jpeg" or "image/webp".
        quality: 1 to 100, as both formats have it. Colours are not subsampled.
        pixels_max: How many it has at most, by its head.

    Raises:
        NotAPicture: It has more, cannot be decoded, or is transparent and was to be a JPEG.
    """
    options: dict[str, object] = {"quality": quality}
    if content_type == "image/jpeg":
        options |= {"subsampling": "4:4:4", "optimize": True}
    else:
        options |= {"method": 4, "alpha_quality": 100}
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > pixels_max:
            raise NotAPicture("It is larger than it was when it was stored")
        if profile := image.info.get("icc_profile"):
            options["icc_profile"] = profile
        clear = not is_opaque(image)
        if clear and content_type == "image/jpeg":
            raise NotAPicture("A transparent picture has no JPEG")
        out = io.BytesIO()
        image.convert("RGBA" if clear else "RGB").save(out, _FORMATS[content_type], **options)
    return out.getvalue()


def is_opaque(image: Image.Image) -> bool:
    """Whether a decoded picture has no transparent pixel, by its alpha and not by its type."""
    if not image.has_transparency_data:
        return True
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return least == 255  # noqa: PLR2004 - all of a byte


class Converter:
    """Converts beside the event loop, and beside the process: encoders hold a core for long."""

    def __init__(self, quality: int) -> None:
        """Make files of this quality, 1 to 100."""
        self._quality = quality
        self._pool: ProcessPoolExecutor | None = None

    async def convert(self, data: bytes, content_type: str, pixels_max: int = PIXELS_MAX) -> bytes:
        """As `convert` above.

        Raises:
            NotAPicture: It cannot be converted, or the process that does it ended.
        """
        pool: ProcessPoolExecutor | None = None
        try:
            pool = self._begun()
            return await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(
                    pool, convert, data, content_type, self._quality, pixels_max
                ),
                _WAIT_S,
            )
        # OSError, NotImplementedError: a system without room for a process, or without semaphores.
        except (BrokenProcessPool, NotImplementedError, OSError, TimeoutError) as error:
            # Somebody else may have begun another one meanwhile.
            if pool is not None and self._pool is pool:
                self._pool = None
                pool.shutdown(wait=False, cancel_futures=True)
            raise NotAPicture(f"It could not be converted: {type(error).__name__}") from error

    def _begun(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: this process has threads, whose locks a copy would never see released.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_alone)
        return self._pool

    async def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
            self._pool = None


def _alone() -> None:
    """Make a worker end with its parent, and only with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        # A worker holds both ends of its own queue, and would not see a killed parent's end.
        parent.join()
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
