"""What a gateway stands on: Redis, a ledger with limits, a picture store; made at a first start."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis

from falgate import settings as setting
from falgate.accounts.directory import App, Team
from falgate.accounts.store.registry import Registry
from falgate.core.account import ORGANISATION
from falgate.core.money import Micros, usd
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger, LedgerGone, LedgerStrange
from falgate.pictures.storage import PictureStore
from falgate.redis.client import connect, plainly
from falgate.redis.embedded import EmbeddedRedis
from falgate.settings import Settings

TEST = "test"
"""Whose books test keys spend in: play money of their own."""

FIRST = "default"
"""The team and the app that a first start makes."""

_WHO = "settings"
_DAILY_REAL, _DAILY_PLAY, _HOUSE = usd("10"), usd("1000"), usd("1")
_CANCEL_S = 1.0
_ID_SHOWN = 40
_PAUSE_S = 1.0

_LOG = structlog.get_logger()


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Redis]:
    """The Redis of these settings: any by its URL, or this data directory's own.

    Raises:
        EmbeddedFailed: The embedded server cannot run.
        RedisUnfit: The URL is none; or Redis failed in the block, and why.
    """
    if settings.redis_url:
        redis = connect(settings.redis_url, settings.redis_timeout_s)
        try:
            with plainly(redis):
                yield redis
        finally:
            await redis.aclose()
        return
    embedded = EmbeddedRedis(Path(settings.data_dir) / "redis")
    redis = connect(embedded.url, settings.redis_timeout_s)
    try:
        await asyncio.to_thread(embedded.start)
        async with running(embedded.watch):
            with plainly(redis):
                yield redis
    finally:
        # Also when a signal comes while it starts: leaving waits for that, and stops the server.
        await redis.aclose()
        await asyncio.to_thread(embedded.leave)


@asynccontextmanager
async def running(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Have endless work done beside a block: begun again when it fails, cancelled at the end."""
    task = asyncio.create_task(_again_and_again(work))
    try:
        yield
    finally:
        while not task.done():
            # Again and again: `asyncio.wait_for`, which redis-py uses, may lose a cancellation.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_S)
        if not task.cancelled():
            task.result()


async def _again_and_again(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it was, the work has to go on
            # Without adoption and wake-ups a gateway would go on, and quietly get worse.
            _LOG.exception("background.failed")
        await asyncio.sleep(_PAUSE_S)


def open_pictures(
    settings: Settings, troubled: Callable[[str], None] = lambda _: None
) -> PictureStore:
    """The picture store of these settings; `troubled` is given the words of its errors.

    Raises:
        SettingsWrong: It cannot be opened.
    """
    media = (Path(settings.data_dir) / "media").absolute()
    try:
        return PictureStore(settings.media_url or media.as_uri(), troubled)
    except ValueError as error:
        if not settings.media_url:
            raise setting.SettingsWrong(
                f"{media} cannot be the picture store: move away what is there, or give "
                f"{setting.PREFIX}DATA_DIR or {setting.PREFIX}MEDIA_URL"
            ) from None
        raise setting.SettingsWrong(f"{setting.PREFIX}MEDIA_URL: {error}") from None


async def ledger_id(ledger: Ledger, settings: Settings) -> str:
    """The ledger's id, which the data directory remembers, or FALGATE_LEDGER_ID names.

    Who knew a ledger never opens another one: its keys and its money would be gone without a word.

    Raises:
        LedgerStrange: Another ledger than that, or none.
        Unavailable: Without Redis.
    """
    data = Path(settings.data_dir)
    note = data / ("redis-ledger-id" if settings.redis_url else "ledger-id")
    noted = note.read_text(errors="replace").strip() if note.exists() else ""
    known = settings.ledger_id or noted
    try:
        found = await ledger.birth(known or None, settings.calendar)
    except LedgerGone as error:
        restore = "Redis's data" if settings.redis_url else data / "redis"
        forget = f"unset {setting.PREFIX}LEDGER_ID" if settings.ledger_id else f"remove {note}"
        raise LedgerStrange(
            f"{error} ({known[:_ID_SHOWN]}): restore {restore} from a backup, or {forget} to go on "
            "with what Redis holds now; where that is nothing, no key is known and no cent is spent"
        ) from None
    if found != noted:
        _remember(note, found, named=bool(settings.ledger_id))
    return found


def _remember(note: Path, found: str, *, named: bool) -> None:
    try:
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(found + "\n")
    except OSError as error:
        # As in a container with a root that is read only.
        if not named:
            said = f"{setting.PREFIX}LEDGER_ID={found}"
            _LOG.warning("ledger.not_remembered", why=str(error), set=said)


async def set_limits(budgets: Budgets, ledger: Ledger, settings: Settings, live: str) -> None:
    """Give each upstream's books an organisation budget and a house limit.

    What a setting says is applied at the first start that has it, and then again only when it
    says something else: what an operator has set since then is not undone by a restart.
    """
    daily = setting.amount(settings.org_daily_usd, "ORG_DAILY_USD")
    first = _DAILY_PLAY if settings.uses_sandbox else _DAILY_REAL
    await _set_first(budgets, live, first if daily is None else daily)
    await _set_first(budgets, TEST, _DAILY_PLAY)
    if daily is not None:
        budget = await budgets.read(live, ORGANISATION, "day")
        is_now = budget.limit if budget else None
        if await _is_new(ledger, live, "ORG_DAILY_USD", daily, is_now):
            await _set_daily(budgets, live, daily)
            await ledger.note_applied(live, "ORG_DAILY_USD", daily)
    house = setting.amount(settings.house_usd, "HOUSE_USD")
    if house is not None:
        is_now, _ = await budgets.house(live)
        if await _is_new(ledger, live, "HOUSE_USD", house, is_now):
            await budgets.set_house(live, house, _WHO)
            await ledger.note_applied(live, "HOUSE_USD", house)


async def _set_first(budgets: Budgets, upstream: str, daily: Micros) -> None:
    """Where the organisation has no budget at all yet, nor the house a limit."""
    await budgets.open_house(upstream, _HOUSE)
    if not any(position.budget for position in await budgets.positions(upstream, ORGANISATION)):
        await _set_daily(budgets, upstream, daily)


async def _is_new(
    ledger: Ledger, upstream: str, name: str, value: Micros, is_now: Micros | None
) -> bool:
    """Whether a setting says something that was not applied yet; told where it is overruled."""
    if await ledger.applied(upstream, name) != value:
        return True
    if is_now != value:
        _LOG.warning("setting.overruled", setting=f"{setting.PREFIX}{name}", limit_micros=is_now)
    return False


async def _set_daily(budgets: Budgets, upstream: str, limit: Micros) -> None:
    """Set the organisation's day; its alerts stay as they are."""
    done = False
    while not done:
        was = await budgets.read(upstream, ORGANISATION, "day")
        now = Budget(limit=limit) if was is None else msgspec.structs.replace(was, limit=limit)
        done = await budgets.put(upstream, ORGANISATION, "day", was=was, now=now, who=_WHO)


async def set_directory(registry: Registry) -> None:
    """Make a team and an app, so that a first key belongs to somebody."""
    directory = await registry.directory()
    if not directory.teams:
        await registry.put_team(FIRST, None, Team(), _WHO)
        await registry.put_app(f"{FIRST}/{FIRST}", None, App(), _WHO)
