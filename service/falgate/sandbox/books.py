"""The record of every submit and fetch, against which tests check a gateway's ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from falgate.models.spec import ModelSpec
from falgate.sandbox import outcome
from falgate.sandbox.behaviour import Place
from falgate.sandbox.record import Record, life


class Visits:
    """Request counts per route, of this process."""

    def __init__(self) -> None:
        self.routes: Counter[str] = Counter()
        self._faults: Counter[tuple[str, Place]] = Counter()

    def fault_due(self, record: Record, place: Place) -> bool:
        """Return whether the current response at this place is to be damaged."""
        behaviour = record.behaviour
        if behaviour.fault is None or behaviour.at != place:
            return False
        self._faults[record.id, place] += 1
        return behaviour.faults is None or self._faults[record.id, place] <= behaviour.faults

    def clear(self) -> None:
        """Reset the counts."""
        self.routes.clear()
        self._faults.clear()


def view(
    records: Iterable[Record], models: Mapping[str, ModelSpec], visits: Visits, now_s: float
) -> dict[str, Any]:
    """Return the records as they stand at a time."""
    submits = [_entry(record, models.get(record.endpoint), now_s) for record in records]
    return {
        "submits": submits,
        "accepted": sum(entry["accepted"] for entry in submits),
        "billed_micros": sum(entry["billed_micros"] for entry in submits),
        "visits": dict(visits.routes),
    }


def _entry(record: Record, spec: ModelSpec | None, now_s: float) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "request_id": record.id,
        "model": record.endpoint,
        "submitted_s": record.submitted_s,
        "accepted": record.accepted,
        "sync": record.sync,
        "input": record.received,
        "headers": record.headers,
        "webhook": record.webhook,
        "cancelled_s": record.cancelled_s,
        "ended_s": record.ended_s,
        "dials": msgspec.to_builtins(record.behaviour),
        "state": None,
        "ending": None,
        "delivered": 0,
        "billed_micros": 0,
    }
    if not record.accepted or spec is None:
        return entry
    course = life(record)
    entry["state"] = course.status(now_s)
    if entry["state"] == "COMPLETED":
        entry["ending"] = course.ending
        entry["delivered"] = outcome.delivered(record, spec)
        entry["billed_micros"] = outcome.billed(record, spec, now_s)
    return entry
