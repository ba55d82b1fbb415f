"""A job as Redis holds it: its record, the replies to a hold, and its closing entry."""

from collections.abc import Sequence
from typing import Any

import msgspec

from falgate.core.budget import Account, Window
from falgate.core.claim import (
    Denied,
    Held,
    HouseFull,
    Joined,
    Stale,
    Unborn,
    Unlimited,
    Verdict,
)
from falgate.core.job import Answer, Job, Order
from falgate.core.outcome import Settlement
from falgate.core.picture import Picture

_FORGOTTEN = Answer(
    504,
    {"detail": "fal refused this a while ago; ask again", "error_type": "request_timeout"},
    {"x-fal-request-timeout-type": "user"},
)


def verdict(  # noqa: PLR0911 - one return for each of the script's answers
    reply: list[Any], windows: Sequence[Window], accounts: Sequence[Account]
) -> Verdict:
    """What jobs_hold.lua answered, given the windows and accounts that it was asked about."""
    match reply:
        case ["held"]:
            return Held()
        case ["joined", job_id]:
            return Joined(job_id)
        case ["stale", generation, count]:
            return Stale(int(generation), int(count))
        case ["denied", account, kind, limit, spent, held]:
            window = next(window for window in windows if window.kind == kind)
            return Denied(accounts[int(account)], window, int(limit), int(spent), int(held))
        case ["unlimited"]:
            return Unlimited()
        case ["house", limit, overrun]:
            return HouseFull(int(limit), int(overrun))
        case ["unborn"]:
            return Unborn()
    raise AssertionError(f"jobs_hold.lua answered {reply[0]}")


def entry(job: Job, settlement: Settlement) -> list[str]:
    """The closing entry's fields beside those that the script itself knows. No prompt."""
    order = job.order
    fields = {
        "request_id": job.request_id,
        "team": order.team,
        "app": order.app,
        "key": order.key,
        "model": order.endpoint,
        "asked": order.asked,
        "reused": order.reused,
        "bought": settlement.delivered,
        "list": order.listed,
        "price_version": order.price_version,
        **order.recorded,
    }
    return [str(part) for field in fields.items() for part in field]


def job(fields: dict[str, str], refusal: str | None) -> Job:
    """The job of a record, and of the refusal that it ended with."""
    order = msgspec.json.decode(fields["order"], type=Order)
    if "input" in fields:
        order = msgspec.structs.replace(order, input=msgspec.json.decode(fields["input"]))
    remaining = int(fields.get("remaining", -1))
    answer = msgspec.json.decode(refusal or "null", type=Answer | None)
    if answer is None and "answered" in fields:
        # Not to be taken for a purchase that was given up before fal said anything.
        answer = _FORGOTTEN
    return msgspec.convert(
        {
            "order": order,
            "state": fields["state"],
            "owner": fields["owner"],
            "epoch": int(fields["epoch"]),
            "windows": tuple(fields["windows"].split(" ")),
            "began_ms": int(fields["began_ms"]),
            "submitted_ms": int(fields.get("submitted_ms", 0)),
            "request_id": fields.get("request_id", ""),
            "output": msgspec.json.decode(fields.get("output", "null")),
            "charged": int(fields.get("charged", 0)),
            "overrun": int(fields.get("overrun", 0)),
            "remaining": None if remaining < 0 else remaining,
            "pictures": msgspec.json.decode(fields.get("pictures", "[]"), type=tuple[Picture, ...]),
            "answer": answer,
            "trouble": fields.get("trouble", ""),
            "troubled_ms": int(fields.get("troubled_ms", 0)),
        },
        Job,
    )
