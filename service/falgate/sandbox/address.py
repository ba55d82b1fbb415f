"""Addresses: which of fal's hosts a path belongs to, and which model, request and action it names.

fal has the same paths on two hosts. Here the prefixes /queue and /run stand for the hosts; without
one, a Host that starts with "queue." does, and anything else is the synchronous route.
"""

from typing import Literal

import msgspec

Service = Literal["queue", "run", "platform"]

_PLATFORM = ("v1", "models")
_APP_PARTS = 2


class Address(msgspec.Struct, frozen=True):
    """What a path names.

    Attributes:
        service: The part of fal that is asked.
        prefix: What stands before the model in the path.
        target: The endpoint, or the platform's list.
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


def read(path: str, host: str) -> Address:
    """The address of a request's path; slashes at its end do not matter."""
    parts = tuple(part for part in path.split("/") if part)
    if _PLATFORM in (parts[:2], parts[1:3]):
        return Address("platform", "", "/".join(parts[parts.index("models") + 1 :]))
    prefix = ""
    service: Service = "queue" if host.startswith("queue.") else "run"
    if parts[:1] == ("queue",) or parts[:1] == ("run",):
        service, prefix, parts = (
            "queue" if parts[0] == "queue" else "run",
            f"/{parts[0]}",
            parts[1:],
        )
    if service == "queue" and "requests" in parts[_APP_PARTS:-1]:
        cut = parts.index("requests", _APP_PARTS)
        action = "/".join(parts[cut + 2 :])
        return Address(service, prefix, "/".join(parts[:cut]), parts[cut + 1], action)
    return Address(service, prefix, "/".join(parts))
