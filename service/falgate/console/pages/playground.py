"""The playground: what a request would cost, the purchase, and what came of it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console import header_words, model_fields
from falgate.console.api import Refused
from falgate.console.fields import Field, chosen
from falgate.console.page import OnPage, Page
from falgate.console.pages.keys import KINDS

_MOST = 500
_CACHE = {
    "": "Use pictures that are there",
    "no-cache": "Buy afresh",
    "only-if-cached": "Only what is there: buy nothing",
}
_STEPS = {
    "waiting": "Waits for its turn, or for another request that buys the same",
    "sending": "Is being sent",
    "queued": "Waits in the upstream's line",
    "making": "The picture is being made",
    "storing": "The picture is being stored",
}


@get("/playground")
async def playground(page: OnPage) -> Template:
    """Show the form of a model."""
    return await _form(page)


@post("/playground/form", status_code=200)
async def change_form(page: OnPage) -> Template:
    """Show the form of another model, with what was entered, and its price if that is enough."""
    _check_buyer(page)
    model = await _model(page, page.form.text("model"))
    written = page.form.text(f"a.{model['prompt']}")
    return await _form(page, **(await _price(page, model) if written else {}))


@post("/playground/quote", status_code=200)
async def quote(page: OnPage) -> Template:
    """Show what the request would cost now."""
    _check_buyer(page)
    found = await _price(page, await _model(page, page.form.text("model")))
    if page.wants_part:
        return page.show("playground_price.html", **found)
    return await _form(page, **found)


@post("/playground", status_code=200)
async def buy(page: OnPage) -> Response[Any]:
    """Buy, once however often the form is sent, and go to what comes of it."""
    _check_buyer(page)
    model = await _model(page, page.form.text("model"))
    try:
        taken = await page.api.buy(_body(page, model), page.form.text("form_id"))
    except Refused as refused:
        return await _form(page, refused=refused)
    return await page.go(f"/playground/{taken['request_id']}")


@get("/playground/{play_id:str}")
async def standing(page: OnPage, play_id: FromPath[str]) -> Template:
    """Show how a request stands, and its pictures once they are there."""
    return page.show("playground_request.html", **await _standing(page, play_id))


@get("/playground/{play_id:str}/live")
async def live(page: OnPage, play_id: FromPath[str]) -> Template:
    """Show the part of it that changes."""
    return page.show("playground_standing.html", **await _standing(page, play_id))


def _check_buyer(page: Page) -> None:
    if not page.may("admin", "lead"):
        raise Refused(403, "A viewer buys nothing; ask an admin, or a lead of the team.")


async def _price(page: Page, model: Any) -> dict[str, Any]:
    """Return a quote for what was entered, or why it is refused."""
    try:
        quoted = await page.api.post("playground", "quote", body=_body(page, model))
    except Refused as refused:
        wrong = model_fields.placed(model, refused.errors)
        return {"quote": None, "refused": refused, "wrong": wrong}
    return {"quote": quoted, "refused": None, "wrong": ()}


async def _form(
    page: Page, *, quote: Any = None, refused: Refused | None = None, wrong: Any = ()
) -> Template:
    """Show the form, with what was entered, a quote of it, or why it was refused."""
    _check_buyer(page)
    apps = (await page.api.get("apps", limit=_MOST))["items"]
    models = (await page.api.get("models", limit=_MOST))["items"]
    names = [f"{each['team']}/{each['name']}" for each in apps]
    usual = next((each for each in models if each["days_left"] is None), models[0])
    said = {**page.query, **page.form.values()}
    endpoint = said.get("model") or usual["endpoint"]
    model = await _model(page, endpoint)
    errors = refused.errors if refused else ()
    fields = model_fields.shown(
        model, page.form, same=page.form.text("shown") == endpoint, errors=errors
    )
    return page.show(
        "playground.html",
        http_status=refused.status if refused else 200,
        model=model,
        whose=_whose(said, names, [(each["endpoint"], _titled(each)) for each in models], endpoint),
        usual=[each for each in fields if not each.advanced],
        advanced=[each for each in fields if each.advanced],
        pictures=any(each.kind == "pictures" for each in fields),
        quote=quote,
        refused=refused,
        wrong=wrong or model_fields.placed(model, errors),
        payers=bool(names),
    )


def _whose(
    said: dict[str, str], names: list[str], models: list[tuple[str, str]], endpoint: str
) -> dict[str, Field]:
    """Return the fields of who pays, for which model, and what the cache is told."""
    fields = [
        Field(
            name="payer",
            label="App, or key id",
            value=said.get("payer") or said.get("key") or said.get("app") or next(iter(names), ""),
            required=True,
            options=chosen(names),
            hint="Its budgets pay and its limits hold, as if it had asked itself",
        ),
        Field(
            name="kind",
            label="Key of the app",
            kind="choice",
            value=said.get("kind", "live"),
            options=[*KINDS.items()],
        ),
        Field(name="model", label="Model", kind="choice", value=endpoint, options=models),
        Field(
            name="cache_control",
            label="Cache",
            kind="choice",
            value=said.get("cache_control", ""),
            options=[*_CACHE.items()],
        ),
        Field(
            name="variation",
            label="Variation",
            value=said.get("variation", ""),
            hint="A label: the same request with another one has pictures of its own",
        ),
    ]
    return {each.name: each for each in fields}


def _titled(model: Any) -> str:
    ended = " (has ended)" if model["days_left"] is not None and model["days_left"] <= 0 else ""
    return f"{model['title']} · {model['endpoint']}{ended}"


async def _model(page: Page, endpoint: str) -> Any:
    return await page.api.get("models", endpoint.replace("/", ":"), "form")


def _body(page: Page, model: Any) -> dict[str, Any]:
    """Return the request of the form, as the admin API takes it."""
    form = page.form
    payer = form.text("payer")
    whose = {"app": payer, "kind": form.text("kind") or "live"} if "/" in payer else {"key": payer}
    return {
        **whose,
        "model": model["endpoint"],
        "request": model_fields.arguments(
            model, form, same=form.text("shown") == model["endpoint"]
        ),
        "cache_control": form.text("cache_control"),
        "variation": form.text("variation"),
    }


async def _standing(page: Page, request_id: str) -> dict[str, Any]:
    found = await page.api.get("playground", request_id)
    story = None
    if found["ended"]:
        try:
            story = await page.api.get("requests", request_id)
        except Refused as refused:
            if refused.status != 404:  # noqa: PLR2004 - HTTP's
                raise
    return {
        "found": found,
        "entries": [each["entry"] for each in story["ledger"]] if story else [],
        "steps": _STEPS,
        "served": header_words.SOURCES.get(found["source"] or "", ""),
        "headers": [
            (each["name"], each["value"], header_words.meaning(each["name"]))
            for each in found["headers"]
        ],
    }


ROUTES = (playground, change_form, quote, buy, standing, live)
