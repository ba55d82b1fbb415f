"""Proof: what was found is kept and told, one instance does it, and no news is no result."""

import pytest

from falgate.core.errors import Unavailable
from falgate.money.entry import EntryStrange
from falgate.money.verification import VerificationResult
from falgate.money.verifier import LedgerVerifier


class Books:
    """The books of "fal", whose verifying finds this."""

    def __init__(self, found: int | Exception, *, mine: bool = True) -> None:
        self.found = found
        self.mine = mine
        self.looks = 0
        self.kept: list[int] = []

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Say whose turn it is."""
        assert (upstream, lease_ms) == ("fal", 3_600_000)
        return self.mine

    async def differences(self, upstream: str) -> int:
        """Find them."""
        assert upstream == "fal"
        self.looks += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def keep(self, upstream: str, differences: int) -> VerificationResult:
        """Take note."""
        assert upstream == "fal"
        self.kept.append(differences)
        return VerificationResult(at_ms=5, differences=differences)


class Facts:
    """What was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def verified(self, upstream: str, differences: int) -> None:
        """Take note."""
        self.told.append((upstream, differences))


@pytest.mark.parametrize(
    ("found", "told"), [(0, 0), (3, 3), (EntryStrange("entry 5-1 is damaged"), -1)]
)
async def test_a_result_is_kept_and_told(found: int | Exception, told: int) -> None:
    books, facts = Books(found), Facts()

    verified = await LedgerVerifier(books, ["fal"], facts).look("fal")

    assert verified == VerificationResult(at_ms=5, differences=told)
    assert (books.kept, facts.told) == ([told], [("fal", told)])


async def test_without_redis_the_last_result_stands() -> None:
    books, facts = Books(Unavailable("down")), Facts()

    with pytest.raises(Unavailable):
        await LedgerVerifier(books, ["fal"], facts).look("fal")

    assert (books.kept, facts.told) == ([], [])


async def test_who_has_not_the_turn_does_nothing() -> None:
    books, facts = Books(0, mine=False), Facts()

    assert await LedgerVerifier(books, ["fal"], facts).look("fal") is None

    assert (books.looks, books.kept, facts.told) == (0, [], [])
