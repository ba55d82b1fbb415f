"""Many calls at once, watched while they are under way."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from patience import PATIENCE_S


async def answered(calls: Sequence["asyncio.Task[Any]"], number: int) -> None:
    """Wait until so many of the calls have their answers."""
    async with asyncio.timeout(PATIENCE_S):
        for call in islice(asyncio.as_completed(calls), number):
            await call
