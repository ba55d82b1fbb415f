"""Records in Redis: jobs, their closing entries and usage counts, and queued requests."""

import msgspec

from falgate.core.picture import Picture
from falgate.fal.replies import FalAnswer
from falgate.jobs import answer as answered
from falgate.jobs.job import Job, Order
from falgate.jobs.request import Failure, QueuedRequest, RequestSpec
from falgate.jobs.settlement import Settlement
from falgate.money.usage import spell
from falgate.redis.keyspace import account_of

_FORGOTTEN = FalAnswer(
    504,
    {"detail": "fal refused this some time ago; try again", "error_type": "request_timeout"},
    {"x-fal-request-timeout-type": "user"},
)


def entry(job: Job, settlement: Settlement) -> list[str]:
    """Return the fields of a closing entry that the script does not know itself; no prompt."""
    order = job.order
    fields = {
        "request_id": job.request_id,
        "team": order.team,
        "app": order.app,
        "key": order.key,
        "model": order.endpoint,
        "charged_model": next((each.id for each in job.accounts if each.level == "model"), ""),
        "asked": order.asked,
        "reused": order.reused,
        "bought": settlement.delivered,
        "list": settlement.listed,
        "saved": order.saved,
        "why": settlement.why or ("partial" if order.reused else ""),
        "price_version": order.price_version,
        **order.recorded,
    }
    return [str(part) for field in fields.items() for part in field]


def measures(settlement: Settlement) -> dict[str, int]:
    """Return what the day's usage counts for a settlement, except its charge."""
    bought = settlement.delivered
    return {
        "purchases": 1 if bought else 0,
        "bought": bought,
        "list": settlement.listed,
    }


def subject(order: Order, settlement: Settlement) -> str:
    """Return the name under which usage is counted."""
    quality = order.recorded.get("quality", "")
    return spell(order.team, order.app, order.key, order.endpoint, quality, settlement.state)


def job(fields: dict[str, str], refusal: str | None) -> Job:
    """Parse a job's record, and the refusal that it ended with."""
    order = msgspec.json.decode(fields["order"], type=Order)
    if "input" in fields:
        order = msgspec.structs.replace(order, input=msgspec.json.decode(fields["input"]))
    remaining = int(fields.get("remaining", -1))
    answer = msgspec.json.decode(refusal or "null", type=FalAnswer | None)
    if answer is None and "answered" in fields:
        # Without an answer, it would look like a purchase that was given up before it was sent.
        answer = _FORGOTTEN
    return msgspec.convert(
        {
            "order": order,
            "accounts": [account_of(key)[1] for key in fields["accounts"].split(" ")],
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
            "kept": fields.get("kept") == "1",
            "answer": answer,
            "trouble": fields.get("trouble", ""),
            "troubled_ms": int(fields.get("troubled_ms", 0)),
        },
        Job,
    )


def asked(wanted: RequestSpec) -> str:
    """Encode a request without its arguments, which contain the prompt and are deleted earlier."""
    return msgspec.json.encode(msgspec.structs.replace(wanted, arguments={})).decode()


def request(fields: dict[str, str]) -> QueuedRequest:
    """Parse a request's record."""
    wanted = msgspec.json.decode(fields["asked"], type=RequestSpec)
    if "arguments" in fields:
        arguments = msgspec.json.decode(fields["arguments"])
        wanted = msgspec.structs.replace(wanted, arguments=arguments)
    outcome = fields.get("outcome", "null")
    done = fields["state"] == "done"
    return msgspec.convert(
        {
            "asked": wanted,
            "state": fields["state"],
            "job": fields.get("job", ""),
            "flight": fields.get("flight", ""),
            "leads": fields.get("leads") == "1",
            "pool": msgspec.json.decode(fields.get("pool", "[]"), type=tuple[Picture, ...]),
            "began_ms": int(fields["began_ms"]),
            "ended_ms": int(fields.get("ended_ms", 0)),
            "answer": msgspec.json.decode(outcome, type=answered.Answer) if done else None,
            "failure": None if done else msgspec.json.decode(outcome, type=Failure | None),
        },
        QueuedRequest,
    )
