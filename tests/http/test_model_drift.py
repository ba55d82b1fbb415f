"""A gateway that finds out that fal changed a model: it sells no more of it, and says so."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from easel import ENDPOINT, document, files, inputs
from patience import PATIENCE_S
from publishing import publishing


@pytest.fixture
def gateway(serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path) -> Iterator[Any]:
    """A gateway that serves the easel, of which fal says something else by now."""
    models = tmp_path / "models"
    models.mkdir()
    text, data = files()
    (models / "easel.toml").write_text(text)
    (models / "easel.json").write_bytes(data)
    with publishing() as fal:
        fal.documents[ENDPOINT] = document()
        inputs(fal.documents[ENDPOINT])["quality"]["default"] = "low"
        settings = {
            "models_dir": str(models),
            "openapi_url": fal.url,
            # Nothing is bought there: nobody listens.
            "upstream_url": "http://127.0.0.1:9/queue",
            "fal_key": "id:secret",
        }
        with serve(tmp_path, **settings) as served:
            yield served


async def drift_of(admin: Any) -> Any:
    """Return the status once it tells of a model that was changed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = (await admin.get("/status")).json()
            if status["drift"]:
                return status
            await asyncio.sleep(0.05)


async def test_what_fal_changed_is_not_bought_until_an_operator_has_looked(gateway: Any) -> None:
    async with gateway.client() as client, gateway.admin() as admin:
        status = await drift_of(admin)
        refused = await client.post(f"/{ENDPOINT}", json={"prompt": "a fox"})
        metrics = (await client.get("/metrics")).text
        resumed = await admin.delete(f"/stops/model:{ENDPOINT.replace('/', ':')}")
        again = await client.post(f"/{ENDPOINT}", json={"prompt": "a fox"})

    change = 'input.quality.default: "high" is now "low"'
    assert status["drift"] == [{"model": ENDPOINT, "changed": True, "differences": [change]}]
    assert [stop["subject"] for stop in status["stops"]] == [f"model:{ENDPOINT}"]
    assert refused.status_code == 402
    assert "fal changed this model" in refused.text
    assert re.search(rf'^falgate_model_drift{{model="{ENDPOINT}"}} 2', metrics, re.MULTILINE)
    assert re.search(r'^falgate_anomalies_total{what="model_changed"} 1', metrics, re.MULTILINE)
    assert resumed.is_success
    assert again.status_code == 503  # fal cannot be reached, but it was tried
