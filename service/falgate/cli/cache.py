"""`falgate cache`: pools and pictures, looked at, purged, pinned, rejected and bought again."""

import sys
from typing import Any

import click
import msgspec

from falgate.cli import gallery
from falgate.cli.client import Api, lister, operator
from falgate.cli.gallery import file_name, picture_argument
from falgate.cli.options import DURATION, at_most, confirm, confirmed, wants_json
from falgate.cli.output import Column, listed, moment, say, shown, usd
from falgate.core.problems import Invalid

_POOL = (
    Column("fingerprint", short=True, whole=True),
    Column("bought_at", "bought", moment),
    Column("apps"),
    Column("scope", wide=True),
    Column("variation", wide=True),
    Column("prompt"),
)
_POOLS = (_POOL[0], Column("pictures", form=lambda pictures: str(len(pictures))), *_POOL[1:])
_PICTURES = (
    Column("name", short=True, whole=True),
    Column("made_at", "made", moment, wide=True),
    Column("until", form=lambda until: moment(until) if until else "pinned"),
    Column("uses"),
    Column("used_at", "used", moment),
    Column("size_bytes", "bytes"),
    Column("master", wide=True),
)
_PICTURE = (
    Column("name"),
    Column("app"),
    Column("value_usd", "value", usd),
    Column("size_bytes", "bytes"),
    Column("uses"),
    Column("used_at", "used", moment),
    Column("pinned"),
    Column("model"),
    Column("prompt"),
    Column("job"),
    Column("pools"),
    Column("derived"),
    Column("master"),
)

why_option = click.option(
    "--why", default="", metavar="WORDS", help="The reason, kept in the audit log."
)


@click.group()
def cache() -> None:
    """Pools of pictures, and the pictures in them, named by their hash or URL."""


cache.add_command(gallery.search)
cache.add_command(gallery.request)


@cache.command("list")
@click.option("--app", default="", metavar="TEAM/APP", help="Only those that it bought for.")
@click.option("--prompt", default="", help="Only those of exactly this prompt.")
@click.option(
    "--older-than", type=DURATION, default=0, metavar="24h", help="Last bought for so long ago."
)
@at_most()
@lister(pictures=True)
def list_pools(api: Api, *, app: str, prompt: str, older_than: int, number: int) -> None:
    """Show pools, the one that was bought for last first."""
    if prompt:
        found = api.post("cache", "pools", "find", body={"prompt": prompt})
    else:
        found = api.items("cache", "pools", number=number, app=app, older_than_s=older_than)
    listed(found, _POOLS)


@cache.command()
@click.argument("name")
@lister(pictures=True)
def show(api: Api, *, name: str) -> None:
    """Show a pool by its fingerprint, or a picture by its file name or URL."""
    if "." in name:
        found = api.get("cache", "pictures", file_name(name))
        shown({**found, **api.get("gallery", file_name(name))}, _PICTURE)
        return
    pool = api.get("cache", "pools", name)
    shown(pool, _POOL)
    if not wants_json():
        listed(pool["pictures"], _PICTURES)


@cache.command()
@click.option("--fingerprint", default="", help="One pool.")
@click.option("--picture", default="", help="One picture, in every format.")
@click.option("--app", default="", metavar="TEAM/APP", help="The pools that it bought for.")
@click.option("--prompt", default="", help="The pools of exactly this prompt.")
@click.option("--everything", is_flag=True, help="All pools.")
@click.option(
    "--older-than",
    "older_than_s",
    type=DURATION,
    default=0,
    metavar="24h",
    help="Only pictures so old.",
)
@confirmed
@operator(pictures=True)
def purge(api: Api, *, yes: bool, **selected: Any) -> None:
    """Take pictures out of pools, on every instance at once. Their files stay while in use."""
    if selected["everything"]:
        confirm("Purging everything, all of which would have to be bought again,", yes=yes)
    found = api.post("cache", "purge", body=selected)
    say(found, f"{found['pictures']} pictures are out of {found['pools']} pools")


@cache.command()
@click.argument("picture", default="")
@click.option("--off", is_flag=True, help="No longer.")
@click.option("--model", default="", help="Instead, all pictures of a model that will end.")
@why_option
@operator(pictures=True)
def pin(api: Api, *, picture: str, off: bool, model: str, why: str) -> None:
    """Keep a picture for ever: it is never removed, and handed out without an end."""
    if bool(picture) == bool(model) or (model and off):
        raise Invalid("Name one picture, or a model whose pictures are to be kept with --model")
    if model:
        _pin_model(api, model)
        return
    found = api.post(
        "cache", "pictures", file_name(picture), "unpin" if off else "pin", body={"why": why}
    )
    kept = "kept as long as any other" if off else "pinned"
    say(found, f"{found['name']} is {kept}")


def _pin_model(api: Api, model: str) -> None:
    pinned, cursor = 0, ""
    while cursor is not None:
        done = api.post("cache", "pin", body={"model": model, "cursor": cursor})
        pinned, cursor = pinned + done["pinned"], done["next_cursor"]
    say({"pinned": pinned}, f"{pinned} pictures of {model} are pinned")


@cache.command()
@picture_argument
@why_option
@operator(pictures=True)
def reject(api: Api, *, picture: str, why: str) -> None:
    """Take a picture out of every pool, in whatever format."""
    found = api.post("cache", "pictures", file_name(picture), "reject", body={"why": why})
    say(found, f"it is out of {found['pools']} pools")


@cache.command()
@picture_argument
@click.option("--request", default="", metavar="JSON", help="What it was the answer to.")
@why_option
@operator(running=True)
def reroll(api: Api, *, picture: str, request: str, why: str) -> None:
    """Reject a picture and buy another one, charged to its app. Needs a running gateway.

    Give the request where the app's prompts are not kept. Without a URL, the gateway is asked where
    the settings say that it listens.
    """
    try:
        body = {"request": msgspec.json.decode(request) if request else None, "why": why}
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"--request is no JSON: {error}") from None
    found = api.post("cache", "pictures", file_name(picture), "reroll", body=body)
    say(found, f"{', '.join(found['pictures'])} for ${found['booked_usd']}")


@cache.command()
@click.argument("prompt")
@operator(running=True)
def forget(api: Api, *, prompt: str) -> None:
    """Forget exactly this PROMPT, or with `-` the one that is piped in: pools, pictures, text.

    Needs a running gateway, which knows for sure where the pictures are: that of the URL, or the
    one that listens where the settings say.
    """
    # `echo` ends a line; a prompt that really ends so can be given as an argument.
    text = sys.stdin.read().removesuffix("\n") if prompt == "-" else prompt
    receipt = api.post("cache", "forget", body={"prompt": text})
    words = (
        f"receipt {receipt['id']} of {moment(receipt['at'])}: {receipt['pools']} pools, "
        f"{receipt['pictures']} pictures, {receipt['requests']} requests and "
        f"{receipt['refusals']} refusals are forgotten"
    )
    if receipt["under_way"]:
        words += f"; {receipt['under_way']} purchases are under way: forget it again after them"
    if receipt["shared"]:
        words += f"; kept for another prompt: {', '.join(receipt['shared'])}"
    say(receipt, words)
