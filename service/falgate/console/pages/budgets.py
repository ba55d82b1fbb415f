"""Budgets: what may be spent in a window, raised for once with a reason, or forgiven."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen
from falgate.console.page import Change, OnPage, Page
from falgate.core.problems import Invalid

_PAGE = 50
_WINDOWS = ("hour", "day", "week", "month", "total")


@get("/budgets")
async def budgets(page: OnPage) -> Template:
    """List the budgets."""
    found = await page.api.get("budgets", limit=_PAGE, cursor=page.query.get("cursor"))
    overage = await page.api.get("overage") if page.may("admin", "viewer") else None
    return page.show("budgets.html", budgets=found, overage=overage)


@get("/budgets/{account:str}/{window:str}")
async def budget(page: OnPage, account: FromPath[str], window: FromPath[str]) -> Template:
    """Show a budget."""
    return page.show("budget.html", each=await page.api.get("budgets", account, window))


@get("/budgets/new")
async def ask_for_budget(page: OnPage) -> Template:
    """Ask for a budget to create."""
    return _new(page)


@post("/budgets/new", status_code=200)
async def make_budget(page: OnPage) -> Response[Any]:
    """Create a budget."""
    form = page.form

    async def again(error: str) -> Template:
        return _new(page, error)

    return await page.apply(
        Change(
            "POST",
            ("budgets",),
            "Create a budget",
            "Create",
            lambda: {
                "account": form.text("account"),
                "window": form.text("window"),
                **_body(page),
            },
        ),
        back="/budgets",
        notice="The budget counts from now on.",
        again=again,
    )


@get("/budgets/{account:str}/{window:str}/set")
async def ask_to_set_budget(
    page: OnPage, account: FromPath[str], window: FromPath[str]
) -> Template:
    """Ask for the new limit of a budget."""
    return await _edit(page, account, window)


@post("/budgets/{account:str}/{window:str}/set", status_code=200)
async def set_budget(page: OnPage, account: FromPath[str], window: FromPath[str]) -> Response[Any]:
    """Set a budget."""
    return await page.apply(
        Change("PUT", ("budgets", account, window), "Set the budget", "Set", lambda: _body(page)),
        back=f"/budgets/{account}/{window}",
        notice="The budget was set.",
        again=partial(_edit, page, account, window),
    )


@get("/budgets/{account:str}/{window:str}/raise")
async def ask_to_raise(page: OnPage, account: FromPath[str], window: FromPath[str]) -> Template:
    """Ask for an amount and a reason."""
    return await _raise(page, account, window)


@post("/budgets/{account:str}/{window:str}/raise", status_code=200)
async def raise_budget(
    page: OnPage, account: FromPath[str], window: FromPath[str]
) -> Response[Any]:
    """Raise a budget for the current window."""
    return await page.apply(
        Change(
            "POST",
            ("budgets", account, window, "raise"),
            "Raise the budget for this window",
            "Raise",
            lambda: {"amount_usd": _usd(page, "amount_usd"), "why": page.form.text("why")},
        ),
        back=f"/budgets/{account}/{window}",
        notice="The budget is raised until its window ends.",
        again=partial(_raise, page, account, window),
    )


@get("/budgets/{account:str}/{window:str}/reset")
async def ask_to_reset(page: OnPage, account: FromPath[str], window: FromPath[str]) -> Template:
    """Ask for a reason."""
    return await _reset(page, account, window)


@post("/budgets/{account:str}/{window:str}/reset", status_code=200)
async def reset_budget(
    page: OnPage, account: FromPath[str], window: FromPath[str]
) -> Response[Any]:
    """Forgive what was spent in the current window."""
    return await page.apply(
        Change(
            "POST",
            ("budgets", account, window, "reset"),
            "Forgive what was spent",
            "Forgive it",
            lambda: {"why": page.form.text("why")},
        ),
        back=f"/budgets/{account}/{window}",
        notice="What was spent in this window no longer counts.",
        again=partial(_reset, page, account, window),
    )


@post("/budgets/{account:str}/{window:str}/remove", status_code=200)
async def remove_budget(
    page: OnPage, account: FromPath[str], window: FromPath[str]
) -> Response[Any]:
    """Remove a budget."""
    return await page.apply(
        Change("DELETE", ("budgets", account, window), "Remove the budget", "Remove it"),
        back="/budgets",
        notice="The budget was removed. Spending is still counted.",
    )


@get("/budgets/overage/set")
async def ask_for_overage(page: OnPage) -> Template:
    """Ask for the limit of the overage account."""
    return await _overage(page)


@post("/budgets/overage/set", status_code=200)
async def set_overage(page: OnPage) -> Response[Any]:
    """Set the limit of the overage account."""
    return await page.apply(
        Change(
            "PUT",
            ("overage",),
            "Set the overage limit",
            "Set",
            lambda: {"limit_usd": _usd(page, "limit_usd"), "why": page.form.text("why")},
        ),
        back="/budgets",
        notice="The overage limit was set.",
        again=partial(_overage, page),
    )


async def _overage(page: Page, error: str = "") -> Template:
    shown = await page.api.get("overage")
    return page.ask(
        [Group(fields=[_amount("limit_usd", "Limit, US dollars", shown["limit_usd"]), _WHY])],
        title="Overage limit",
        action="Look at the change",
        back="/budgets",
        error=error,
        lead=["What is billed above holds is counted here; at the limit nothing is bought."],
    )


_WHY = Field(name="why", label="Reason", hint="Kept in the ledger and in the audit log")


async def _raise(page: Page, account: str, window: str, error: str = "") -> Template:
    return page.ask(
        [Group(fields=[_amount("amount_usd", "Raise by, US dollars"), _WHY])],
        title=f"Raise the {window} budget of {account}",
        action="Look at the change",
        back=f"/budgets/{account}/{window}",
        error=error,
        lead=["The next window has the original limit again."],
    )


async def _reset(page: Page, account: str, window: str, error: str = "") -> Template:
    return page.ask(
        [Group(fields=[_WHY], wide=True)],
        title=f"Forgive what {account} spent",
        action="Look at the change",
        back=f"/budgets/{account}/{window}",
        error=error,
        lead=[f"What was spent in this {window} no longer counts. The ledger keeps a record."],
    )


async def _edit(page: Page, account: str, window: str, error: str = "") -> Template:
    positions = await page.api.get("accounts", account)
    budget = next((each["budget"] for each in positions if each["window"] == window), None)
    return page.ask(
        _fields(budget or {}),
        title=f"The {window} budget of {account}",
        action="Look at the change",
        back=f"/budgets/{account}/{window}" if budget else "/budgets",
        error=error,
    )


def _new(page: Page, error: str = "") -> Template:
    whose = [
        Field(
            name="account",
            label="Whose",
            value=page.query.get("account", ""),
            required=True,
            hint="organisation:main, team:NAME, app:TEAM/APP, key:ID or model:ENDPOINT",
        ),
        Field(name="window", label="Window", kind="choice", value="day", options=chosen(_WINDOWS)),
    ]
    return page.ask(
        [Group(fields=whose), *_fields({})],
        title="New budget",
        action="Look at the change",
        back="/budgets",
        error=error,
    )


def _fields(budget: Any) -> list[Group]:
    alerts = ", ".join(map(str, budget.get("alerts", ())))
    fields = [
        _amount("limit_usd", "Limit, US dollars", budget.get("limit_usd", "")),
        Field(
            name="alerts",
            label="Alert at, percent",
            value=alerts,
            hint="Such as: 80, 95. Each once a window",
        ),
    ]
    shadow = Field(
        name="shadow",
        label="Shadow: count and alert, but refuse nothing",
        kind="tick",
        value=budget.get("shadow", False),
    )
    return [Group(fields=fields), Group(fields=[shadow], wide=True)]


def _amount(name: str, label: str, value: str = "") -> Field:
    return Field(name=name, label=label, kind="usd", value=value, required=True, hint="Such as 25")


def _usd(page: Page, name: str) -> str:
    return page.form.text(name).removeprefix("$").replace(",", "")


def _body(page: Page) -> dict[str, Any]:
    alerts = page.form.lines("alerts")
    percents = [each.removesuffix("%") for each in alerts if each != "%"]
    if not all(each.isascii() and each.isdigit() and len(each) < 4 for each in percents):  # noqa: PLR2004 - below 1,000
        raise Invalid("Alert at: give whole percentages, such as 80, 95")
    return {
        "limit_usd": _usd(page, "limit_usd"),
        "alerts": [int(each) for each in percents],
        "shadow": page.form.ticked("shadow"),
    }


ROUTES = (
    budgets,
    budget,
    ask_for_budget,
    make_budget,
    ask_to_set_budget,
    set_budget,
    ask_to_raise,
    raise_budget,
    ask_to_reset,
    reset_budget,
    remove_budget,
    ask_for_overage,
    set_overage,
)
