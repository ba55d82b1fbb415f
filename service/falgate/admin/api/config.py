"""/config: teams, apps, models, budgets and limits as one file: read, planned and applied."""

from typing import Annotated, Literal, Self

import msgspec
from litestar import Response
from litestar.params import JSONBody
from msgspec import Meta

from falgate.accounts.cache_settings import DEFAULT_POLICY
from falgate.admin import apply as applying
from falgate.admin import config
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Admin
from falgate.admin.api.shapes import View
from falgate.admin.plan import Record, Step, What
from falgate.admin.service import AdminService
from falgate.core.money import dollars
from falgate.money.budget import Budget

routes = Resource("config")
_MEDIA_TYPE = "application/toml"


class ConfigGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to compare with what there is, or to apply."""

    file: Annotated[
        str,
        Meta(
            max_length=config.FILE_BYTES_MAX,
            description="TOML, as GET /config writes it",
            examples=['[team.web]\nweight = 2\nbudget.day = { limit_usd = "25" }\n'],
        ),
    ]
    prune: Annotated[bool, Meta(description="Also remove what the file does not name")] = False


class StepShown(View, frozen=True, kw_only=True):
    """One step of a plan."""

    action: Literal["create", "change", "remove"]
    what: What
    subject: Annotated[str, Meta(description="A name; of a budget, its account and window")]
    before: Annotated[str, Meta(description="What there is, in words")]
    after: Annotated[str, Meta(description="What there will be, in words")]
    blocked: Annotated[str, Meta(description="Why it cannot be done; empty where it can")]

    @classmethod
    def spelt(cls, step: Step) -> Self:
        """Convert a step, with its records in words."""
        subject = f"{step.subject}/{step.kind}" if step.kind else step.subject
        before, after = _spell(step.before), _spell(step.after)
        return cls.of(step, subject=subject, before=before, after=after)


class PlanShown(msgspec.Struct, frozen=True, kw_only=True):
    """The steps from what there is to what a file says, and whether they were made."""

    applied: bool
    steps: list[StepShown]


@routes.get("/config", "Everything as a file", 409, media_type=_MEDIA_TYPE)
async def show_config(accounts: Admin) -> Response[str]:
    """Teams, apps, models, their limits and their budgets as TOML. Keys are in no file."""
    return Response(config.write(await applying.state(accounts)), media_type=_MEDIA_TYPE)


@routes.act("/config/plan", "What a file would change", 409, reads=True)
async def plan_config(accounts: Admin, data: JSONBody[ConfigGiven]) -> PlanShown:
    """Nothing is changed. What the file does not say of what it names stays as it is."""
    return _shown(await _steps(accounts, data), applied=False)


@routes.act("/config/apply", "Make everything as a file says", 404, 409)
async def apply_config(accounts: Admin, data: JSONBody[ConfigGiven]) -> PlanShown:
    """All steps, or none where one is blocked; a second time there are none."""
    steps = await _steps(accounts, data)
    await applying.act(accounts, steps)
    return _shown(steps, applied=True)


async def _steps(administration: AdminService, given: ConfigGiven) -> list[Step]:
    config.check_depth(given.file)  # before anything is read
    wanted = config.read(given.file, await applying.state(administration))
    return await applying.prepare(administration, wanted, prune=given.prune)


def _shown(steps: list[Step], *, applied: bool) -> PlanShown:
    return PlanShown(applied=applied, steps=[StepShown.spelt(step) for step in steps])


def _spell(record: Record | None) -> str:
    """A record in a few words: what is not as it would be by itself."""
    if record is None:
        return ""
    if isinstance(record, Budget):
        alerts = ", ".join(f"{percent} %" for percent in record.alerts)
        shadow = " shadow" if record.shadow else ""
        return f"${dollars(record.limit)}{shadow}{f' alerts {alerts}' if alerts else ''}"
    fields = msgspec.to_builtins(record)
    limits, usual = fields.pop("limits", {}), msgspec.to_builtins(DEFAULT_POLICY)
    caching = fields.pop("cache", {})
    ways = {f"cache {name}": value for name, value in caching.items() if value != usual[name]}
    set_ = {name: value for name, value in {**fields, **limits}.items() if value} | ways
    return ", ".join(f"{name} {value}" for name, value in set_.items()) or "no limits"
