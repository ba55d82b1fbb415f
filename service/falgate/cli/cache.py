"""`falgate cache`: pools and pictures, looked at, purged, pinned, rejected and bought again."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx
import msgspec
from redis.asyncio import Redis

from falgate import settings as setting
from falgate.accounts.store.audit import AuditLog
from falgate.admin.api.cache import shown
from falgate.admin.api.cache_shapes import PictureShown, PooledShown, PoolShown
from falgate.cache.fingerprint import prompt_digest
from falgate.cache.store.pools import Pools
from falgate.cli.operating import acting, as_json, chosen, tabulate, tell, with_redis
from falgate.core.problems import Conflict, Invalid
from falgate.first_start import open_pictures
from falgate.pictures.admin import AGE_S_MAX, CacheAdmin, Selection
from falgate.pictures.convert import Converter
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.intake import PictureIntake
from falgate.pictures.store.catalogue import Catalogue
from falgate.settings import Settings

T = TypeVar("T")

_PAGE = 200
_WAIT_S = 700.0
_AGE = click.IntRange(0, AGE_S_MAX)
_POOLS = ("fingerprint", "pictures", "bought_at", "apps", "scope", "variation", "prompt")
_PICTURES = ("name", "made_at", "until", "uses", "used_at", "size_bytes", "master")
_PICTURE = ("name", "app", "value_usd", "uses", "used_at", "pinned", "pools", "derived", "master")

picture_argument = click.argument("picture")
through = click.option(
    "--url",
    default="",
    help="A gateway that is running; empty: where the settings say that it listens.",
)


@click.group()
def cache() -> None:
    """Pools of pictures, and the pictures in them, named by their hash or URL."""


@cache.command("list")
@click.option("--app", default="", metavar="TEAM/APP", help="Only those that it bought for.")
@click.option("--prompt", default="", help="Only those of exactly this prompt.")
@click.option(
    "--older-than", type=_AGE, default=0, metavar="SECONDS", help="Last bought for so long ago."
)
@click.option("--limit", "number", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
def list_pools(*, app: str, prompt: str, older_than: int, number: int, plain: bool) -> None:
    """Show pools, the one that was bought for last first."""

    async def some(desk: CacheAdmin) -> list[PoolShown]:
        if prompt:
            return await shown(desk, await desk.of_prompt(prompt_digest(prompt)))
        found: list[PoolShown] = []
        cursor = ""
        while len(found) < number:
            page, cursor = await desk.page(
                app=app,
                older_than_s=older_than,
                cursor=cursor,
                number=min(_PAGE, number - len(found)),
            )
            found += await shown(desk, page)
            if not cursor:
                break
        return found

    found = at_desk(some)
    if plain:
        click.echo(json.dumps(msgspec.to_builtins(found)))
        return
    tabulate([_Line.of(pool) for pool in found], _POOLS, plain=False)


class _PictureLine(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a pool in one line."""

    name: str
    made_at: str | None
    until: str
    uses: int | None
    used_at: str | None
    size_bytes: int
    master: str | None

    @classmethod
    def of(cls, picture: PooledShown) -> "_PictureLine":
        fields = msgspec.structs.asdict(picture)
        until = picture.until[:16].replace("T", " ") if picture.until else "pinned"
        return cls(**fields | {"until": until})


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """A pool in one line."""

    fingerprint: str
    pictures: int
    bought_at: str | None
    apps: list[str]
    scope: str | None
    variation: str
    prompt: str | None

    @classmethod
    def of(cls, pool: PoolShown) -> "_Line":
        fields = {name: getattr(pool, name) for name in cls.__struct_fields__}
        return cls(**fields | {"pictures": len(pool.pictures)})


@cache.command()
@click.argument("name")
@as_json
def show(*, name: str, plain: bool) -> None:
    """Show a pool by its fingerprint, or a picture by its file name or URL."""

    async def one(desk: CacheAdmin) -> PoolShown | PictureShown:
        if "." in name:
            return PictureShown.of(await desk.picture(name))
        (pool,) = await shown(desk, [await desk.pool(name)])
        return pool

    found = at_desk(one)
    if plain:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    elif isinstance(found, PictureShown):
        tabulate([found], _PICTURE, plain=False)
    else:
        tabulate([_Line.of(found)], _POOLS, plain=False)
        tabulate([_PictureLine.of(each) for each in found.pictures], _PICTURES, plain=False)


