"""Webhooks in metrics and logs: what came of each attempt, and no more of where than its host."""

from typing import get_args

import pytest
from structlog.testing import capture_logs

from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import Metrics
from falgate.webhooks.delivery import TriedAs, WebhookAttempted


@pytest.mark.parametrize("outcome", get_args(TriedAs))
def test_an_attempt_is_counted_by_its_outcome_and_logged(outcome: TriedAs) -> None:
    metrics = Metrics()
    tried = WebhookAttempted(
        request_id="r", subject="web/shop", target="https://hooks.example", outcome=outcome,
        attempt=2, said="503", took_s=0.01234,
    )  # fmt: skip
    with capture_logs() as logs:
        Telemetry(metrics, lambda *_: None).tried(tried)

    level = "info" if outcome == "delivered" else "warning"
    assert logs == [
        {
            "event": "webhook.tried", "log_level": level, "request": "r", "team": "web",
            "app": "shop", "target": "https://hooks.example", "outcome": outcome, "attempt": 2,
            "said": "503", "took_ms": 12.3,
        }
    ]  # fmt: skip
    line = f'falgate_webhook_deliveries_total{{outcome="{outcome}"}} 1.0'
    assert line in metrics.render(()).decode()
