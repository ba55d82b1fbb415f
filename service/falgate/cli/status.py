"""`falgate status`: what runs, on which Redis and picture store, and how full the budgets are."""

from typing import Any

import click
import httpx

from falgate.cli.client import Api, lister
from falgate.cli.options import given_url, wants_json
from falgate.cli.output import Column, listed, moment, say, usd
from falgate.cli.stop import told

_PROBE_S = 2.0
_BYTES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_BUDGETS = (
    Column("standing.account", whole=True),
    Column("standing.window"),
    Column("used_percent", "used %"),
    Column("standing.budget.limit_usd", "limit $"),
    Column("standing.spent_usd", "spent $"),
    Column("standing.held_usd", "held $", wide=True),
    Column("standing.remaining_usd", "left $"),
    Column("standing.resets_at", "resets", moment, wide=True),
)


@click.command()
@lister(pictures=True)
def status(api: Api) -> None:
    """Show what runs, on which Redis and picture store, whom it buys from, and the money left."""
    found = api.get("status")
    gateway = f"{given_url()} answers" if given_url() else _probed(api.listening())
    say(found, _words(found, gateway))
    if not wants_json():
        listed(found["fullest"], _BUDGETS)


def _probed(url: str) -> str:
    """Whether the gateway of these settings answers on this machine."""
    try:
        httpx.get(f"{url}/healthz", timeout=_PROBE_S, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        return f"{url} does not answer ({type(error).__name__})"
    return f"{url} answers"


def _words(found: dict[str, Any], gateway: str) -> str:
    redis, store, overage = found["redis"], found["store"], found["overage"]
    lines = {
        "falgate": found["version"],
        "gateway": gateway,
        "redis": _place(redis),
        "pictures": f"{_place(store)}{_stored(store)}",
        "upstream": found["upstream"] or "none: no gateway has used this ledger yet",
        "buying": _buying(found),
        "calendar": found["calendar"],
    }
    if about := [*map(_ending, found["ending"]), *map(_drift, found["drift"])]:
        lines["models"] = f"\n{'':10}".join(about)
    if overage is not None:
        lines["overage"] = f"{usd(overage['used_usd'])} of {usd(overage['limit_usd'])} used"
    return "\n".join(f"{name:10}{words}" for name, words in lines.items())


def _stored(store: dict[str, Any]) -> str:
    if store["pictures"] is None:
        return ""
    return f": {store['pictures']}, {_size(store['size_bytes'])}"


def _buying(found: dict[str, Any]) -> str:
    stops = [f"stopped for {told(stop)}" for stop in found["stops"]]
    if found["frozen"]:
        stops.insert(0, f"stopped: {found['frozen']}")
    return f"\n{'':10}".join(stops) or "goes on"


def _ending(model: dict[str, Any]) -> str:
    """When a model ends, and who has to move where."""
    endpoint, left = model["endpoint"], model["days_left"]
    if model["gone_at"]:
        how = f"is gone at fal since {moment(model['gone_at'])}"
    elif left > 0:
        how = f"ends on {model['retires']}, in {left} {'day' if left == 1 else 'days'}"
    else:
        how = f"has ended on {model['retires']}"
    instead = f"; its successor is {model['successor']}" if model["successor"] else ""
    callers = ", ".join(model["apps"]) or "no app"
    return f"{endpoint} {how}{instead}; called by {callers}"


def _drift(found: dict[str, Any]) -> str:
    how = "changed at fal" if found["changed"] else "has more at fal"
    return f"{found['model']} {how}: {'; '.join(found['differences'])}"


def _place(place: dict[str, Any]) -> str:
    return f"{place['at']} ({place['trouble']})" if place["trouble"] else str(place["at"])


def _size(size_bytes: int) -> str:
    for unit, name in _BYTES:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} bytes"
