"""Series of teams and apps that are made while a gateway runs: there before their first event."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from falgate.accounts.directory import Team
from falgate.accounts.store.registry import Registry


async def counted(client: httpx.AsyncClient, team: str) -> dict[str, set[float]]:
    """What there is of a team, and in which numbers."""
    found: dict[str, set[float]] = {}
    for family in text_string_to_metric_families((await client.get("/metrics")).text):
        for sample in family.samples:
            if family.type == "counter" and sample.labels.get("team") == team:
                found.setdefault(sample.name, set()).add(sample.value)
    return found


@pytest.fixture(scope="module")
def served(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One of its own: no more than fifty teams have series."""
    with serve(tmp_path_factory.mktemp("served")) as served:
        yield served


async def test_a_team_and_its_app_have_their_series_as_soon_as_they_are_made(served: Any) -> None:
    async with served.admin() as admin, served.client() as client:
        for path, name in (("/teams", "new"), ("/teams/new/apps", "app")):
            assert (await admin.post(path, json={"name": name})).status_code == 201

        assert await counted(client, "new") == {
            name: {0.0}
            for name in (
                "falgate_answers_total",
                "falgate_booked_usd_total",
                "falgate_refusals_total",
                "falgate_saved_usd_total",
            )
        }


async def test_so_has_one_that_a_command_made(served: Any) -> None:
    redis = served.redis()
    await Registry(redis).put_team("nova", None, Team(), "a command")
    await redis.aclose()

    async with served.client() as client:
        assert (await counted(client, "nova"))["falgate_refusals_total"] == {0.0}
