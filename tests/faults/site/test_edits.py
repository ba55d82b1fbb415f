"""Edits while things break: inputs outlive an instance, and nothing is bought without them."""

import asyncio
import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from falgate.accounts.store.registry import Registry
from falgate.redis import picture_keys

EDIT = "openai/gpt-image-2/edit"
TAKEN: dict[str, Any] = {"at": "accepted", "fault": "dropped", "times": 1}


def inline(colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


async def edit(site: Any, gateway: Any, wish: str = "an edit", *colours: str) -> httpx.Response:
    """Ask for an edit of pictures of these colours."""
    urls = [inline(colour) for colour in colours or ("red",)]
    answer: httpx.Response = await site.ask(gateway, wish, model=EDIT, image_urls=urls)
    return answer


async def one_waits(site: Any, gateway: Any) -> tuple[asyncio.Task[Any], asyncio.Task[Any]]:
    """Make a request that fal is held up with, and an edit that waits for its turn after it."""
    site.sandbox.hold()
    first = asyncio.create_task(site.ask(gateway, "the one before"))
    await site.visited("status/stream")
    waiting = asyncio.create_task(edit(site, gateway))
    await site.reached("accepted", "reserved")
    return first, waiting


async def test_instances_share_one_purchase_and_one_upload(site: Any) -> None:
    gateways = [await site.start(lease_s=60) for _ in range(2)]
    answers = await asyncio.gather(*(edit(site, each) for each in gateways * 4))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text.partition("/pictures/")[2] for answer in answers}) == 1
    audit = await site.audit()
    assert (audit.submits, audit.outcomes, audit.spent) == (1, {"paid": 1}, audit.billed)
    assert site.sandbox.books()["visits"]["upload"] == 1


async def test_an_edit_that_waits_for_its_turn_is_carried_on_with_its_inputs(site: Any) -> None:
    dying = await site.start(upstream_concurrency=1)
    first, waiting = await one_waits(site, dying)
    dying.end()
    for call in (first, waiting):
        await site.broken(call)

    living = await site.start(upstream_concurrency=1)
    asked = asyncio.create_task(edit(site, living))
    site.sandbox.let_go()
    answer = await asked

    assert answer.status_code == 200, answer.text
    audit = await site.audit()
    assert (audit.submits, audit.spent) == (2, audit.billed)


async def test_what_fals_storage_does_not_take_is_not_bought_and_not_held(
    site: Any, closed_port_url: str
) -> None:
    away = closed_port_url.replace("redis://", "http://")
    broken = await site.start(upstream_storage_url=away)
    refused = await edit(site, broken)

    assert refused.status_code == 503
    assert "could not be uploaded to fal; nothing was bought" in refused.json()["detail"]
    assert await site.booked() == (0, 0)
    assert site.sandbox.books()["submits"] == []
    mended = await site.start()
    assert (await edit(site, mended)).status_code == 200


async def test_a_storage_that_answers_with_an_error_costs_nothing_on_any_instance(
    site: Any,
) -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(fail, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gateways = [await site.start(upstream_storage_url=url) for _ in range(2)]
        answers = await asyncio.gather(*(edit(site, each) for each in gateways * 2))

    assert {answer.status_code for answer in answers} == {503}
    assert await site.booked() == (0, 0)
    assert site.sandbox.books()["submits"] == []


@pytest.mark.parametrize("listed", [True, False], ids=["in fal's list", "nowhere"])
async def test_a_lost_submit_of_an_edit_is_found_by_its_inputs(site: Any, *, listed: bool) -> None:
    site.settings |= {"fal_admin_key": "id:admin", "platform_url": f"{site.sandbox.url}/v1"}
    gateway = await site.start(unknown_after_s=600 if listed else 1)
    site.sandbox.turn(**(TAKEN if listed else TAKEN | {"unlisted": True}))

    assert (await edit(site, gateway)).status_code == 504
    if listed:
        await site.reached("finished")
        assert (await edit(site, gateway)).headers["x-falgate-cache"] == "hit"
    else:
        await site.reached("unknown")
    audit = await site.audit()
    assert audit.submits == 1
    assert audit.outcomes == ({"paid": 1} if listed else {"unknown": 1})


async def test_inputs_that_are_gone_end_a_purchase_before_it_is_sent(site: Any) -> None:
    """An operator emptied the store, for example."""
    gateway = await site.start(upstream_concurrency=1)
    first, waiting = await one_waits(site, gateway)
    (kept,) = list((site.media / "inputs").rglob("*.png"))
    kept.unlink()
    site.sandbox.let_go()
    answer = await waiting

    assert (await first).status_code == 200
    assert answer.status_code == 503
    assert "not stored any more; send it again" in answer.json()["detail"]
    assert (await site.audit()).submits == 1
    assert (await edit(site, gateway)).status_code == 200


async def test_inputs_go_with_their_app(site: Any) -> None:
    gateway = await site.start(lease_s=60)
    assert (await edit(site, gateway)).status_code == 200
    registry, name = Registry(site.redis), "default/default"
    app = (await registry.directory()).apps[name]
    assert await registry.put_app(name, app, None, "test")
    await site.redis.zadd(picture_keys.inputs(name), {"x": 1}, xx=True)

    assert [each.name for each in (site.media / "inputs").rglob("*.png")] != []
    again = await site.start(lease_s=60)  # it sweeps at once
    del again

    async def swept() -> bool:
        return not list((site.media / "inputs").rglob("*.png"))

    await site.until(swept)
    assert await registry.put_app(name, None, app, "test")
