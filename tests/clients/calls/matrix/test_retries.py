"""Replies that are lost: a client that asks again does not buy again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

SENDS_AGAIN = ("python>=0.7", "python-async>=0.7", "javascript>=1.10.1")
GIVES_UP = ("python<0.7", "python-async<0.7", "javascript<1.10.1")
FOX = {"num_images": 2, "output_format": "webp"}
KEPT = "gives up when a reply is lost, and leaves it to the app to ask again"


@pytest.fixture
def app(
    world: Any, client: Any, make_app: Callable[..., Any], request: pytest.FixtureRequest
) -> Iterator[Any]:
    """An app that reaches the gateway; what the test did to the sandbox is undone."""
    yield make_app(world, client, request.node)
    world.heal()


@pytest.mark.works("run, reply lost", "python>=0.7", "python-async>=0.7", "javascript>=1.10.1")
def test_a_run_is_asked_again_and_bought_once(app: Any) -> None:
    app.world.front.losing = 1

    answer = app.make("run", FOX)

    assert len(answer.images) == 2
    assert answer.asked == ["run", "run"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works(
    "run, reply lost", "python<0.7", "python-async<0.7", "javascript<1.10.1", defect=KEPT
)
def test_an_app_that_asks_again_itself_buys_once(app: Any) -> None:
    app.world.front.losing = 1

    lost, answer = app.make("run", FOX), app.make("run", FOX)

    assert not lost.said["ok"]
    assert lost.asked == ["run"]
    assert len(answer.images) == 2
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("submit, reply lost", *SENDS_AGAIN)
def test_a_submit_is_sent_again_and_bought_once(app: Any) -> None:
    app.world.front.losing = 1

    answer = app.make("subscribe", FOX)

    assert len(answer.images) == 2
    assert answer.steps == ["submit", "status", "result"]
    assert answer.asked[:2] == ["submit", "submit"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("submit, reply lost", *GIVES_UP, defect=KEPT)
def test_an_app_that_submits_again_itself_buys_once(app: Any) -> None:
    app.world.front.losing = 1

    lost, answer = app.make("submit", FOX), app.make("subscribe", FOX)

    assert not lost.said["ok"]
    assert lost.asked == ["submit"]
    assert len(answer.images) == 2
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("run, reply lost, of a distinct app", *SENDS_AGAIN)
def test_a_run_of_a_distinct_app_is_asked_again_and_bought_once(app: Any) -> None:
    app.world.front.losing = 1

    answer = app.make("run", FOX, key=app.world.distinct_key)

    assert len(answer.images) == 2
    assert answer.asked == ["run", "run"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("submit, reply lost, of a distinct app", *SENDS_AGAIN)
def test_a_submit_of_a_distinct_app_is_sent_again_and_bought_once(app: Any) -> None:
    app.world.turn(work_s=1)
    app.world.front.losing = 1

    answer = app.make("subscribe", FOX, key=app.world.distinct_key)

    assert len(answer.images) == 2
    assert answer.asked[:2] == ["submit", "submit"]
    assert len(app.world.bought(app.prompt)) == 1


@pytest.mark.works("submit of new pictures, reply lost", "python>=0.11", "javascript>=1.10.1")
@pytest.mark.parametrize(
    "headers", [{"Cache-Control": "no-cache"}, {"Idempotency-Key": "mine"}], ids=["fresh", "key"]
)
def test_what_is_sent_again_with_its_headers_is_bought_once(
    app: Any, headers: dict[str, str]
) -> None:
    named = {
        name: f"{text}-{app.client.name}" if name != "Cache-Control" else text
        for name, text in headers.items()
    }
    app.world.front.losing = 1

    answer = app.make("submit", FOX, headers=named)

    assert answer.said["ok"], answer.said
    assert answer.asked == ["submit", "submit"]
    assert len(app.world.bought(app.prompt)) == 1
