"""When a model has ended, and for whom."""

from datetime import date

import pytest
from msgspec.structs import replace

from falgate.accounts.directory import App, Directory, Gone, Model, gone_name
from falgate.accounts.retirement import (
    FAL,
    GONE_S,
    Ended,
    days_left,
    ended,
    retires,
    successor,
)
from falgate.models.endpoints import MODELS

SPEC = MODELS["fal-ai/gpt-image-1.5"]
AFTER = "openai/gpt-image-2"
DAY_S = 86_400
DEC_1_S = 1_796_083_200
NOBODY = App()


def decided(model: Model | None = None, **more: object) -> Directory:
    models = {SPEC.endpoint: model} if model else {}
    return replace(Directory(1, {}, {}, models=models), **more)


def test_a_model_ends_at_fal_on_the_day_that_its_file_says() -> None:
    assert SPEC.retires == date(2026, 12, 1)
    assert ended(SPEC, decided(), NOBODY, FAL, DEC_1_S - 1) is None
    assert ended(SPEC, decided(), NOBODY, FAL, DEC_1_S) == Ended(
        SPEC.endpoint, AFTER, "serve-cached"
    )


@pytest.mark.parametrize("upstream", ["sandbox", "test", "https://fal.example"])
def test_other_upstreams_sell_it_until_they_say_otherwise(upstream: str) -> None:
    assert ended(SPEC, decided(), NOBODY, upstream, DEC_1_S) is None


@pytest.mark.parametrize("upstream", [FAL, "sandbox"])
def test_an_operators_day_counts_for_all_upstreams(upstream: str) -> None:
    directory = decided(Model(retires=date(2026, 12, 3)))

    assert ended(SPEC, directory, NOBODY, upstream, DEC_1_S + 2 * DAY_S - 1) is None
    assert ended(SPEC, directory, NOBODY, upstream, DEC_1_S + 2 * DAY_S) is not None
    assert retires(SPEC, directory, upstream) == date(2026, 12, 3)


def test_a_model_that_its_upstream_has_no_more_is_asked_for_again_after_an_hour() -> None:
    gone = Gone(since_s=100, seen_s=5_000)
    directory = decided(gone={gone_name("sandbox", SPEC.endpoint): gone})

    assert ended(SPEC, directory, NOBODY, "sandbox", 5_000 + GONE_S - 1) is not None
    assert ended(SPEC, directory, NOBODY, "sandbox", 5_000 + GONE_S) is None
    assert ended(SPEC, directory, NOBODY, "test", 5_000) is None


def test_an_app_may_do_otherwise_than_the_organisation() -> None:
    directory = decided(Model(retires=date(2026, 1, 1), afterwards="redirect"))
    cautious = App(afterwards={SPEC.endpoint: "serve-cached"})

    over = ended(SPEC, directory, NOBODY, FAL, DEC_1_S)
    assert over is not None
    assert over.afterwards == "redirect"
    over = ended(SPEC, directory, cautious, FAL, DEC_1_S)
    assert over is not None
    assert over.afterwards == "serve-cached"


def test_an_operators_successor_comes_before_that_of_the_file() -> None:
    assert successor(SPEC, decided()) == AFTER
    assert successor(SPEC, decided(Model(successor="acme/easel"))) == "acme/easel"


def test_days_are_counted_to_the_beginning_of_the_day() -> None:
    assert days_left(date(2026, 12, 1), DEC_1_S - 1) == 1
    assert days_left(date(2026, 12, 1), DEC_1_S) == 0
    assert days_left(date(2026, 12, 8), DEC_1_S) == 7
