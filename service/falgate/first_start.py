"""Opens Redis, the ledger and the picture store, and creates their first contents."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis

from falgate import settings as setting
from falgate.accounts.apikey import Kind
from falgate.accounts.directory import FIRST, App, Team
from falgate.accounts.store.registry import Registry
from falgate.core.account import ORGANISATION
from falgate.core.money import Micros, usd
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger, LedgerGone, LedgerStrange
from falgate.pictures.storage import PictureStore
from falgate.pictures.store.former import rename_former
from falgate.private import make_folder
from falgate.redis.client import connect, plainly
from falgate.redis.embedded import EmbeddedRedis
from falgate.settings import Settings

TEST = "test"
"""Name of the upstream for test keys, which spend play money in a ledger of their own."""

_WHO = "settings"
_DAILY_REAL, _DAILY_PLAY, _OVERAGE = usd("10"), usd("1000"), usd("1")
_CANCEL_S = 1.0
_ID_SHOWN = 40
_PAUSE_S = 1.0

_LOG = structlog.get_logger()


async def known_upstreams(redis: Redis) -> dict[Kind, str]:
    """The upstream of each kind of key; that of live keys only once a gateway has said it."""
    live = await Ledger(redis).live()
    return {"test": TEST} if live is None else {"test": TEST, "live": live}


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Redis]:
    """Connect to Redis: the one at `redis_url`, or the embedded server of the data directory.

    Raises:
        EmbeddedFailed: The embedded server cannot run.
        RedisUnfit: The URL is invalid; or Redis failed in the block, and why.
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
        # If a signal comes during the start, leaving waits for the start and stops the server.
        await redis.aclose()
        await asyncio.to_thread(embedded.leave)


@asynccontextmanager
async def running(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run endless work beside a block: restart it when it fails, and cancel it at the end."""
    task = asyncio.create_task(_again_and_again(work))
    try:
        yield
    finally:
        while not task.done():
            # Cancel repeatedly: `asyncio.wait_for`, which redis-py uses, may lose a cancellation.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_S)
        if not task.cancelled():
            task.result()


async def _again_and_again(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it was, the work must continue
            # Without adoption and wake-ups, a gateway would serve on and silently degrade.
            _LOG.exception("background.failed")
        await asyncio.sleep(_PAUSE_S)


def open_pictures(
    settings: Settings, troubled: Callable[[str], None] = lambda _: None
) -> PictureStore:
    """Open the picture store; `troubled` is called with the words of its errors.

    Raises:
        SettingsWrong: It cannot be opened.
    """
    media = (Path(settings.data_dir) / "media").absolute()
    try:
        return PictureStore(settings.media_url or media.as_uri(), troubled)
    except ValueError as error:
        if not settings.media_url:
            raise setting.SettingsWrong(
                f"{media} cannot be used as picture store: move away what is there, or set "
                f"{setting.PREFIX}DATA_DIR or {setting.PREFIX}MEDIA_URL"
            ) from None
        raise setting.SettingsWrong(f"{setting.PREFIX}MEDIA_URL: {error}") from None


async def ledger_id(ledger: Ledger, settings: Settings) -> str:
    """Return the ledger's id, and check it against the data directory or FALGATE_LEDGER_ID.

    An instance that knew a ledger never opens another one: that one's keys and budgets would be
    missing without a message.

    Raises:
        LedgerStrange: Redis has another ledger, or none.
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
            f"{error} ({known[:_ID_SHOWN]}): restore {restore} from a backup, or {forget} to use "
            "what Redis has now; if it is empty, all keys and all records of spending are gone"
        ) from None
    if found != noted:
        _remember(note, found, named=bool(settings.ledger_id))
    return found


def _remember(note: Path, found: str, *, named: bool) -> None:
    try:
        make_folder(note.parent)
        note.write_text(found + "\n")
    except OSError as error:
        # As in a container whose root file system is read-only.
        if not named:
            said = f"{setting.PREFIX}LEDGER_ID={found}"
            _LOG.warning("ledger.not_remembered", why=str(error), set=said)


async def set_limits(budgets: Budgets, ledger: Ledger, settings: Settings, live: str) -> None:
    """Give each upstream's ledger an organisation budget and an overage limit.

    A setting is applied at the first start that has it, and again only when its value changes. So a
    restart does not undo what an operator has set since then.
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
    overage = setting.amount(settings.overage_usd, "OVERAGE_USD")
    if overage is not None:
        is_now, _ = await budgets.overage(live)
        if await _is_new(ledger, live, "OVERAGE_USD", overage, is_now):
            await budgets.set_overage(live, overage, _WHO)
            await ledger.note_applied(live, "OVERAGE_USD", overage)


async def _set_first(budgets: Budgets, upstream: str, daily: Micros) -> None:
    """Set a budget and an overage limit if there is none yet."""
    await budgets.open_overage(upstream, _OVERAGE)
    if not any(position.budget for position in await budgets.positions(upstream, ORGANISATION)):
        await _set_daily(budgets, upstream, daily)


async def _is_new(
    ledger: Ledger, upstream: str, name: str, value: Micros, is_now: Micros | None
) -> bool:
    """Return whether a setting's value was not applied yet; log it if an operator overruled it."""
    if await ledger.applied(upstream, name) != value:
        return True
    if is_now != value:
        _LOG.warning("setting.overruled", setting=f"{setting.PREFIX}{name}", limit_micros=is_now)
    return False


async def _set_daily(budgets: Budgets, upstream: str, limit: Micros) -> None:
    """Set the organisation's daily budget, and leave its alerts unchanged."""
    done = False
    while not done:
        was = await budgets.read(upstream, ORGANISATION, "day")
        now = Budget(limit=limit) if was is None else msgspec.structs.replace(was, limit=limit)
        done = await budgets.put(upstream, ORGANISATION, "day", was=was, now=now, who=_WHO)


async def set_directory(redis: Redis, registry: Registry) -> None:
    """Bring an earlier version's keys into form; create a first team and app, if there are none."""
    await rename_former(redis)
    await registry.split_keys()
    directory = await registry.directory()
    if not directory.teams:
        await registry.put_team(FIRST, None, Team(), _WHO)
        await registry.put_app(f"{FIRST}/{FIRST}", None, App(), _WHO)
