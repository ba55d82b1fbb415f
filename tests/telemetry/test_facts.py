"""Facts as numbers and lines: each counted where it belongs, under labels from closed sets."""

from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from falgate.core.account import LEVELS, Account
from falgate.core.calendar import KINDS
from falgate.core.events import Anomaly, AnomalyKind, Answered, Overdrawn, Purchased
from falgate.telemetry.counts import SECONDS
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import TEAMS_MAX, Metrics

MODEL = "fal-ai/gpt-image-1.5"
ANSWERED = Answered(
    quality="low",
    fingerprint="",
    route="run",
    request_id="r",
    model=MODEL,
    upstream="fal",
    team="t",
    app="a",
    key="k",
    job="j",
    source="hit",
    pictures=1,
    reused=1,
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
def tallied() -> list[Answered]:
    """What was told to the reports of usage."""
    return []


@pytest.fixture
def telemetry(metrics: Metrics, tallied: list[Answered]) -> Telemetry:
    return Telemetry(metrics, lambda event, _: tallied.append(event))


def samples(metrics: Metrics) -> dict[tuple[Any, ...], float]:
    """Every sample, by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render(()).decode())
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

    assert found["falgate_saved_usd_total", "red", "fal"] == 0.018
    assert found["falgate_booked_usd_total", "red", "fal"] == 0.036
    assert found["falgate_booked_usd_total", "blue", "fal"] == 0.018
    assert found["falgate_booked_usd_total", "t", "test"] == 0
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
        if name == "falgate_saved_usd_total"
        for team in labels[:1]
    }

    assert len(found) == TEAMS_MAX + 1
    assert found["team 0"] == 0.018
    assert found["other"] == 0.18
    assert sum(found.values()) == pytest.approx(len(teams) * 0.018)


@pytest.mark.parametrize("team", ['quo"te', "line\nbreak", "back\\slash", "", "\u202e", "x" * 300])
def test_a_teams_name_cannot_forge_a_sample(
    telemetry: Telemetry, metrics: Metrics, team: str
) -> None:
    telemetry.answered(replace(ANSWERED, team=team))

    assert samples(metrics)["falgate_saved_usd_total", team, "fal"] == 0.009


def test_anomalies_dropped_fields_and_requests_are_counted_by_kind(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    telemetry.anomaly(Anomaly(what="lost_result", job="j", detail="d"))
    telemetry.dropped(MODEL, 3)
    telemetry.dropped(MODEL, 2)
    telemetry.requested("run", 200)
    telemetry.requested("run", 503)
    found = samples(metrics)

    assert found["falgate_anomalies_total", "lost_result"] == 1
    assert found["falgate_dropped_fields_total", MODEL] == 5
    assert found["falgate_requests_total", "run", "200"] == 1
    assert found["falgate_requests_total", "run", "503"] == 1


def test_an_anomaly_of_the_account_is_logged_once_a_minute_and_always_counted(
    metrics: Metrics,
) -> None:
    now_s = 0.0
    telemetry = Telemetry(metrics, lambda *_: None, lambda: now_s)
    account: list[AnomalyKind] = ["exhausted_balance", "bad_upstream_key", "no_upstream_access"]
    with capture_logs() as logs:
        for _ in range(3):
            for what in account:
                telemetry.anomaly(Anomaly(what=what, job="j", detail="User is locked."))
            telemetry.anomaly(Anomaly(what="lost_result", job="j", detail="d"))
        now_s = 60.0
        telemetry.anomaly(Anomaly(what=account[0], job="j", detail="User is locked."))
    found = samples(metrics)

    lines = [(line["what"], line.get("untold", 0)) for line in logs]
    assert lines == [
        *((what, 0) for what in account),
        *[("lost_result", 0)] * 3,
        ("exhausted_balance", 2),
    ]
    assert found["falgate_anomalies_total", "exhausted_balance"] == 4


def test_every_answer_is_tallied_as_it_was(
    telemetry: Telemetry, metrics: Metrics, tallied: list[Answered]
) -> None:
    answers = [ANSWERED, replace(ANSWERED, source="miss", reused=0, saved=0)]
    for answer in answers:
        telemetry.answered(answer)
    telemetry.purchased(PURCHASED)

    assert tallied == answers
    assert samples(metrics)["falgate_answers_total", "a", MODEL, "miss", "t"] == 1


def test_what_a_shadow_budget_would_refuse_is_counted_by_level_and_window(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    """And not by account: those are the operator's to name, and there may be many."""
    with capture_logs() as logs:
        for id_ in ("web", "back"):
            telemetry.overdrawn("fal", Overdrawn(Account("team", id_), "day"))
        telemetry.overdrawn("test", Overdrawn(Account("key", "k1"), "month"))
    found = {
        labels: value
        for labels, value in samples(metrics).items()
        if labels[0] == "falgate_shadow_refusals_total"
    }

    assert found == {
        ("falgate_shadow_refusals_total", "team", "fal", "day"): 2,
        ("falgate_shadow_refusals_total", "key", "test", "month"): 1,
    }
    assert [line["account"] for line in logs] == ["team:web", "team:back", "key:k1"]
    assert {(line["event"], line["log_level"]) for line in logs} == {
        ("budget.overdrawn", "warning")
    }


def test_shadow_refusals_have_no_more_series_than_levels_and_windows(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    for number in range(30):
        for level in LEVELS:
            for kind in KINDS:
                telemetry.overdrawn("fal", Overdrawn(Account(level, f"a{number}"), kind))

    assert len(metrics.overdrawn) == len(LEVELS) * len(KINDS)


def test_a_request_whose_rate_was_not_looked_up_is_counted(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    assert samples(metrics)["falgate_unchecked_requests_total",] == 0
    telemetry.unchecked()
    telemetry.unchecked()

    assert samples(metrics)["falgate_unchecked_requests_total",] == 2


def test_the_labels_of_teams_are_shared_by_all_that_is_counted_of_them(
    telemetry: Telemetry, metrics: Metrics
) -> None:
    """A team beyond the first ones is `other` everywhere."""
    for number in range(TEAMS_MAX):
        telemetry.answered(replace(ANSWERED, team=f"team {number}"))
    telemetry.purchased(replace(PURCHASED, team="late"))
    found = samples(metrics)

    assert found["falgate_booked_usd_total", "other", "fal"] == PURCHASED.charged / 1e6
    assert ("falgate_booked_usd_total", "late", "fal") not in found
