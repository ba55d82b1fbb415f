"""Two teams of a gateway that bought, and operators who administer them."""

from typing import Any, NamedTuple

import httpx
from patience import PATIENCE_S

MODEL = "/fal-ai/gpt-image-1.5"
PROMPT = "a secret garden of rivals"
RIVALS = "rivals"


class Staged(NamedTuple):
    """A gateway with two teams that bought.

    Attributes:
        url: Of its administration.
        gateway: It.
        keys: Of operators, by role.
        names: What paths may name of the other team.
        own: What they may name of the lead's team.
        secret: What no lead may be told.
    """

    url: str
    gateway: Any
    keys: dict[str, str]
    names: dict[str, str]
    own: dict[str, str]
    secret: set[str]

    def client(self, role: str) -> httpx.Client:
        """A client of an operator of this role."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Key {self.keys[role]}"},
            trust_env=False,
            timeout=PATIENCE_S,
        )


def _stage(gateway: Any, admin: httpx.Client, team: str, prompt: str) -> dict[str, str]:
    admin.post("/teams", json={"name": team}).raise_for_status()
    cache = {"keep_prompts": True}
    app = f"{team}-app"
    admin.post(f"/teams/{team}/apps", json={"name": app, "cache": cache}).raise_for_status()
    key = admin.post("/keys", json={"team": team, "app": app, "name": f"key of {team}"}).json()
    for account in (f"team:{team}", f"app:{team}:{app}", f"key:{key['record']['id']}"):
        admin.put(f"/budgets/{account}/day", json={"limit_usd": "5"}).raise_for_status()
    admin.put(f"/stops/app:{team}:{app}", json={"why": f"of {team}"}).raise_for_status()
    admin.delete(f"/stops/app:{team}:{app}").raise_for_status()
    bought = httpx.post(
        gateway.url + MODEL,
        json={"prompt": prompt, "quality": "low"},
        headers={"Authorization": f"Key {key['key']}"},
        timeout=PATIENCE_S,
    ).raise_for_status()
    (pool,) = admin.post("/cache/pools/find", json={"prompt": prompt}).json()
    assert pool["prompt"] == prompt
    return {
        "team": team,
        "app": app,
        "account_name": f"app:{team}:{app}",
        "subject_name": f"app:{team}:{app}",
        "window": "day",
        "key_id": key["record"]["id"],
        "fingerprint": pool["fingerprint"],
        "name": bought.json()["images"][0]["file_name"],
        "model_name": "openai:gpt-image-2",
        "alias_name": "acme:image",
        "request_id": "request-1",
        "operator_id": "nobody",
    }


def two_teams(gateway: Any) -> Staged:
    """See `Staged`."""
    url = f"{gateway.url}/admin/v1"
    made = Staged(url, gateway, {"admin": gateway.admin_key}, {}, {}, set())
    with made.client("admin") as admin:
        made.names.update(_stage(gateway, admin, RIVALS, PROMPT))
        made.own.update(_stage(gateway, admin, "web", "a lighthouse of our own"))
        roles: dict[str, dict[str, str]] = {"viewer": {}, "lead": {"team": "web"}}
        for role, more in roles.items():
            body = {"role": role, "name": f"{role}-1", **more}
            reply = admin.post("/operators", json=body).raise_for_status()
            made.keys[role] = reply.json()["key"]
    of_rivals = ("app", "key_id", "fingerprint", "name")
    made.secret.update({RIVALS, *(made.names[each] for each in of_rivals)})
    return made
