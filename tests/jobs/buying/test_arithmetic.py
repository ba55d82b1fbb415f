"""The arithmetic of pools: whatever is asked for in whatever order, nothing is bought twice."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st


class Asked(NamedTuple):
    """A request: for how many pictures of which prompt, and what it says of the cache."""

    number: int
    prompt: str
    cache: str = ""


numbers, prompts = st.integers(1, 4), st.sampled_from(("a cat", "a dog"))
plain = st.builds(Asked, numbers, prompts, st.just(""))
fresh = st.builds(Asked, numbers, prompts, st.sampled_from(("no-cache", "no-store")))
# Those of one batch are asked at the same time, of two processes in turn.
batches = st.lists(st.lists(plain, min_size=1, max_size=4), min_size=1, max_size=5)
mixed = st.lists(st.lists(plain | fresh, min_size=1, max_size=3), min_size=1, max_size=4)


async def play(new_world: Callable[[], Any], asked: list[list[Asked]]) -> tuple[Any, Any]:
    """Ask batch after batch; the world after it, and the answers with their requests."""
    world = new_world()
    world.steps.limit = 1_000_000
    world.processes.append(world.open())
    answers: list[tuple[Asked, Any]] = []
    for batch in asked:
        found = await asyncio.gather(
            *(
                world.ask(each.number, each.prompt, cache=each.cache, at=index % 2)
                for index, each in enumerate(batch)
            )
        )
        answers += zip(batch, found, strict=True)
    await world.at_rest()
    for process in world.processes:
        await process.purchases.close(0)
        await process.works.driver.close()
    return world, answers


@given(asked=batches)
def test_never_more_is_bought_than_the_largest_number_asked_for(
    new_world: Callable[[], Any], asked: list[list[Asked]]
) -> None:
    world, answers = asyncio.run(play(new_world, asked))

    largest: Counter[str] = Counter()
    for each, answer in answers:
        largest[each.prompt] = max(largest[each.prompt], each.number)
        names = {picture.sha256 for picture in answer.pictures}
        assert len(names) == each.number, "an answer has as many pictures, all different"
    assert world.shop.pictures_sold == sum(largest.values())
    pools = world.pools.pools.values()
    assert sorted(len(pool.pictures) for pool in pools) == sorted(largest.values())
    assert world.leaks() == []


@given(asked=mixed)
def test_fresh_requests_buy_for_themselves_and_never_lose_what_others_get(
    new_world: Callable[[], Any], asked: list[list[Asked]]
) -> None:
    world, answers = asyncio.run(play(new_world, asked))

    largest: Counter[str] = Counter()
    afresh = 0
    for each, answer in answers:
        assert len({picture.sha256 for picture in answer.pictures}) == each.number
        if each.cache:
            afresh += each.number
            assert (answer.source, answer.bought) == ("bypass", each.number)
    # A pool that was replaced by fewer pictures may have to be filled up again, once each time.
    replaced = Counter(each.prompt for each, _ in answers if each.cache == "no-cache")
    for each, _ in answers:
        if not each.cache:
            largest[each.prompt] = max(largest[each.prompt], each.number)
    most = sum(number * (1 + replaced[prompt]) for prompt, number in largest.items())
    assert afresh <= world.shop.pictures_sold <= afresh + most
    assert world.leaks() == []


@given(asked=st.lists(numbers, min_size=1, max_size=6))
def test_a_repeat_of_all_that_was_asked_is_free(
    new_world: Callable[[], Any], asked: list[int]
) -> None:
    batch = [[Asked(number, "a cat")] for number in asked]
    world, answers = asyncio.run(play(new_world, batch + batch))

    for each, answer in answers[len(asked) :]:
        assert (answer.source, answer.billed, len(answer.pictures)) == ("hit", 0, each.number)
    assert world.shop.pictures_sold == max(asked)
