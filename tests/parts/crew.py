"""The worker processes of a gateway, and clients of each of them."""

import contextlib
from pathlib import Path
from typing import Any

import httpx
from patience import PATIENCE_S
from prometheus_client.parser import text_string_to_metric_families

MODEL = "fal-ai/gpt-image-1.5"
CLIENTS = 12
CLIENTS_EACH = 4

Told = dict[tuple[str, ...], float]


def stat(process_id: int) -> list[str]:
    """What the kernel says of a process, from its state on."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()


def workers_of(gateway: Any) -> list[int]:
    """The workers of a gateway, the one that was started first before the others."""
    found = {}
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, *more = stat(int(each.name))
            if int(parent) == gateway.process.pid and state != "Z":
                found[int(each.name)] = int(more[17])
    return sorted(found, key=lambda process_id: (found[process_id], process_id))


async def all_workers_of(site: Any, gateway: Any, number: int = 2) -> list[int]:
    """The workers of a gateway once all are there: the first answers before the last begins."""

    async def there() -> bool:
        return len(workers_of(gateway)) == number

    await site.until(there)
    return workers_of(gateway)


def gone(process_id: int) -> bool:
    """Whether a process has ended."""
    try:
        return stat(process_id)[0] == "Z"
    except OSError:
        return True


def told(text: str) -> Told:
    """Samples by their names and the values of their labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(client: httpx.AsyncClient) -> Told:
    """The metrics, over a client's own connection."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return told(answer.text)


def own_connection(gateway: Any, key: str) -> httpx.AsyncClient:
    """A client with one connection, and so of one worker."""
    return httpx.AsyncClient(
        base_url=gateway.url,
        headers={"Authorization": f"Key {key}"} if key else {},
        limits=httpx.Limits(max_connections=1),
        timeout=PATIENCE_S,
        trust_env=False,
    )


async def fox(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(f"/{MODEL}", json={"prompt": "canary-wish fox", "quality": "low"})


async def by_worker(
    stack: contextlib.AsyncExitStack, site: Any, gateway: Any, number: int = 2
) -> list[list[httpx.AsyncClient]]:
    """Some clients of each worker, the one that was started first before the others.

    The kernel decides which worker a connection is for.
    """
    found: dict[float, list[httpx.AsyncClient]] = {}
    while len(found) < number or min(map(len, found.values())) < CLIENTS_EACH:
        client = await stack.enter_async_context(own_connection(gateway, await site.key()))
        began_s = (await scraped(client))["process_start_time_seconds",]
        found.setdefault(began_s, []).append(client)
    assert len(found) == number
    return [found[began_s] for began_s in sorted(found)]


def answers(samples: Told, source: str) -> float:
    return samples["falgate_answers_total", "default", MODEL, source, "default"]
