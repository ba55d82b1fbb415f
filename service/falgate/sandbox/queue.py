"""fal's queue: submit, status, status stream, result and cancel."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp

from falgate.fal.paths import METHODS, Route, wants_logs
from falgate.sandbox import outcome, refusals
from falgate.sandbox.answer import Answer, said
from falgate.sandbox.behaviour import Place
from falgate.sandbox.faults import spoilt
from falgate.sandbox.record import Record, life, new_id
from falgate.sandbox.state import Refused, SandboxState

_RESULT = ("", "response")
# Poll interval of a stream: a cancel may arrive, even through another process.
_LOOK_S = 0.1


async def serve(state: SandboxState, request: Request[Any, Any, Any], route: Route) -> ASGIApp:
    """Handle a call to the queue."""
    if route.request_id is None:
        if request.method != "POST":
            return refusals.platform(405, new_id(time.time()))
        return await _submit(state, request, route)
    record = _find(state, request, route, route.request_id)
    base_url = state.base_url(request)
    urls = route.urls(base_url, record.id, fixed=state.fixed_url is not None)
    match route.action:
        case "status":
            course = life(record)
            now_s = time.time()
            body = _status(record, urls, now_s, logs=wants_logs(request.query_params))
            code = 200 if course.status(now_s) == "COMPLETED" else 202
            return state.spoil(said(code, body, record.id), record, "status", base_url)
        case "status/stream":
            return _stream(state, record, urls, base_url, logs=wants_logs(request.query_params))
        case "cancel":
            return _cancel(state, record)
        case _:
            return await _result(state, record, urls, base_url)


def _find(
    state: SandboxState, request: Request[Any, Any, Any], route: Route, request_id: str
) -> Record:
    """Return the record that a call is about.

    Raises:
        Refused: There is no such path, method or request.
    """
    state.authenticate(request)
    action = route.action
    if action not in METHODS:
        path = f"/requests/{request_id}/{action}"
        raise Refused(refusals.platform(404, request_id, f"Path {path} not found"))
    # Request paths have the owner and alias only; fal rejects the full endpoint.
    if route.target != route.app or request.method != METHODS[action]:
        raise Refused(refusals.platform(405, request_id))
    name = "result" if action in _RESULT else action
    state.visits.routes[name] += 1
    record = state.records.get(request_id)
    if record is not None and f"{record.endpoint}/".startswith(f"{route.app}/"):
        return record
    place: Place = "result" if name == "result" else "status"
    raise Refused(refusals.failing(404, request_id, place))


async def _submit(state: SandboxState, request: Request[Any, Any, Any], route: Route) -> ASGIApp:
    record = await state.accept(request, route)
    base_url = state.base_url(request)
    urls = route.urls(base_url, record.id, fixed=state.fixed_url is not None)
    body: dict[str, Any] = {
        "status": "IN_QUEUE",
        **urls,
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }
    if record.webhook is not None:
        body["gateway_request_id"] = record.id
        state.hooks.expect(record, base_url)
    await asyncio.sleep(record.behaviour.submit_s)
    return state.spoil(said(200, body, record.id), record, "accepted", base_url)


def _cancel(state: SandboxState, record: Record) -> ASGIApp:
    now_s = time.time()
    if life(record).status(now_s) == "COMPLETED":
        return said(400, {"status": "ALREADY_COMPLETED"}, record.id)
    if record.cancelled_s is None:
        state.records.put(msgspec.structs.replace(record, cancelled_s=now_s))
    return said(202, {"status": "CANCELLATION_REQUESTED"}, record.id)


async def _result(
    state: SandboxState, record: Record, urls: dict[str, str], base_url: str
) -> ASGIApp:
    if life(record).status(time.time()) != "COMPLETED":
        return said(400, {"detail": "Request is still in progress", **urls}, record.id)
    # Inline pictures are drawn for the response, which takes a while.
    spec = state.models[record.endpoint]
    answer = await asyncio.to_thread(outcome.result, record, spec, base_url)
    return state.spoil(answer, record, "result", base_url)


def _stream(
    state: SandboxState, record: Record, urls: dict[str, str], base_url: str, *, logs: bool
) -> ASGIApp:
    headers = {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-fal-request-id": record.id,
    }
    if state.visits.fault_due(record, "status"):
        # A damaged stream has at most its first event.
        event = _event(_status(record, urls, time.time(), logs=logs))
        return spoilt(Answer(200, event, headers), record.behaviour, "status", base_url)
    events = _events(state, record, urls, logs=logs)
    return ASGIStreamingResponse(iterator=events, headers=headers, status_code=200)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


async def _events(
    state: SandboxState, record: Record, urls: dict[str, str], *, logs: bool
) -> AsyncIterator[bytes]:
    told = ""
    spoke_s = time.monotonic()
    while told != "COMPLETED":
        record = state.records.get(record.id) or record
        now_s = time.time()
        status = life(record).status(now_s)
        if status != told:
            yield _event(_status(record, urls, now_s, logs=logs))
            told, spoke_s = status, time.monotonic()
        elif time.monotonic() - spoke_s >= record.behaviour.keepalive_s:
            yield b": keep-alive\n\n"
            spoke_s = time.monotonic()
        else:
            await asyncio.sleep(_pause_s(record, now_s))


def _pause_s(record: Record, now_s: float) -> float:
    course = life(record)
    coming_s = [moment - now_s for moment in (course.starts_s, course.ends_s) if moment > now_s]
    return min([_LOOK_S, record.behaviour.keepalive_s, *coming_s])


def _status(record: Record, urls: dict[str, str], now_s: float, *, logs: bool) -> dict[str, Any]:
    course = life(record)
    status = course.status(now_s)
    body: dict[str, Any] = {"status": status, **urls}
    if status == "IN_QUEUE":
        return {**body, "queue_position": 0}
    body["logs"] = _logs(record, now_s) if logs else None
    if status == "COMPLETED":
        worked_s = 0.0 if math.isinf(course.starts_s) else course.worked_s
        body["metrics"] = {"inference_time": worked_s}
        failure = outcome.failure(record)
        if failure is not None:
            told = msgspec.json.decode(failure.body)
            body["error"] = f"Invalid status code: {failure.status}"
            issues = told["detail"]
            body["error_type"] = (
                issues[0]["type"] if isinstance(issues, list) else told.get("error_type")
            )
    return body


def _logs(record: Record, now_s: float) -> list[dict[str, Any]]:
    """Return all lines so far; like fal, each poll repeats them."""
    course = life(record)
    lines = [(course.starts_s, "Generating"), (course.ends_s, "Finished")]
    return [
        {
            "message": message,
            "timestamp": datetime.fromtimestamp(moment_s, UTC).isoformat(),
            "level": "INFO",
            "source": "USER",
        }
        for moment_s, message in lines
        if moment_s <= now_s
    ]
