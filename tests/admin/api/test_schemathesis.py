"""Whatever is sent to the administration, it answers as its OpenAPI document says; never 5xx."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from patience import PATIENCE_S
from schemathesis.checks import positive_data_acceptance

METHODS = {"GET": 19, "POST": 18, "PATCH": 3, "PUT": 3, "DELETE": 4}
"""How many operations there are at least: a document that lost some would prove nothing."""

thorough = settings(
    max_examples=settings().max_examples // 5,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operated(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway that nobody else needs as it was."""
    with serve(tmp_path_factory.mktemp("operated")) as gateway:
        yield gateway


@pytest.fixture
def known(operated: Any, enqueue: Callable[..., None]) -> dict[str, str]:
    """What the paths may name, of a gateway that has it."""
    headers = {"Authorization": f"Key {operated.admin_key}"}
    with httpx.Client(
        base_url=f"{operated.url}/admin/v1", headers=headers, trust_env=False, timeout=PATIENCE_S
    ) as client:
        client.post("/teams", json={"name": "web"})
        client.post("/teams/web/apps", json={"name": "shop"})
        client.put("/budgets/team:web/day", json={"limit_usd": "5"}).raise_for_status()
        made = client.post("/keys", json={"team": "web", "app": "shop"}).raise_for_status()
        operator = client.post("/operators", json={"role": "viewer", "name": "ann"}).json()
        bought = httpx.post(
            f"{operated.url}/fal-ai/gpt-image-1.5",
            json={"prompt": "a cat", "quality": "low"},
            headers={"Authorization": f"Key {operated.key}"},
            timeout=PATIENCE_S,
        ).raise_for_status()
        (pool,) = client.post("/cache/pools/find", json={"prompt": "a cat"}).json()
    enqueue(operated.redis_url, "request-1", "http://127.0.0.1:1/told")
    return {
        "request_id": "request-1",
        "fingerprint": pool["fingerprint"],
        "name": bought.json()["images"][0]["file_name"],
        "model_name": "openai:gpt-image-2",
        "team": "web",
        "app": "shop",
        "account_name": "team:web",
        "window": "day",
        "subject_name": "team:web",
        "key_id": made.json()["record"]["id"],
        "operator_id": operator["record"]["id"],
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_answer_is_documented(method: str, operated: Any, known: dict[str, str]) -> None:
    """Each case is sent as it was made, and once more about something that there is."""
    headers = {"Authorization": f"Key {operated.admin_key}"}
    document = schemathesis.openapi.from_url(f"{operated.url}/docs/openapi.json")
    chosen = document.include(path_regex="^/admin/v1/", method=method)
    operations: list[Any] = [
        each.ok() for each in chosen.get_all_operations() if hasattr(each, "ok")
    ]
    assert len(operations) >= METHODS[method]

    def send(case: Any) -> None:
        # A document cannot say which names are taken, or which amounts are a billion dollars.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    for operation in operations:

        @thorough
        @given(case=operation.as_strategy())
        def probe(case: Any) -> None:
            send(case)
            if case.path_parameters:
                for name in case.path_parameters:
                    case.path_parameters[name] = known.get(name, case.path_parameters[name])
                send(case)

        probe()
