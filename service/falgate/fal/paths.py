"""fal's paths: which of its hosts one belongs to, and which model, request and action it names.

fal has the same paths on two hosts. Here the prefixes /queue and /run stand for the hosts; without
one, a Host that starts with "queue." does, and anything else is the synchronous route.
"""

from typing import Literal

import msgspec

Service = Literal["queue", "run"]

_APP_PARTS = 2


class Route(msgspec.Struct, frozen=True):
    """What a path names.

    Attributes:
        service: The host of fal's that it stands for.
        prefix: What stands before the model in the path.
        target: The endpoint.
        request_id: The request, where the path names one.
        action: What is asked of the request; "" for its result.
    """

    service: Service
    prefix: str
    target: str
    request_id: str | None = None
    action: str = ""

    @property
    def app(self) -> str:
        """The owner and the alias, under which requests live whatever the endpoint."""
        return "/".join(self.target.split("/")[:_APP_PARTS])

    @property
    def alias(self) -> str:
        """The name that fal uses in its refusals."""
        return self.app.rpartition("/")[2]


def read(path: str, host: str) -> Route:
    """The route of a request's path; slashes at its end do not matter."""
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
