"""What is done to a picture of the gallery: pin, reject, buy again, forget; each confirmed."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from falgate.console.api import Refused
from falgate.console.page import OnPage, Page
from falgate.console.words import usd
from falgate.core.change import check_why


@post("/gallery/{file_name:str}/pin", status_code=200)
async def pin(page: OnPage, file_name: FromPath[str]) -> Response[Any]:
    """Pin a picture."""
    return await _act(
        page,
        file_name,
        "pin",
        title="Pin the picture",
        action="Pin it",
        says=["It never expires and is never evicted, until somebody unpins or rejects it."],
        notice="The picture is pinned.",
    )


@post("/gallery/{file_name:str}/unpin", status_code=200)
async def unpin(page: OnPage, file_name: FromPath[str]) -> Response[Any]:
    """Unpin a picture."""
    return await _act(
        page,
        file_name,
        "unpin",
        title="Unpin the picture",
        action="Unpin it",
        says=["From now on it expires like any other picture."],
        notice="The picture is no longer pinned.",
    )


@post("/gallery/{file_name:str}/reject", status_code=200)
async def reject(page: OnPage, file_name: FromPath[str]) -> Response[Any]:
    """Reject a picture."""
    return await _act(
        page,
        file_name,
        "reject",
        title="Reject the picture",
        action="Reject it",
        says=[
            "Every pool loses it at once, in every format, on every instance.",
            "No app gets it from the cache any more: the next request for it buys another one.",
        ],
        notice="The picture was rejected: no pool serves it any more.",
        final=True,
    )


@post("/gallery/{file_name:str}/reroll", status_code=200)
async def reroll(page: OnPage, file_name: FromPath[str]) -> Response[Any]:
    """Reject a picture and buy another one."""
    _check_admin(page)
    check_why(page.form.text("why"))
    if page.form.text("step") != "confirmed":
        return page.confirm(
            [*await _price(page, file_name), *_reason(page)],
            title="Buy again",
            action="Reject it and buy another",
            back=f"/gallery/{file_name}",
            final=True,
        )
    made = await page.api.post(
        "cache", "pictures", file_name, "reroll", body={"why": page.form.text("why")}
    )
    pictures = made["pictures"]
    booked = usd(made["booked_usd"], 4)
    return await page.go(
        f"/gallery/{pictures[0] if pictures else file_name}",
        f"The picture was rejected, and this one bought for {booked}.",
    )


@post("/gallery/{file_name:str}/forget", status_code=200)
async def forget(page: OnPage, file_name: FromPath[str]) -> Response[Any]:
    """Erase the prompt of a picture, which is looked up here: no page sends it."""
    _check_admin(page)
    prompt = (await page.api.get("gallery", file_name))["prompt"]
    if prompt is None:
        raise Refused(404, "The prompt of this picture is not stored, so there is nothing to erase")
    if page.form.text("step") != "confirmed":
        return page.confirm(
            [
                "Its text is erased, with every pool and every picture of exactly this prompt.",
                "So it is in every scope, variation, model and format, whoever bought them.",
                "What was paid stays in the ledger, which has no prompts.",
            ],
            title="Forget the prompt",
            action="Forget it for ever",
            back=f"/gallery/{file_name}",
            final=True,
        )
    receipt = await page.api.post("cache", "forget", body={"prompt": prompt})
    notice = f"The prompt was forgotten, with its pools: {receipt['pools']}."
    if receipt["under_way"]:
        notice += " A purchase for it is under way: forget it again when that has ended."
    return await page.go("/gallery", notice)


async def _act(
    page: Page,
    name: str,
    what: str,
    *,
    title: str,
    action: str,
    says: Sequence[str],
    notice: str,
    final: bool = False,
) -> Response[Any]:
    """Ask whether something is meant, then have the admin API do it."""
    if page.may("viewer"):
        raise Refused(403, "A viewer changes nothing; ask an admin, or a lead of the team")
    check_why(page.form.text("why"))
    if page.form.text("step") != "confirmed":
        await page.api.get("gallery", name)  # is it there, and theirs to see?
        told = [*says, *_reason(page)]
        return page.confirm(told, title=title, action=action, back=f"/gallery/{name}", final=final)
    await page.api.post("cache", "pictures", name, what, body={"why": page.form.text("why")})
    return await page.go(f"/gallery/{name}", notice)


def _reason(page: Page) -> list[str]:
    why = page.form.text("why")
    return [f"The audit log keeps the reason: {why}"] if why else []


async def _price(page: Page, name: str) -> list[str]:
    """Return sentences on what buying a picture again costs, and whom."""
    picture = await page.api.get("gallery", name)
    says = [
        "Every pool loses this picture at once, and another one is bought for the same request.",
        "This page waits until it is made, which takes as long as any purchase.",
    ]
    try:
        quoted = await _quoted(page, name, picture)
    except Refused:
        listed = usd(picture["value_usd"], 4)
        return [f"The list price is {listed}, charged to {picture['app']}.", *says]
    says += [
        f"The {each['window']} budget of {each['account']} has no room for it; it stays as it is."
        for each in quoted["refused_by"]
    ]
    cost, most = usd(quoted["estimate_usd"], 4), usd(quoted["hold_usd"], 4)
    return [f"It costs about {cost}, at most {most}, charged to {picture['app']}.", *says]


async def _quoted(page: Page, name: str, picture: Any) -> Any:
    """Return a quote for one more picture of the same request."""
    request = await page.api.get("cache", "pictures", name, "request")
    if request["arguments"] is None:
        raise Refused(409, "The request of this picture is not stored")
    model = await page.api.get("models", request["model"].replace("/", ":"), "form")
    one = {model["count"]: 1} if model["count"] else {}
    return await page.api.post(
        "playground",
        "quote",
        body={
            "app": picture["app"],
            "model": request["model"],
            "request": {**request["arguments"], **one},
            "cache_control": "no-cache",
        },
    )


def _check_admin(page: Page) -> None:
    if not page.may("admin"):
        raise Refused(403, "Only an admin does this; ask one")


ROUTES = (pin, unpin, reject, reroll, forget)
