"""A visitor of the console without a browser, who signs in and fills in the forms of its pages."""

import re
from html import unescape
from typing import Any

import httpx
from patience import PATIENCE_S

from falgate.console.entrance import COOKIE

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def visit(gateway: Any, **options: Any) -> httpx.Client:
    """A client of a gateway's console that has no session yet."""
    base = f"{gateway.url}/console"
    return httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE_S, **options)


def sign_in(visitor: httpx.Client, key: str) -> httpx.Client:
    """Sign a visitor in, who follows no redirect by themselves."""
    answer = visitor.post("/sign-in", data={"key": key})
    assert (answer.status_code, COOKIE in visitor.cookies) == (303, True), answer.text
    return visitor


def hidden(page: httpx.Response, action: str = "") -> dict[str, str]:
    """The hidden fields of a page's form: of the one that is sent to `action`, else of the last."""
    forms = re.findall(r'<form[^>]* method="post"[^>]*>.*?</form>', page.text, re.DOTALL)
    chosen = [each for each in forms if f'action="{action}"' in each] if action else forms[-1:]
    assert chosen, f"no form is sent to {action or 'anywhere'}:\n{page.text}"
    return {name: unescape(value) for name, value in _HIDDEN.findall(chosen[0])}


def send(visitor: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    """Send the form of a page, and confirm what it asks; the last answer."""
    page = visitor.get(path)
    asked = visitor.post(path, data={**hidden(page), **fields})
    return confirm(visitor, path, asked)


def confirm(visitor: httpx.Client, path: str, asked: httpx.Response) -> httpx.Response:
    """Press the button of a page that asks whether a change is meant."""
    assert asked.status_code == 200, asked.text
    return visitor.post(path, data=hidden(asked))


def api(gateway: Any) -> httpx.Client:
    """A client of the admin API of a gateway."""
    headers = {"Authorization": f"Key {gateway.admin_key}"}
    base = f"{gateway.url}/admin/v1"
    return httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=PATIENCE_S)
