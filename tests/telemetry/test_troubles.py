"""Troubles: each is counted, and of each kind of error one a minute is written down."""

from structlog.testing import capture_logs

from falgate.telemetry.metrics import Metrics
from falgate.telemetry.troubles import Troubles


def test_one_a_minute_of_each_kind_and_place_is_logged_and_all_are_counted() -> None:
    now_s = 0.0
    troubles = Troubles(lambda: now_s)
    metrics = Metrics(troubles=troubles.counted)
    fal, store = troubles.noter("fal"), troubles.noter("store")
    with capture_logs() as logs:
        for _ in range(3):
            fal("ClientConnectorDNSError: no such name")
        fal("TimeoutError")
        store("TimeoutError")
        now_s = 59.0
        fal("ClientConnectorDNSError: no such name")
        now_s = 60.0
        fal("ClientConnectorDNSError: another name")

    assert [(line["place"], line["error"], line["untold"]) for line in logs] == [
        ("fal", "ClientConnectorDNSError: no such name", 0),
        ("fal", "TimeoutError", 0),
        ("store", "TimeoutError", 0),
        ("fal", "ClientConnectorDNSError: another name", 3),
    ]
    assert {line["log_level"] for line in logs} == {"warning"}
    text = metrics.render(()).decode()
    assert 'falgate_troubles_total{place="fal"} 6.0' in text
    assert 'falgate_troubles_total{place="store"} 1.0' in text


def test_kinds_without_end_need_no_memory_without_end() -> None:
    troubles = Troubles(lambda: 0.0)
    note = troubles.noter("fal")
    with capture_logs() as logs:
        for number in range(1_000):
            note(f"Error{number}")
        note("Error999")

    assert len(logs) == 1_000
