"""A page as one signed-in operator sees it: what every handler of a page is given."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Request
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from msgspec.structs import replace

from falgate.accounts.operator import Operator, Role
from falgate.console.api import Api
from falgate.console.assets import URLS
from falgate.console.diff import differences
from falgate.console.forms import Form
from falgate.console.session import Session
from falgate.console.store.sessions import Sessions

HOME = "/console"
_FORM_BYTES = 16
_EVERYBODY: tuple[Role, ...] = ("admin", "viewer", "lead")
_OVERSEERS: tuple[Role, ...] = ("admin", "viewer")


class Section(NamedTuple):
    """An entry of the navigation.

    Attributes:
        name: What the entry says.
        path: Where it leads, behind `HOME`.
        group: The heading that it stands under.
        roles: Who sees it.
    """

    name: str
    path: str
    group: str
    roles: tuple[Role, ...] = _EVERYBODY


SECTIONS = (
    Section("Overview", "", "See"),
    Section("Requests", "/requests", "See"),
    Section("Ledger", "/ledger", "See"),
    Section("Gallery", "/gallery", "See"),
    Section("Playground", "/playground", "See", ("admin", "lead")),
    Section("Teams & apps", "/teams", "Manage"),
    Section("Keys", "/keys", "Manage"),
    Section("Budgets", "/budgets", "Manage"),
    Section("Models", "/models", "Manage", _OVERSEERS),
    Section("Stops", "/stops", "Manage"),
    Section("Operators", "/operators", "Govern", _OVERSEERS),
    Section("Audit log", "/audit", "Govern", _OVERSEERS),
    Section("Configuration", "/config", "Govern", _OVERSEERS),
)


class Visitor(NamedTuple):
    """Whose session a request belongs to.

    Attributes:
        session_id: Its secret id.
        session: Its state.
        operator: Who they are now.
    """

    session_id: str
    session: Session
    operator: Operator


class Page:
    """One request of somebody who is signed in.

    Attributes:
        api: The admin API, as they see it.
        operator: Who they are.
        form: What they sent, where the request changes something.
    """

    def __init__(
        self,
        request: Request[Any, Any, Any],
        visitor: Visitor,
        *,
        api: Api,
        sessions: Sessions,
        form: Form | None,
    ) -> None:
        """Answer a request of a visitor."""
        self.api = api
        self.operator = visitor.operator
        self.form = form or Form(())
        self._request = request
        self._visitor = visitor
        self._sessions = sessions

    @property
    def query(self) -> Mapping[str, str]:
        """The query, of which each name has its last value."""
        return dict(self._request.query_params)

    @property
    def path(self) -> str:
        """The path, and where a form of this page is sent to."""
        return self._request.scope["path"]

    def may(self, *roles: Role) -> bool:
        """Return whether the operator has one of these roles."""
        return self.operator.role in roles

    def show(self, template: str, *, http_status: int = 200, **context: Any) -> Template:
        """Show a page made of a template."""
        session = self._visitor.session
        own = {
            "operator": self.operator,
            "changes": self.operator.role != "viewer",
            "csrf": session.csrf,
            "form_id": secrets.token_urlsafe(_FORM_BYTES),
            "sections": [each for each in SECTIONS if self.operator.role in each.roles],
            "home": HOME,
            "here": _section(self.path),
            "path": self.path,
            "query": self.query,
            "notice": session.notice,
            "assets": URLS,
        }
        return Template(template, context={**own, **context}, status_code=http_status)

    def part(self, template: str, **context: Any) -> Template:
        """Show a part of a page, to be put into it."""
        return self.show(template, **context)

    async def go(self, path: str, notice: str = "") -> Redirect:
        """Send the browser to another page, with a sentence that it shows."""
        if notice:
            session = replace(self._visitor.session, notice=notice)
            await self._sessions.put(self._visitor.session_id, session)
        return Redirect(f"{HOME}{path}", status_code=303)

    async def change(
        self,
        method: str,
        *path: str,
        body: Any = None,
        title: str,
        action: str,
        back: str,
        **query: Any,
    ) -> Any:
        """Make a change once it was confirmed; until then return a page that says what it does.

        Args:
            method: Of the admin API's route, like `path`, `body` and `query`.
            path: Parts of the path.
            body: To be sent as JSON.
            title: Of the page that asks.
            action: What its button says.
            back: Where its other link leads, behind `HOME`.
            query: By name.

        Raises:
            Refused: The change is not possible; it says why.
        """
        if self.form.text("step") == "confirmed":
            return Made(await self.api.ask(method, *path, body=body, **query))
        shown = await self.api.ask(method, *path, body=body, preview="true", **query)
        return self.show(
            "confirm.html",
            title=title,
            action=action,
            back=f"{HOME}{back}",
            says=shown["says"],
            final=shown["final"],
            differences=differences(shown["before"], shown["after"]),
            fields=self.form.pairs(),
        )


class Made(NamedTuple):
    """A change that was made, and what the API answered."""

    answer: Any


OnPage = NamedDependency[Page]
"""The page that a handler answers with."""


def _section(path: str) -> str:
    """Return the path of the section that a page belongs to."""
    first = path.removeprefix(HOME).strip("/").partition("/")[0]
    return f"/{first}" if first else ""
