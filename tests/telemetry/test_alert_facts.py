"""Alerts and the proof of the books in metrics and logs: who, which window, how much."""

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from falgate.core.events import Alerted, AlertFailed
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import Metrics

ALERT = Alerted(
    alert="1763820000123-0", upstream="fal", account="team:web", level="team",
    window="day:2026-11-22", percent=80, limit=10, spent=8,
    what="threshold", held=0,
)  # fmt: skip


def test_an_alert_is_counted_by_level_and_window_and_logged_in_full() -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        Telemetry(metrics, lambda *_: None).alerted(ALERT)

    assert logs == [
        {
            "event": "budget.alert", "log_level": "warning", "alert": "1763820000123-0",
            "upstream": "fal", "account": "team:web", "window": "day:2026-11-22", "percent": 80,
            "limit_micros": 10, "spent_micros": 8, "held_micros": 0,
        }
    ]  # fmt: skip
    line = 'falgate_alerts_total{level="team",upstream="fal",window="day"} 1.0'
    assert line in metrics.render(()).decode()


def test_an_exhausted_balance_is_told_on_and_logged_as_an_error() -> None:
    telemetry = Telemetry(Metrics(), lambda *_: None)
    telemetry.exhausted("fal")
    telemetry.exhausted("fal")
    assert (telemetry.unpaid(), telemetry.unpaid()) == ({"fal"}, set())

    with capture_logs() as logs:
        telemetry.alerted(replace(ALERT, what="balance"))
    assert [(line["event"], line["log_level"], line["upstream"]) for line in logs] == [
        ("upstream.unpaid", "error", "fal")
    ]


@pytest.mark.parametrize(("differences", "level"), [(0, "info"), (2, "error"), (-1, "error")])
def test_books_that_do_not_agree_are_an_error(differences: int, level: str) -> None:
    with capture_logs() as logs:
        Telemetry(Metrics(), lambda *_: None).verified("fal", differences)

    assert logs == [
        {
            "event": "ledger.verified", "log_level": level, "upstream": "fal",
            "differences": differences,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("lost", [False, True])
def test_what_did_not_arrive_is_counted_too(lost: bool) -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        Telemetry(metrics, lambda *_: None).untold(
            AlertFailed(alert="1-0", problem="503", lost=lost)
        )

    assert [(line["event"], line["problem"], line["lost"]) for line in logs] == [
        ("alert.untold", "503", lost)
    ]
    line = f'falgate_alerts_untold_total{{lost="{str(lost).lower()}"}} 1.0'
    assert line in metrics.render(()).decode()
