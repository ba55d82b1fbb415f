"""Every route, tried by a viewer and by a lead: what it declares is what they may do."""

import pkgutil
import re
from importlib import import_module
from typing import Any, NamedTuple

import httpx
import pytest
from patience import PATIENCE_S
from two_teams import MODEL, PROMPT, RIVALS, Staged

from falgate.admin import api
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import LEAD, READS


class Route(NamedTuple):
    """A route.

    Attributes:
        method: Its method.
        path: Its path, with placeholders.
        reads: Whether it declares that it changes nothing.
        lead: Whether it declares that leads may use it.
    """

    method: str
    path: str
    reads: bool
    lead: bool


def routes() -> list[Route]:
    """All that resources have."""
    modules = [
        import_module(f"{api.__name__}.{each.name}") for each in pkgutil.iter_modules(api.__path__)
    ]
    resources = {
        id(it): it for each in modules for it in vars(each).values() if isinstance(it, Resource)
    }
    return [
        Route(method, path, handler.opt[READS], handler.opt[LEAD])
        for resource in resources.values()
        for handler in resource.handlers
        for method in handler.http_methods
        for path in handler.paths
    ]


ROUTES = routes()


def _named(path: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: names.get(found[1], "x"), path)


def test_what_is_not_there_is_not_there_for_any_role(staged: Staged) -> None:
    for role in ("viewer", "lead"):
        with staged.client(role) as client:
            assert client.get("/nowhere").status_code == 404
            assert client.post("/nowhere/x").status_code == 404


def test_the_walk_has_every_route_of_the_document(staged: Staged) -> None:
    document = httpx.get(f"{staged.gateway.url}/docs/openapi.json", timeout=PATIENCE_S).json()
    documented = {
        (method.upper(), path.removeprefix("/admin/v1"))
        for path, methods in document["paths"].items()
        if path.startswith("/admin/v1/")
        for method in methods
    }

    plain = {(each.method, re.sub(r"\{(\w+):\w+\}", r"{\1}", each.path)) for each in ROUTES}
    assert plain == documented
    unread = [each.path for each in ROUTES if each.method == "GET" and not each.reads]
    assert unread == ["/playground/{request_id:str}"]  # what only who bought looks at


@pytest.mark.parametrize("route", ROUTES, ids=lambda each: f"{each.method} {each.path}")
def test_a_viewer_sees_all_and_changes_nothing(route: Route, staged: Staged) -> None:
    with staged.client("admin") as admin, staged.client("viewer") as viewer:
        before = admin.get("/audit").text
        path = _named(route.path, staged.names)
        bodies: list[Any] = [None] if route.method == "GET" else [{}, {"prompt": PROMPT}]
        for body in bodies:
            done = viewer.request(route.method, path, json=body)

            assert (done.status_code == 403) == (not route.reads), done.text
            assert done.status_code < 500
            assert PROMPT not in done.text
            assert "digest" not in done.text.replace("prompt_digest", "")
            assert "fg_" not in done.text.replace("fg_oper_...", "")
        assert admin.get("/audit").text == before


QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"of": RIVALS},
    {"app": f"{RIVALS}/{RIVALS}-app"},
    {"team": RIVALS},
    {"books": "test"},
)


@pytest.mark.parametrize("route", ROUTES, ids=lambda each: f"{each.method} {each.path}")
def test_a_lead_is_told_nothing_of_another_team_and_changes_nothing_there(
    route: Route, staged: Staged
) -> None:
    with staged.client("admin") as admin, staged.client("lead") as lead:
        before = admin.get("/audit").text
        for names in (staged.names, staged.own | {"app": staged.names["app"]}):
            for query in QUERIES:
                body: Any = None if route.method == "GET" else {}
                if route.path.endswith("/find"):
                    body = {"prompt": PROMPT}
                if names is not staged.names and route.method != "GET":
                    continue  # it may change what is its own
                path = _named(route.path, names)
                done = lead.request(route.method, path, params=query, json=body)

                assert done.status_code < 500, done.text
                if not route.lead:
                    assert done.status_code == 403
                if done.is_success:
                    assert not {each for each in staged.secret if each in done.text}, done.text
                assert PROMPT not in done.text
        assert admin.get("/audit").text == before


@pytest.mark.parametrize("path", [MODEL, f"/queue{MODEL}", f"/v1/quote{MODEL}"])
@pytest.mark.parametrize("role", ["viewer", "lead"])
def test_an_operators_key_opens_no_route_of_apps(role: str, path: str, staged: Staged) -> None:
    body = {"prompt": "x", "quality": "low"}
    for scheme in ("Key", "Bearer"):
        headers = {"Authorization": f"{scheme} {staged.keys[role]}"}
        refused = httpx.post(
            staged.gateway.url + path, json=body, headers=headers, timeout=PATIENCE_S
        )
        assert refused.status_code == 401
        assert staged.keys[role] not in refused.text
        for other in ("live", "test"):
            forged = staged.keys[role].replace("oper", other)
            headers = {"Authorization": f"{scheme} {forged}"}
            refused = httpx.post(
                staged.gateway.url + path, json=body, headers=headers, timeout=PATIENCE_S
            )
            assert refused.status_code == 401
    assert staged.keys[role] not in staged.gateway.logged()
