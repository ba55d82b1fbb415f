"""Proof: what was found is told, and no news is no result."""

import pytest

from falgate.core.entry import EntryStrange
from falgate.core.errors import Unavailable
from falgate.flow.proof import Proof


class Facts:
    """What was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def proved(self, upstream: str, differences: int) -> None:
        """Take note."""
        self.told.append((upstream, differences))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (0, [("fal", 0)]),
        (3, [("fal", 3)]),
        (EntryStrange("entry 5-1 is damaged"), [("fal", -1)]),
        (Unavailable("down"), []),
    ],
)
async def test_a_result_is_told(found: int | Exception, told: list[tuple[str, int]]) -> None:
    facts = Facts()

    async def differences(upstream: str) -> int:
        assert upstream == "fal"
        if isinstance(found, Exception):
            raise found
        return found

    await Proof(differences, ["fal"], facts).look("fal")

    assert facts.told == told
