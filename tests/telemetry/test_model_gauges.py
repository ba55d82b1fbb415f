"""Gauges about models: until when they are there, and since when they are gone."""

from datetime import date

from prometheus_client.core import Metric

from falgate.accounts.directory import Directory, Gone, Model, gone_name
from falgate.telemetry.gauges import gone, retirements

DEC_1_S, DEC_2_S, DAY = 1_796_083_200, 1_796_169_600, date(2026, 12, 1)


def samples(family: Metric) -> dict[tuple[str, ...], float]:
    return {tuple(each.labels.values()): each.value for each in family.samples}


def test_an_operators_day_takes_the_place_of_the_files() -> None:
    models = {
        "acme/a": Model(retires=date(2026, 12, 2)),
        "acme/b": Model(successor="acme/a"),
        "acme/c": Model(retires=DAY),
    }
    known = Directory(1, {}, {}, models=models)

    assert samples(retirements({"acme/a": DAY, "acme/b": DAY}, known)) == {
        ("acme/a",): DEC_2_S,
        ("acme/b",): DEC_1_S,
        ("acme/c",): DEC_1_S,
    }


def test_each_upstream_says_for_itself_what_is_gone() -> None:
    noted = {
        gone_name("fal", "acme/a"): Gone(since_s=5, seen_s=7),
        gone_name("https://other.example/queue", "acme/a"): Gone(since_s=6, seen_s=7),
    }

    assert samples(gone(Directory(1, {}, {}, gone=noted))) == {
        ("fal", "acme/a"): 5,
        ("other", "acme/a"): 6,
    }
