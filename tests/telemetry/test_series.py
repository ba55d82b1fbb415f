"""Series: there from the start at 0, few however many apps there are, and the process's own."""

import asyncio
import time
from itertools import product
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from falgate.accounts.directory import App, Directory, Team
from falgate.core.account import LEVELS
from falgate.core.calendar import KINDS
from falgate.core.events import AnomalyKind, Source
from falgate.telemetry.counts import Histogram
from falgate.telemetry.lag import watch_lag
from falgate.telemetry.metrics import APPS_MAX, ENDS, TEAMS_MAX, Metrics
from falgate.webhooks.delivery import TriedAs

MODELS = ("fal-ai/a", "fal-ai/b")
URL = "https://queue.example/queue"


def samples(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """By name, and then by the values of the labels in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.render(()).decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def zeros(*values: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    return dict.fromkeys(product(*values), 0.0)


def test_what_is_known_beforehand_is_there_at_0_before_anything_happens() -> None:
    found = samples(Metrics(MODELS, ["fal", "test"]))
    upstreams, levels = ("fal", "test"), tuple(LEVELS)

    assert found["falgate_purchases_total"] == zeros(ENDS, upstreams)
    assert found["falgate_pictures_bought_total"] == zeros(upstreams)
    assert found["falgate_anomalies_total"] == zeros(get_args(AnomalyKind))
    assert found["falgate_shadow_refusals_total"] == zeros(levels, upstreams, KINDS)
    assert found["falgate_alerts_total"] == zeros(levels, upstreams, KINDS)
    assert found["falgate_alerts_untold_total"] == zeros(("true", "false"))
    assert found["falgate_webhook_deliveries_total"] == zeros(get_args(TriedAs))
    assert found["falgate_unchecked_requests_total"] == {(): 0.0}
    assert found["falgate_dropped_fields_total"] == zeros(MODELS)
    assert found["falgate_own_seconds_count"] == {(): 0.0}
    assert found["falgate_loop_lag_seconds_count"] == {(): 0.0}


def test_an_app_that_is_known_has_its_series_before_its_first_answer() -> None:
    metrics = Metrics(MODELS, [URL])
    metrics.app("web", "shop")
    found = samples(metrics)

    sources = get_args(Source)
    assert found["falgate_answers_total"] == zeros(("shop",), MODELS, sources, ("web",))
    assert found["falgate_booked_usd_total"] == zeros(("web",), ("other",))
    assert found["falgate_saved_usd_total"] == zeros(("web",), ("other",))


def test_who_is_known_has_series_before_the_first_event_also_beyond_the_first_ones() -> None:
    metrics = Metrics(MODELS, ["fal"])
    number = TEAMS_MAX + 2
    teams = {f"t{index:03}": Team() for index in range(number)}
    metrics.know(Directory(1, teams, {f"{name}/app": App() for name in teams}))
    found = samples(metrics)

    labels = {team for team, _ in found["falgate_booked_usd_total"]}
    assert labels == {*list(teams)[:TEAMS_MAX], "other"}
    assert ("input", "other") in found["falgate_refusals_total"]
    assert ("app", MODELS[0], "miss", "other") in found["falgate_answers_total"]
    assert not any(found["falgate_booked_usd_total"].values())


def test_a_team_without_an_app_has_series_too() -> None:
    metrics = Metrics(MODELS, ["fal"])
    metrics.know(Directory(1, {"nova": Team()}, {}))

    assert samples(metrics)["falgate_booked_usd_total"] == zeros(("nova",), ("fal",))


def test_apps_beyond_the_first_are_counted_together() -> None:
    metrics = Metrics(MODELS, ["fal"])
    for number in range(APPS_MAX + 20):
        for _ in range(2):
            metrics.answers[("fal-ai/a", "hit", *metrics.app(f"t{number % 3}", f"a{number}"))] += 1
    counted = samples(metrics)["falgate_answers_total"]
    apps = {(labels[0], labels[3]) for labels in counted}

    assert len(apps) == APPS_MAX + 3
    assert {team for app, team in apps if app == "other"} == {"t0", "t1", "t2"}
    assert sum(counted.values()) == 2 * (APPS_MAX + 20)


def test_an_app_of_one_team_too_many_is_nobodys() -> None:
    metrics = Metrics(MODELS, ["fal"])
    for number in range(TEAMS_MAX):
        metrics.team(f"t{number}")

    assert metrics.app("late", "shop") == ("other", "shop")


def test_the_process_tells_what_it_costs() -> None:
    found = samples(Metrics())

    for name in (
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ):
        assert found[name][()] > 0


async def test_a_loop_that_was_held_up_is_late() -> None:
    seen = Histogram()
    watching = asyncio.create_task(watch_lag(seen))
    try:
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - that is what holds a loop up
        # Its sleep is over by now, so it is the next one to run.
        await asyncio.sleep(0.01)
    finally:
        watching.cancel()

    assert seen.sum_s > 0.2
