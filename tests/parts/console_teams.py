"""A team of a gateway and what it did, and operators who look at it in the console."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
from patience import PATIENCE_S
from serving import MODEL

from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.store.request_logs import RequestLogs


class AdminApi(NamedTuple):
    """The admin API as the admin asks it, each time by a connection of its own.

    Attributes:
        gateway: Whose it is.
    """

    gateway: Any

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Send a request."""
        return httpx.request(
            method,
            f"{self.gateway.url}/admin/v1{path}",
            headers={"Authorization": f"Key {self.gateway.admin_key}"},
            trust_env=False,
            timeout=PATIENCE_S,
            **sent,
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Read something."""
        return self.ask("GET", path, params=query)

    def does(self, method: str, path: str, **body: Any) -> Any:
        """Change something; what it answers."""
        return self.ask(method, path, json=body).raise_for_status().json()


class Team(NamedTuple):
    """A team with one app and one key.

    Attributes:
        name: Of the team; its app is called "shop".
        key: Its key.
        key_id: The public id of that.
        api: The admin API, as the admin.
    """

    name: str
    key: str
    key_id: str
    api: AdminApi

    def ask(self, gateway: Any, **body: Any) -> str:
        """Ask for pictures as an app does; the request's id, which is logged by then."""
        answer = httpx.post(
            gateway.url + MODEL,
            json={"quality": "low", **body},
            headers={"Authorization": f"Key {self.key}"},
            trust_env=False,
            timeout=PATIENCE_S,
        )
        request_id = answer.headers["x-fal-request-id"]
        deadline_s = time.monotonic() + PATIENCE_S
        while self.api.get(f"/requests/{request_id}").status_code != httpx.codes.OK:
            assert time.monotonic() < deadline_s, answer.text
            time.sleep(0.02)
        return request_id

    def raised(self, times: int) -> None:
        """Raise the team's budget so often: an entry of the ledger and of the audit log each."""
        budget = f"/budgets/team:{self.name}/day"
        self.api.does("PUT", budget, limit_usd="5")
        for number in range(times):
            why = f"<b>{self.name}</b> {number}"
            self.api.does("POST", f"{budget}/raise", amount_usd="1", why=why)


def team_of(gateway: Any, name: str) -> Team:
    """Make a team; it stays."""
    api = AdminApi(gateway)
    api.does("POST", "/teams", name=name)
    api.does("POST", f"/teams/{name}/apps", name="shop")
    made = api.does("POST", "/keys", team=name, app="shop", name='<i>"odd"&')
    return Team(name, made["key"], made["record"]["id"], api)


@contextmanager
def looking(gateway: Any, role: str, team: str | None = None) -> Iterator[httpx.Client]:
    """A client of the console where somebody of this role has signed in."""
    key = gateway.admin_key
    if role != "admin":
        of = {"team": team} if team else {}
        key = AdminApi(gateway).does("POST", "/operators", role=role, name=role, **of)["key"]
    home = f"{gateway.url}/console"
    with httpx.Client(base_url=home, trust_env=False, timeout=PATIENCE_S) as client:
        assert client.post("/sign-in", data={"key": key}).status_code == httpx.codes.SEE_OTHER
        yield client


def log(gateway: Any, requests: Sequence[LoggedRequest]) -> None:
    """Log requests that nobody made."""

    async def add() -> None:
        async with gateway.redis() as redis:
            await RequestLogs(redis).add(requests)

    asyncio.run(add())


def logged(name: str, team: str, **changed: Any) -> LoggedRequest:
    """A hit of a team's."""
    fields: dict[str, Any] = {
        "id": name, "at_ms": 1_763_820_000_123, "outcome": "hit", "route": "run", "status": 200,
        "team": team, "app": "shop", "key": "k", "model": "a/b", "upstream": "sandbox",
        "pictures": 1, "saved": 9_000, "took_ms": 0.02, "fingerprint": "f",
    }  # fmt: skip
    return LoggedRequest(**{**fields, **changed})
