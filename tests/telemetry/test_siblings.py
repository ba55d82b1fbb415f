"""Workers tell what all of them have counted: sums that never fall, whoever is silent or dead."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from falgate.telemetry.metrics import Metrics
from falgate.telemetry.siblings import Siblings


def counting(requests: int, seconds: float) -> Metrics:
    """One worker's metrics, with so many requests that took so long."""
    metrics = Metrics()
    metrics.requests["run", "200"] += requests
    for _ in range(requests):
        metrics.own_seconds.observe(seconds)
    return metrics


async def sums(siblings: Siblings) -> dict[str, float]:
    """Some of what a worker tells of all."""
    counted, workers = await siblings.counts()
    text = Metrics().render((), None, counted, workers).decode()
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    wanted = ("falgate_requests_total", "falgate_own_seconds_sum", "falgate_workers")
    return {each.name: each.value for each in samples if each.name in wanted} | {
        "below 10 ms": sum(
            each.value
            for each in samples
            if each.name == "falgate_own_seconds_bucket" and each.labels["le"] == "0.01"
        )
    }


async def test_counters_and_durations_add_up(tmp_path: Path) -> None:
    first, second = (Siblings(tmp_path, number, 2) for number in range(2))
    async with first.answering(counting(3, 0.5)), second.answering(counting(4, 0.004)):
        both = [await sums(each) for each in (first, second)]

    assert both[0] == both[1]
    assert both[0] == {
        "falgate_requests_total": 7,
        "falgate_own_seconds_sum": pytest.approx(1.516),
        "falgate_workers": 2,
        "below 10 ms": 4,
    }


async def test_what_another_has_in_batches_is_counted_before_it_tells(tmp_path: Path) -> None:
    metrics = counting(1, 0.5)

    def add() -> None:
        metrics.requests["run", "200"] += 10

    metrics.before_scrape.append(add)
    first, second = (Siblings(tmp_path, number, 2) for number in range(2))
    async with first.answering(counting(0, 0)), second.answering(metrics):
        assert (await sums(first))["falgate_requests_total"] == 11


async def test_what_a_silent_one_last_told_is_told_for_it_and_its_replacement_goes_on_from_there(
    tmp_path: Path,
) -> None:
    first, second = (Siblings(tmp_path, number, 2) for number in range(2))
    async with first.answering(counting(3, 0.5)):
        async with second.answering(counting(4, 0.004)):
            told = await sums(first)
        with capture_logs() as logged:
            silent = await sums(first)
        replacement = Siblings(tmp_path, 1, 2)
        async with replacement.answering(counting(0, 0)):
            replaced = await sums(first)

    assert told == replaced
    assert silent == {**told, "falgate_workers": 1}
    assert logged == [{"event": "workers.silent", "log_level": "warning", "workers": [1]}]


async def test_one_that_never_told_anything_is_left_out(tmp_path: Path) -> None:
    only = Siblings(tmp_path, 0, 3)
    async with only.answering(counting(3, 0.5)):
        assert (await sums(only))["falgate_requests_total"] == 3


async def test_a_file_that_cannot_be_read_or_written_takes_nothing_from_the_answer(
    tmp_path: Path,
) -> None:
    (tmp_path / "0.counts").mkdir()
    (tmp_path / "1.counts").write_bytes(b"junk")
    first = Siblings(tmp_path, 0, 2)
    async with first.answering(counting(3, 0.5)):
        assert (await sums(first))["falgate_requests_total"] == 3
