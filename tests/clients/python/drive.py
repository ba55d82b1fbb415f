"""Makes calls with fal's Python client as an app would, for a test that looks at the answers.

Standard input is a JSON list of calls: {"call", "model", "arguments"}; a call without arguments
is about the request submitted before it. Standard output is a JSON list, one answer each.
"""

import importlib
import json
import logging
import sys
from typing import Any

# Only the environment that runs this file has the client, not the one that checks its types.
fal_client: Any = importlib.import_module("fal_client")


class Attempts(logging.Handler):
    """Counts what goes over the wire: httpcore, beneath all, logs each step of every exchange."""

    number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count the first step of an exchange."""
        self.number += record.getMessage().startswith("send_request_headers.started")


def result_of(call: dict[str, Any], request_id: str) -> Any:
    """What the client returned, as JSON."""
    name, model = call["call"], call["model"]
    if name in ("run", "subscribe"):
        return getattr(fal_client, name)(model, arguments=call["arguments"])
    if name == "submit":
        return {"request_id": fal_client.submit(model, arguments=call["arguments"]).request_id}
    answer = getattr(fal_client, name)(model, request_id)
    return type(answer).__name__ if name == "status" else answer


def main() -> None:
    """Make the calls one after the other."""
    attempts = Attempts()
    logging.getLogger("httpcore.http11").addHandler(attempts)
    logging.getLogger("httpcore.http11").setLevel(logging.DEBUG)
    request_id, answers = "", []
    for call in json.load(sys.stdin):
        attempts.number = 0
        try:
            result = result_of(call, request_id)
            request_id = result["request_id"] if call["call"] == "submit" else request_id
            answer = {"ok": True, "result": result}
        except fal_client.FalClientHTTPError as error:
            answer = {
                "ok": False,
                "error": type(error).__name__,
                "status": error.status_code,
                "body": error.response.json(),
            }
        answers.append({**answer, "attempts": attempts.number})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
