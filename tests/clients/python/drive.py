"""Makes calls with fal's Python client as an app would, for a test that looks at the answers.

Each line of standard input is a call in JSON: {"call", "model", "arguments", "options",
"asynchronous"}; an upload has {"data", "content_type"} instead. One without arguments is about the
request submitted before it, or about its "request_id". Each is answered by a line of standard
output.
"""

import asyncio
import base64
import importlib
import inspect
import json
import logging
import os
import socket
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

# Only the environment that runs this file has the client, not the one that checks its types.
fal_client: Any = importlib.import_module("fal_client")

ABOUT_A_REQUEST = {"status", "result", "cancel"}


class Attempts(logging.Handler):
    """Counts what goes over the wire: httpcore, beneath all, logs each step of every exchange."""

    number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count the first step of an exchange."""
        self.number += record.getMessage().startswith("send_request_headers.started")


def know_names_of_this_machine() -> None:
    """Find what ends in .localhost here, which not every system's resolver does by itself."""
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        local = name is not None and name.endswith(".localhost")
        return look_up("localhost" if local else host, *rest, **options)

    socket.getaddrinfo = look_up_here


def upload_here() -> None:
    """Upload to where the client runs models: its hosts for that are constants."""
    host = os.environ["FAL_RUN_HOST"]
    fal_client.client.REST_URL = f"https://{host}/rest"
    fal_client.client.CDN_URL = f"https://{host}/cdn"


def told(status: Any) -> dict[str, Any]:
    """A status as JSON, with the name of its class."""
    return {"type": type(status).__name__, **asdict(status)}


def file(call: dict[str, Any]) -> tuple[bytes, str]:
    """The bytes of a file, and its type; of a large one no more than its size is told."""
    if "size" in call:
        return bytes(call["size"]), call["content_type"]
    return base64.b64decode(call["data"]), call["content_type"]


def upload(call: dict[str, Any], suffix: str) -> Any:
    """Upload bytes."""
    return getattr(fal_client, f"upload{suffix}")(*file(call), **call.get("options", {}))


def upload_file(call: dict[str, Any], suffix: str) -> Any:
    """Upload what is in a file, whose name tells its type."""
    data, content_type = file(call)
    path = Path(tempfile.mkdtemp()) / f"picture.{content_type.rpartition('/')[2]}"
    path.write_bytes(data)
    return getattr(fal_client, f"upload_file{suffix}")(path)


def encode(call: dict[str, Any], _: str) -> Any:
    """Make a data URI, for which nothing is asked."""
    return fal_client.encode(*file(call))


ABOUT_A_FILE = {"upload": upload, "upload_file": upload_file, "encode": encode}


def shown(result: Any) -> Any:
    """What a call returned, as JSON."""
    if hasattr(result, "request_id"):
        return {"request_id": result.request_id}
    return told(result) if isinstance(result, fal_client.Status) else result


class Caller:
    """An app: it makes calls and remembers the request that it submitted last."""

    def __init__(self) -> None:
        self.request_id = ""
        self.runner = asyncio.Runner()

    def make(self, call: dict[str, Any]) -> Any:
        """What the client returned, as JSON; the client's exceptions go through."""
        if call.get("asynchronous"):
            return self.runner.run(self.later(call))
        return self.now(call)

    def now(self, call: dict[str, Any]) -> Any:
        """By the synchronous client."""
        if call["call"] in ABOUT_A_FILE:
            return ABOUT_A_FILE[call["call"]](call, "")
        if call["call"] == "iter_events":
            handle = fal_client.submit(call["model"], arguments=call["arguments"])
            seen = [told(status) for status in handle.iter_events(**call.get("options", {}))]
            return {"updates": seen, "result": handle.get()}
        updates: list[Any] = []
        return self.noted(self.prepared(call, "", updates)(), updates)

    async def later(self, call: dict[str, Any]) -> Any:
        """By the asynchronous client."""
        if call["call"] in ABOUT_A_FILE:
            return await ABOUT_A_FILE[call["call"]](call, "_async")
        if call["call"] == "iter_events":
            handle = await fal_client.submit_async(call["model"], arguments=call["arguments"])
            options = call.get("options", {})
            seen = [told(status) async for status in handle.iter_events(**options)]
            return {"updates": seen, "result": await handle.get()}
        updates: list[Any] = []
        return self.noted(await self.prepared(call, "_async", updates)(), updates)

    def prepared(self, call: dict[str, Any], suffix: str, updates: list[Any]) -> Any:
        """The call, yet to be made; what it says of the queue goes to `updates`."""
        options = dict(call.get("options", {}))
        if options.get("with_logs") and call["call"] == "subscribe":
            options["on_queue_update"] = lambda status: updates.append(told(status))
        function = partial(getattr(fal_client, call["call"] + suffix), call["model"], **options)
        if call["call"] in ABOUT_A_REQUEST:
            return partial(function, call.get("request_id", self.request_id))
        return partial(function, arguments=call["arguments"])

    def noted(self, result: Any, updates: list[Any]) -> Any:
        """The result as JSON, with what was said on the way where that was asked for."""
        self.request_id = getattr(result, "request_id", self.request_id)
        return {"updates": updates, "result": result} if updates else shown(result)


def failure(error: Exception) -> dict[str, Any]:
    """An exception as the app that catches it sees it."""
    # Before 0.11.0 the error has no more than words; the answer is in what caused it.
    response = getattr(error, "response", getattr(error.__cause__, "response", None))
    return {
        "ok": False,
        "error": type(error).__name__,
        "classes": [kind.__name__ for kind in inspect.getmro(type(error))],
        "tells_status": hasattr(error, "status_code"),
        "message": str(error),
        "status": response.status_code if response is not None else None,
        "body": response.json() if response is not None else None,
    }


def main() -> None:
    """Make the calls one after the other."""
    know_names_of_this_machine()
    upload_here()
    attempts = Attempts()
    logging.getLogger("httpcore.http11").addHandler(attempts)
    logging.getLogger("httpcore.http11").setLevel(logging.DEBUG)
    caller = Caller()
    for line in sys.stdin:
        attempts.number = 0
        try:
            answer = {"ok": True, "result": caller.make(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - which one it is, is for the test to say
            answer = failure(error)
        print(json.dumps({**answer, "attempts": attempts.number}), flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    main()
