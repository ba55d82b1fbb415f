"""Paths of fal's API: host, model, request and action that a path names.

fal serves the same paths on two hosts. Here the prefixes /queue and /run select the host; without a
prefix, a Host header that starts with "queue." means the queue, and any other the synchronous API.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Service = Literal["queue", "run"]

METHODS = {"": "GET", "response": "GET", "status": "GET", "status/stream": "GET", "cancel": "PUT"}
"""The method of each action on a request of the queue."""

_APP_PARTS = 2


class Route(msgspec.Struct, frozen=True):
    """A parsed path.

    Attributes:
        service: Which of fal's hosts is meant.
        prefix: Path prefix before the model.
        target: The endpoint.
        request_id: The request, if the path names one.
        action: Operation on the request; "" for its result.
    """

    service: Service
    prefix: str
    target: str
    request_id: str | None = None
    action: str = ""

    @property
    def app(self) -> str:
        """Owner and alias; a request's URL has only these two parts of its endpoint."""
        return "/".join(self.target.split("/")[:_APP_PARTS])

    @property
    def alias(self) -> str:
        """The application name that fal uses in its error messages."""
        return self.app.rpartition("/")[2]

    def urls(self, base_url: str, request_id: str, *, fixed: bool) -> dict[str, str]:
        """Return a request's id and URLs, as a submit and its status tell them.

        Args:
            base_url: Without a trailing slash.
            request_id: The request.
            fixed: Whether the base was configured: then no Host names the queue, so a prefix does.
                Otherwise the URLs have the prefix of this path.
        """
        place = f"{base_url}{'/queue' if fixed else self.prefix}/{self.app}/requests/{request_id}"
        return {
            "request_id": request_id,
            "response_url": place,
            "status_url": f"{place}/status",
            "cancel_url": f"{place}/cancel",
        }


def wants_logs(query: Mapping[str, str]) -> bool:
    """Return whether a query asks for the model's log lines."""
    return query.get("logs", "").lower() in {"1", "true"}


def read(path: str, host: str) -> Route:
    """Parse a request's path; trailing slashes are ignored."""
    parts = tuple(part for part in path.split("/") if part)
    prefix = ""
    service: Service = "queue" if host.lower().startswith("queue.") else "run"
    if parts[:1] in {("queue",), ("run",)}:
        service, prefix = "queue" if parts[0] == "queue" else "run", f"/{parts[0]}"
        parts = parts[1:]
    if service == "queue" and "requests" in parts[_APP_PARTS:-1]:
        cut = parts.index("requests", _APP_PARTS)
        action = "/".join(parts[cut + 2 :])
        return Route(service, prefix, "/".join(parts[:cut]), parts[cut + 1], action)
    return Route(service, prefix, "/".join(parts))
