"""fal's platform API: the list of an endpoint's requests, and the billing events."""

import math
import re
import time
from datetime import UTC, datetime
from typing import Any

from litestar import Request
from litestar.types import ASGIApp

from falgate.core.money import dollars
from falgate.sandbox import outcome
from falgate.sandbox.answer import said
from falgate.sandbox.record import Record, life, new_id
from falgate.sandbox.state import Refused, SandboxState

_LIMIT = 50
_PATH = re.compile(r"(?:/[^/]+)?/v1/models/(.+?)/*")


def list_of(path: str) -> str | None:
    """Return which list a path names, or None."""
    found = _PATH.fullmatch(path)
    return found[1] if found else None


def serve(state: SandboxState, request: Request[Any, Any, Any], name: str) -> ASGIApp:
    """Handle a call to a list. The cursor of a page is the index of its first item."""
    now_s = time.time()
    try:
        state.authenticate(request)
    except Refused:
        return _error(401, "authorization_error", "API key authentication required", now_s)
    query = request.query_params
    ids = set(filter(None, query.get("request_id", "").split(",")))
    endpoints = set(filter(None, query.get("endpoint_id", "").split(",")))
    since_s, until_s = _seconds(query.get("start"), 0), _seconds(query.get("end"), math.inf)
    records = [
        record
        for record in state.records.all()
        if record.accepted
        and (not ids or record.id in ids)
        and (not endpoints or record.endpoint in endpoints)
    ]
    match name:
        case "billing-events":
            key = "billing_events"
            found = [
                _event(state, record, now_s)
                for record in records
                if _billed(record, now_s) and since_s <= life(record).ends_s < until_s
            ]
        case "requests/by-endpoint":
            key = "items"
            with_payloads = "payloads" in query.get("expand", "")
            found = [
                _item(record, now_s, with_payloads=with_payloads)
                for record in records
                if now_s >= record.submitted_s + record.behaviour.lag_s
                and not record.behaviour.unlisted
                and since_s <= record.submitted_s < until_s
            ]
        case _:
            return _error(404, "not_found", "Endpoint(s) not found", now_s)
    start, limit = _number(query.get("cursor"), 0), _number(query.get("limit"), _LIMIT)
    more = start + limit < len(found)
    page = {
        key: found[start : start + limit],
        "next_cursor": str(start + limit) if more else None,
        "has_more": more,
    }
    return said(200, page, new_id(now_s))


def _number(text: str | None, usual: int) -> int:
    return int(text) if text is not None and text.isdecimal() else usual


def _seconds(text: str | None, usual: float) -> float:
    try:
        return datetime.fromisoformat(text).timestamp() if text else usual
    except ValueError:
        return usual


def _error(status: int, kind: str, message: str, now_s: float) -> ASGIApp:
    return said(status, {"error": {"type": kind, "message": message}}, new_id(now_s))


def _billed(record: Record, now_s: float) -> bool:
    """Return whether the request's billing event has arrived."""
    course = life(record)
    if record.behaviour.unbilled:
        return False
    return course.ending == "worked" and now_s >= course.ends_s + record.behaviour.lag_s


def _event(state: SandboxState, record: Record, now_s: float) -> dict[str, Any]:
    spec = state.models[record.endpoint]
    micros = outcome.billed(record, spec, now_s)
    number = outcome.delivered(record, spec)
    cost = float(dollars(micros))
    return {
        "request_id": record.id,
        "endpoint_id": record.endpoint,
        "timestamp": _moment(life(record).ends_s),
        "output_units": float(number),
        "unit": "images",
        "unit_price": float(dollars(micros // number)) if number else 0.0,
        "percent_discount": 0,
        "cost_subtotal": cost,
        "cost_discount": 0,
        "cost_total": cost,
        "cost_estimate_nano_usd": micros * 1000,
    }


def _item(record: Record, now_s: float, *, with_payloads: bool) -> dict[str, Any]:
    course = life(record)
    failure = outcome.failure(record)
    item: dict[str, Any] = {
        "request_id": record.id,
        "endpoint_id": record.endpoint,
        "sent_at": _moment(record.submitted_s),
        "started_at": _moment(course.starts_s) if course.starts_s <= now_s else None,
        "ended_at": _moment(course.ends_s) if course.ends_s <= now_s else None,
        "status_code": None,
    }
    if course.ends_s <= now_s:
        item["status_code"] = 200 if failure is None else failure.status
    if with_payloads:
        item["json_input"] = record.received
    return item


def _moment(seconds: float) -> str | None:
    return None if math.isinf(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat()
