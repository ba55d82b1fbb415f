"""Tally: every answer is posted once, under ids that a repeat shares."""

from collections import Counter
from collections.abc import Mapping

import pytest

from falgate.core.errors import Unavailable
from falgate.core.events import Answered, Source
from falgate.telemetry.usage_counter import UsageCounter


class RollUps:
    """Roll-ups that can be out of reach, or take a batch and lose the reply."""

    def __init__(self) -> None:
        self.down = False
        self.deaf = False
        self.counted: Counter[tuple[str, str]] = Counter()
        self.batches: list[tuple[str, str]] = []

    async def add(
        self, upstream: str, counts: Mapping[str, int], *, batch: str, before: str
    ) -> None:
        """As the store does it."""
        if self.down:
            raise Unavailable("down")
        if batch not in [known for known, _ in self.batches]:
            self.batches.append((batch, before))
            self.counted.update({(upstream, field): counts[field] for field in counts})
        if self.deaf:
            self.deaf = False
            raise Unavailable("down")


def answered(source: Source, app: str = "shop", upstream: str = "fal", reused: int = 0) -> Answered:
    return Answered(
        request_id="r", model="m", upstream=upstream, team="web", app=app, key="k", job="j",
        source=source, pictures=2, billed=0, saved=34_000 * reused, took_s=0, waited_s=0,
        reused=reused, quality="low", fingerprint="", route="run",
    )  # fmt: skip


@pytest.fixture
def rollups() -> RollUps:
    return RollUps()


@pytest.fixture
def tally(rollups: RollUps) -> UsageCounter:
    return UsageCounter(rollups, "one")


async def test_answers_are_counted_by_upstream_and_app(
    tally: UsageCounter, rollups: RollUps
) -> None:
    tally.add(answered("hit", reused=2))
    tally.add(answered("miss"))
    tally.add(answered("bypass"))
    tally.add(answered("partial", reused=1))
    tally.add(answered("coalesced", app="blog", upstream="test", reused=2))

    await tally.flush()
    await tally.flush()

    shop, blog = "web/shop/k|m|low|answered", "web/blog/k|m|low|answered"
    assert rollups.counted == {
        ("fal", f"{shop}:answers"): 4,
        ("fal", f"{shop}:hits"): 1,
        ("fal", f"{shop}:misses"): 1,
        ("fal", f"{shop}:partial"): 1,
        ("fal", f"{shop}:fresh"): 1,
        ("fal", f"{shop}:reused"): 3,
        ("fal", f"{shop}:saved"): 102_000,
        ("fal", f"{shop}:saved_hit"): 68_000,
        ("fal", f"{shop}:saved_partial"): 34_000,
        ("test", f"{blog}:answers"): 1,
        ("test", f"{blog}:joined"): 1,
        ("test", f"{blog}:reused"): 2,
        ("test", f"{blog}:saved"): 68_000,
        ("test", f"{blog}:saved_joined"): 68_000,
    }
    assert len(rollups.batches) == 2


@pytest.mark.parametrize("trouble", ["down", "deaf"])
async def test_trouble_loses_nothing_and_counts_nothing_twice(
    trouble: str, tally: UsageCounter, rollups: RollUps
) -> None:
    tally.add(answered("hit", reused=1))
    setattr(rollups, trouble, True)
    with pytest.raises(Unavailable):
        await tally.flush()
    tally.add(answered("hit", reused=1))
    rollups.down = False

    await tally.flush()

    assert rollups.counted["fal", "web/shop/k|m|low|answered:answers"] == 2
    assert rollups.batches == [
        ("answers:one:fal:0", "answers:one:fal:-1"),
        ("answers:one:fal:1", "answers:one:fal:0"),
    ]


async def test_many_apps_are_posted_in_several_batches(
    tally: UsageCounter, rollups: RollUps
) -> None:
    for number in range(1_500):
        tally.add(answered("hit", app=f"app-{number}"))

    await tally.flush()

    assert len(rollups.batches) == 12
    assert sum(rollups.counted.values()) == 3_000
