"""Series of teams and apps that are made while a gateway runs: there before their first event."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from falgate.core.directory import Team
from falgate.store.registry import Registry


async def counted(client: httpx.AsyncClient, team: str) -> dict[str, set[float]]:
    """What there is of a team, and in which numbers."""
    found: dict[str, set[float]] = {}
    for family in text_string_to_metric_families((await client.get("/metrics")).text):
        for sample in family.samples:
            if family.type == "counter" and sample.labels.get("team") == team:
                found.setdefault(sample.name, set()).add(sample.value)
    return found


async def test_a_team_and_its_app_have_their_series_as_soon_as_they_are_made(
    managed: Any, team: str
) -> None:
    async with managed.client() as client:
        assert await counted(client, team) == {
            name: {0.0}
            for name in (
                "falgate_answers_total",
                "falgate_booked_usd_total",
                "falgate_refusals_total",
                "falgate_saved_usd_total",
            )
        }


async def test_so_has_one_that_a_command_made(managed: Any) -> None:
    redis = managed.redis()
    await Registry(redis).put_team("nova", None, Team(), "a command")
    await redis.aclose()

    async with managed.client() as client:
        assert (await counted(client, "nova"))["falgate_refusals_total"] == {0.0}