@cache.command()
@click.option("--fingerprint", default="", help="One pool.")
@click.option("--picture", default="", help="One picture, in every format.")
@click.option("--app", default="", metavar="TEAM/APP", help="The pools that it bought for.")
@click.option("--prompt", default="", help="The pools of exactly this prompt.")
@click.option("--everything", is_flag=True, help="All pools.")
@click.option(
    "--older-than",
    "older_than_s",
    type=_AGE,
    default=0,
    metavar="SECONDS",
    help="Only pictures so old.",
)
@click.option("--yes", is_flag=True, help="With --everything: yes, all of it.")
@as_json
def purge(*, yes: bool, plain: bool, **selected: Any) -> None:
    """Take pictures out of pools, on every instance at once. Their files stay while in use."""
    if selected["everything"] and not yes:
        raise Invalid("All of it would have to be bought again: give --yes as well, if you mean it")
    selection = Selection(**selected)
    found = at_desk(lambda desk: desk.purge(selection, acting()))
    words = f"{found.pictures} pictures are out of {found.pools} pools"
    tell(found, words, plain=plain)


@cache.command()
@picture_argument
@click.option("--off", is_flag=True, help="No longer.")
@as_json
def pin(*, picture: str, off: bool, plain: bool) -> None:
    """Keep a picture for ever: it is never removed, and handed out without an end."""
    record = at_desk(lambda desk: desk.pin(picture, acting(), pinned=not off))
    words = f"{record.name} is {'kept as long as any other' if off else 'pinned'}"
    tell(PictureShown.of(record), words, plain=plain)


@cache.command()
@picture_argument
@as_json
def reject(*, picture: str, plain: bool) -> None:
    """Take a picture out of every pool, in whatever format."""
    found = at_desk(lambda desk: desk.reject(picture, acting()))
    tell(found, f"it is out of {found.pools} pools", plain=plain)


@cache.command()
@picture_argument
@click.option("--request", default="", metavar="JSON", help="What it was the answer to.")
@through
@as_json
def reroll(*, picture: str, request: str, url: str, plain: bool) -> None:
    """Reject a picture and buy another one, charged to its app. Needs a running gateway.

    Give the request where the app's prompts are not kept.
    """
    name = at_desk(lambda desk: desk.picture(picture)).name
    try:
        body = {"request": msgspec.json.decode(request)} if request else {}
    except msgspec.DecodeError as error:
        raise Invalid(f"--request is no JSON: {error}") from None
    found = _ask(url, f"/cache/pictures/{name}/reroll", body)
    words = f"{', '.join(found['pictures'])} for ${found['booked_usd']}"
    tell(found, words, plain=plain)


@cache.command()
@click.argument("prompt")
@through
@as_json
def forget(*, prompt: str, url: str, plain: bool) -> None:
    """Forget exactly this PROMPT, or with `-` the one that is piped in: pools, pictures, text.

    Needs a running gateway, which knows for sure where the pictures are.
    """
    # `echo` ends a line; a prompt that really ends so can be given as an argument.
    text = sys.stdin.read().removesuffix("\n") if prompt == "-" else prompt
    receipt = _ask(url, "/cache/forget", {"prompt": text})
    words = (
        f"receipt {receipt['id']} of {receipt['at']}: {receipt['pools']} pools, "
        f"{receipt['pictures']} pictures, {receipt['requests']} requests and "
        f"{receipt['refusals']} refusals are forgotten"
    )
    if receipt["under_way"]:
        words += f"; {receipt['under_way']} purchases are under way: forget it again after them"
    if receipt["shared"]:
        words += f"; kept for another prompt: {', '.join(receipt['shared'])}"
    tell(receipt, words, plain=plain)


def at_desk(use: Callable[[CacheAdmin], Awaitable[T]]) -> T:
    """Do something at the desk of the gateway's Redis."""

    async def used(settings: Settings, redis: Redis) -> T:
        catalogue, pools = Catalogue(redis), Pools(redis)
        files = PictureIntake(open_pictures(settings), Converter(settings.derived_quality))
        return await use(
            CacheAdmin(
                catalogue,
                pools,
                PictureDeleter(catalogue, pools, files),
                AuditLog(redis),
                kept_s=settings.cache_ttl_s,
            )
        )

    return with_redis(used)


def _ask(url: str, path: str, body: dict[str, Any]) -> Any:
    """Ask a running gateway, which alone may buy, and knows for sure where the pictures are.

    Raises:
        Conflict: There is none, or it says no.
    """
    settings = chosen()
    made = Path(settings.data_dir) / "admin-key"  # by `falgate run`
    key = settings.admin_key or (made.read_text().strip() if made.exists() else "")
    if not key:
        raise Invalid(f"give {setting.PREFIX}ADMIN_KEY as the gateway has it")
    at = setting.address(settings.ops_listen or settings.listen, "LISTEN")
    base = url.rstrip("/") or f"http://{at.reachable}"
    try:
        answer = httpx.post(
            f"{base}/admin/v1{path}",
            json=body,
            timeout=_WAIT_S,
            headers={
                "Authorization": f"Key {key}",
                "X-Falgate-Actor": acting(),
                "User-Agent": "falgate",
            },
        )
    except httpx.HTTPError as error:
        raise Conflict(
            f"no gateway answers at {base} ({type(error).__name__}): start it, or give --url"
        ) from None
    if answer.is_error:
        raise Conflict(_said(answer))
    return answer.json()


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the gateway answered {answer.status_code}"
