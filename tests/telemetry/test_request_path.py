"""The path of a request: the steps that are known to have happened, in their order."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from falgate.jobs.job import Job, Order, State
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.request_path import JobSteps, path

ENTRY = LoggedRequest(
    id="r", at_ms=900, outcome="miss", route="run", status=200, team="t", app="p", key="k",
    model="m", upstream="fal", took_ms=850, job="a", leads=True,
)  # fmt: skip
STEPS = JobSteps(
    began_ms=100, slot_ms=200, submitted_ms=300, accepted_ms=400, settled_ms=500, finished_ms=600
)


def job(order: Order, state: State) -> Job:
    return Job(order=order, accounts=(), state=state, owner="o", epoch=1, windows=(), began_ms=100)


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        ("finished", [("paid", 500), ("banked", 600)]),
        ("paid", [("paid", 500)]),
        ("refused", [("refused", 500)]),
        ("released", [("released", 500)]),
        ("unknown", [("unknown", 500)]),
        ("accepted", []),
    ],
)
def test_a_job_s_steps_end_as_it_did(
    state: State, ends: list[tuple[str, int]], order: Callable[..., Order]
) -> None:
    found: Any = [(each.name, each.at_ms) for each in path(ENTRY, None, job(order(), state), STEPS)]

    assert found == [
        ("received", 50), ("looked_up", 0), ("held", 100), ("waited", 200), ("submitted", 300),
        ("accepted", 400), *ends, ("answered", 900),
    ]  # fmt: skip


def test_who_was_refused_with_its_job_has_the_job_s_steps(order: Callable[..., Order]) -> None:
    refused = msgspec.structs.replace(ENTRY, outcome="refused", leads=False)

    found = [each.name for each in path(refused, None, job(order(), "refused"), STEPS)]

    assert found[2:4] == ["joined", "held"]
    assert found[-2:] == ["refused", "failed"]
    assert [each.name for each in path(refused, None, None, JobSteps())] == ["received", "failed"]
