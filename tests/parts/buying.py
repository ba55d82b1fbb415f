"""Pictures that tests of the console buy: by an app's key, or in the playground as a person."""

import re
import time
from html import unescape
from typing import Any, NamedTuple

import httpx
from patience import PATIENCE_S
from visiting import hidden, sign_in, visit

MODEL = "openai/gpt-image-2"
_FIELD = re.compile(r'<(input|textarea|select)[^>]*? name="([^"]+)"[^>]*>', re.DOTALL)


class Shopper(NamedTuple):
    """An app with a key, of a team that keeps prompts.

    Attributes:
        gateway: Where it buys.
        app: "team/app".
        key_id: Of its key.
        secret: The key itself.
    """

    gateway: Any
    app: str
    key_id: str
    secret: str

    def buy(self, prompt: str, **more: Any) -> str:
        """Buy a picture, or get it from the cache; its file's name."""
        body = {"prompt": prompt, "quality": "low", **more}
        headers = {"Authorization": f"Key {self.secret}"}
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            answer = client.post(f"{self.gateway.url}/{MODEL}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        url: str = answer.json()["images"][0]["url"]
        return url.rpartition("/")[2]


def api(gateway: Any) -> httpx.Client:
    """A client of a gateway's administration."""
    return httpx.Client(
        base_url=f"{gateway.url}/admin/v1",
        headers={"Authorization": f"Key {gateway.admin_key}"},
        trust_env=False,
        timeout=PATIENCE_S,
    )


def shopper(gateway: Any, app: str, *, keep_prompts: bool = True) -> Shopper:
    """Set up an app with a key."""
    team, _, name = app.partition("/")
    asked = {"team": team, "app": name, "key": {"name": "first"}}
    with api(gateway) as admin:
        made = admin.post("/setup", json=asked)
        assert made.status_code == 201, made.text
        cache = {"cache": {"keep_prompts": keep_prompts}}
        admin.patch(f"/teams/{team}/apps/{name}", json=cache).raise_for_status()
    return Shopper(gateway, app, made.json()["record"]["id"], made.json()["key"])


def operator(gateway: Any, role: str, name: str, **more: Any) -> httpx.Client:
    """A client of the console that signed in as another operator."""
    with api(gateway) as admin:
        made = admin.post("/operators", json={"role": role, "name": name, **more})
        assert made.status_code == 201, made.text
    return sign_in(visit(gateway), made.json()["key"])


def filled_in(page: httpx.Response) -> dict[str, str]:
    """What a browser would send of the playground's form, as it is shown at first."""
    form = page.text[page.text.index('id="play"') :]
    form = form[: form.index("</form>")]
    found = {}
    for match in _FIELD.finditer(form):
        kind, name, tag = match[1], match[2], match[0]
        rest = form[match.end() :]
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                found[name] = "yes"
        elif kind == "select":
            options = rest[: rest.index("</select>")]
            values = re.findall(r'value="([^"]*)"( selected)?', options)
            found[name] = unescape(max(values, key=lambda each: bool(each[1]))[0])
        elif kind == "textarea":
            found[name] = unescape(rest[: rest.index("</textarea>")]).removeprefix("\n")
        elif 'type="file"' not in tag:
            value = re.search(r'value="([^"]*)"', tag)
            found[name] = unescape(value[1]) if value else ""
    return found


def play(visitor: httpx.Client, prompt: str, *, at: str = "/playground", **more: Any) -> str:
    """Buy in the playground; the path of what comes of it, behind the console's."""
    page = visitor.get(at)
    fields = {**filled_in(page), **hidden(page, "/console/playground"), "a.prompt": prompt, **more}
    taken = visitor.post("/playground", data=fields)
    assert taken.status_code == 303, taken.text
    return taken.headers["location"].removeprefix("/console")


def ended(visitor: httpx.Client, path: str) -> httpx.Response:
    """The page of a request in the playground, once it has ended."""
    deadline_s = time.monotonic() + PATIENCE_S
    while "data-live" in (page := visitor.get(path)).text:
        assert time.monotonic() < deadline_s, page.text
        time.sleep(0.02)
    return page
