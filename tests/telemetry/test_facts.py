"""Facts as numbers and lines: each counted where it belongs, under labels from closed sets."""

from datetime import UTC
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from falgate.core.budget import ORGANISATION, Position, windows
from falgate.core.events import Answered, Doubted, Purchased
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import SECONDS, TEAMS_MAX, Metrics, Standing

MODEL = "fal-ai/gpt-image-1.5"
ANSWERED = Answered(
    request_id="r",
    model=MODEL,
    upstream="fal",
    team="t",
    app="a",
    key="k",
    job="j",
    source="hit",
    pictures=1,
    billed=0,
    saved=9_000,
    took_s=31.5,
    waited_s=31.25,
)
PURCHASED = Purchased(
    job="j",
    fal_request_id="f",
    model=MODEL,
    upstream="fal",
    team="t",
    outcome="paid",
    pictures=2,
    charged=18_000,
    overrun=0,
    upstream_s=31.0,
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def telemetry(metrics: Metrics) -> Telemetry:
    return Telemetry(metrics)


def samples(metrics: Metrics, *standings: Standing) -> dict[tuple[Any, ...], float]:
    """Every sample, by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render(standings).decode())
        for sample in family.samples
    }


def test_waiting_for_fal_is_not_time_of_our_own(telemetry: Telemetry, metrics: Metrics) -> None:
    telemetry.answered(ANSWERED)
    telemetry.answered(replace(ANSWERED, took_s=1.0, waited_s=1.1))  # two clocks, read apart
    found = samples(metrics)

    assert found["falgate_own_seconds_count",] == 2
    assert found["falgate_own_seconds_sum",] == 0.25
    assert found["falgate_own_seconds_bucket", "0.001"] == 1
    assert found["falgate_own_seconds_bucket", "0.1"] == 1
    assert found["falgate_own_seconds_bucket", "0.5"] == 2


def test_a_bucket_holds_all_that_is_not_longer(metrics: Metrics) -> None:
    for bound in SECONDS:
        metrics.upstream_seconds.observe(bound)
    metrics.upstream_seconds.observe(SECONDS[-1] * 2)
    found = samples(metrics)

    for number, bound in enumerate(SECONDS, 1):
        assert found["falgate_upstream_seconds_bucket", str(bound)] == number
    assert found["falgate_upstream_seconds_bucket", "+Inf"] == len(SECONDS) + 1


def test_money_is_counted_per_upstream_and_team(telemetry: Telemetry, metrics: Metrics) -> None:
    for team in ("red", "blue", "red"):
        telemetry.answered(replace(ANSWERED, team=team))
        telemetry.purchased(replace(PURCHASED, team=team))
    telemetry.purchased(replace(PURCHASED, upstream="test", outcome="released", charged=0))
    found = samples(metrics)

    assert found["falgate_saved_micros_total", "red", "fal"] == 18_000
    assert found["falgate_billed_micros_total", "red", "fal"] == 36_000
    assert found["falgate_billed_micros_total", "blue", "fal"] == 18_000
    assert found["falgate_billed_micros_total", "t", "test"] == 0
    assert found["falgate_purchases_total", "paid", "fal"] == 3
    assert found["falgate_purchases_total", "released", "test"] == 1
    assert found["falgate_pictures_bought_total", "fal"] == 6


def test_a_job_that_never_reached_fal_took_no_time_there(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    telemetry.purchased(replace(PURCHASED, upstream_s=None))

    assert samples(metrics)["falgate_upstream_seconds_count",] == 0


def test_teams_beyond_the_first_are_counted_together(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    teams = [f"team {number}" for number in range(TEAMS_MAX + 10)]
    for team in (*teams, *teams):
        telemetry.answered(replace(ANSWERED, team=team))
    found = {
        team: number
        for (name, *labels), number in samples(metrics).items()
        if name == "falgate_saved_micros_total"
        for team in labels[:1]
    }

    assert len(found) == TEAMS_MAX + 1
    assert found["team 0"] == 2 * 9_000
    assert found["other"] == 10 * 2 * 9_000
    assert sum(found.values()) == len(teams) * 2 * 9_000


@pytest.mark.parametrize("team", ['quo"te', "line\nbreak", "back\\slash", "", "\u202e", "x" * 300])
def test_a_teams_name_cannot_forge_a_sample(
    telemetry: Telemetry, metrics: Metrics, team: str
) -> None:
    telemetry.answered(replace(ANSWERED, team=team))

    assert samples(metrics)["falgate_saved_micros_total", team, "fal"] == 9_000


def test_doubts_dropped_fields_and_requests_are_counted_by_kind(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    telemetry.doubted(Doubted(what="lost_result", job="j", detail="d"))
    telemetry.dropped(MODEL, 3)
    telemetry.dropped(MODEL, 2)
    telemetry.requested("run", 200)
    telemetry.requested("run", 503)
    found = samples(metrics)

    assert found["falgate_doubts_total", "lost_result"] == 1
    assert found["falgate_dropped_fields_total", MODEL] == 5
    assert found["falgate_requests_total", "run", "200"] == 1
    assert found["falgate_requests_total", "run", "503"] == 1


def test_where_the_money_stands_is_shown_and_no_limit_is_no_sample(metrics: Metrics) -> None:
    day, total = [
        Position(account=ORGANISATION, window=window, limit=limit, spent=5, held=7)
        for window, limit in zip(windows(0, UTC), (10, None), strict=True)
    ]
    standing = Standing(upstream="fal", positions=(day, total), house=(100, 1), open_jobs=2)
    found = samples(metrics, standing)

    assert found["falgate_limit_micros", "organisation", "fal", "day"] == 10
    assert ("falgate_limit_micros", "organisation", "fal", "total") not in found
    assert found["falgate_spent_micros", "organisation", "fal", "total"] == 5
    assert found["falgate_held_micros", "organisation", "fal", "day"] == 7
    assert found["falgate_house_micros", "fal", "limit"] == 100
    assert found["falgate_house_micros", "fal", "overrun"] == 1
    assert found["falgate_jobs_open", "fal"] == 2


def test_what_was_read_once_is_not_shown_for_ever(metrics: Metrics) -> None:
    standing = Standing(upstream="fal", positions=(), house=(100, 1), open_jobs=2)

    assert ("falgate_jobs_open", "fal") in samples(metrics, standing)
    assert ("falgate_jobs_open", "fal") not in samples(metrics)
