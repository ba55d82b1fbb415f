"""A page as one signed-in operator sees it: what every handler of a page is given."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from msgspec.structs import replace

from falgate.accounts.operator import Operator, Role
from falgate.console.api import Api, Refused
from falgate.console.assets import URLS
from falgate.console.fields import Group, filled
from falgate.console.forms import Form
from falgate.console.preview_marks import CHANGED_SINCE, mark
from falgate.console.sections import HOME, section, sections
from falgate.console.session import Session
from falgate.console.store.sessions import Sessions
from falgate.core.problems import Forbidden, Invalid
from falgate.http import client_setup
from falgate.http.client_setup import Reached

_FORM_BYTES = 16


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
        reached: Callable[[str, str], Reached],
        form: Form | None,
    ) -> None:
        """Answer a request of a visitor."""
        self.api = api
        self.operator = visitor.operator
        self.form = form or Form(())
        self._request = request
        self._visitor = visitor
        self._sessions = sessions
        self._reached = reached

    @property
    def query(self) -> Mapping[str, str]:
        """The query, of which each name has its last value."""
        return dict(self._request.query_params)

    @property
    def path(self) -> str:
        """The path, and where a form of this page is sent to."""
        return self._request.scope["path"]

    @property
    def wants_part(self) -> bool:
        """Whether a script asks, to put the answer into the page that is there."""
        return "hx-request" in self._request.headers

    def may(self, *roles: Role) -> bool:
        """Return whether the operator has one of these roles."""
        return self.operator.role in roles

    def show(self, template: str, *, http_status: int = 200, **context: Any) -> Template:
        """Show a page made of a template, or a part to be put into one."""
        session = self._visitor.session
        own = {
            "operator": self.operator,
            "changes": self.operator.role != "viewer",
            "csrf": session.csrf,
            "form_id": secrets.token_urlsafe(_FORM_BYTES),
            "sections": sections(self.operator.role),
            "home": HOME,
            "here": section(self.path),
            "path": self.path,
            "query": self.query,
            "notice": session.notice,
            "assets": URLS,
        }
        return Template(template, context={**own, **context}, status_code=http_status)

    async def go(self, path: str, notice: str = "") -> Response[Any]:
        """Send the browser to another page, with a sentence that it shows."""
        if notice:
            session = replace(self._visitor.session, notice=notice)
            await self._sessions.put(self._visitor.session_id, session)
        return Redirect(f"{HOME}{path}", status_code=303)

    async def was_done(self, step: str) -> bool:
        """Return whether somebody took one of the first steps here before."""
        return await self._sessions.was_done(step)

    async def done(self, step: str) -> None:
        """Remember that one of the first steps was taken."""
        await self._sessions.done(step)

    def ask(
        self,
        groups: Sequence[Group],
        *,
        title: str,
        action: str,
        back: str,
        error: str = "",
        lead: Sequence[str] = (),
    ) -> Template:
        """Show a form; once it was refused, with what was entered.

        Args:
            groups: Its fields, with the present values.
            title: Of the page.
            action: What its button says.
            back: Where its other link leads, behind `HOME`.
            error: Why it was refused, or "".
            lead: Sentences above the form.
        """
        http_status = 422 if error else 200
        if error:
            groups, error = filled(groups, self.form, error)
        return self.show(
            "form.html",
            http_status=http_status,
            groups=groups,
            title=title,
            action=action,
            back=f"{HOME}{back}",
            error=error,
            lead=lead,
        )

    def secret(self, told: Any, *, where: str, until: str | None = None) -> Template:
        """Show a key's secret, which is never shown again, and how clients use it.

        Args:
            told: The key and its record, as the admin API answers them.
            where: Where one goes from there, behind `HOME`.
            until: Until when the secret before works, as RFC 3339.
        """
        to = self._reached(str(self._request.base_url).rstrip("/"), told["key"])
        ways = [
            ("curl", "curl", client_setup.curl(to)),
            ("python", "Python's fal_client", client_setup.python(to)),
            ("javascript", "JavaScript's @fal-ai/client", client_setup.javascript(to)),
        ]
        return self.show("secret.html", where=where, until=until, ways=ways, **told)

    def confirm(
        self, says: Sequence[str], *, title: str, action: str, back: str, final: bool = False
    ) -> Template:
        """Ask whether something is meant that the admin API has no preview of.

        Args:
            says: Sentences that tell what it does.
            title: Of the page.
            action: What its button says.
            back: Where "Cancel" leads, behind `HOME`.
            final: Whether it cannot be undone.
        """
        return self.show(
            "confirm.html",
            error="",
            seen="",
            title=title,
            action=action,
            back=f"{HOME}{back}",
            says=says,
            final=final,
            changes=None,
            fields=self.form.pairs(),
        )

    async def apply(
        self,
        change: "Change",
        *,
        back: str,
        notice: str,
        again: Callable[[str], Awaitable[Template]] | None = None,
        then: Callable[[Any], Awaitable[Response[Any]]] | None = None,
    ) -> Response[Any]:
        """Make a change once it was confirmed; until then show what it does.

        Args:
            change: The change.
            back: Where "Cancel" leads, and where one gets afterwards, behind `HOME`.
            notice: A sentence that is shown there then.
            again: Shows the form once more, with why it was refused; None where there is none.
            then: Answers instead with what the API answered.

        Raises:
            Refused: The change is not possible, and there is no form to say so.
        """
        try:
            made = await self._changed(change, back)
        except (Refused, Invalid) as error:
            if again is None:
                raise
            shown = await again(str(error))
            if error.status == Forbidden.status:
                shown.status_code = error.status  # the role is refused, not what was entered
            return shown
        if isinstance(made, Template):
            return made
        return await then(made.answer) if then else await self.go(back, notice)

    async def _changed(self, change: "Change", back: str) -> "Template | Made":
        body = change.body() if change.body else None
        shown = await self.api.ask(change.method, *change.path, body=body, preview="true")
        seen = mark(shown["changes"])
        confirmed = self.form.text("step") == "confirmed"
        if confirmed and self.form.text("seen") == seen:
            return Made(await self.api.ask(change.method, *change.path, body=body))
        return self.show(
            "confirm.html",
            http_status=409 if confirmed else 200,
            error=CHANGED_SINCE if confirmed else "",
            seen=seen,
            title=change.title,
            action=change.action,
            back=f"{HOME}{back}",
            says=shown["says"],
            final=shown["final"],
            changes=shown["changes"],
            fields=self.form.pairs(),
        )


class Change(msgspec.Struct, frozen=True):
    """A change that the admin API is asked for.

    Attributes:
        method: Of the route, like the next one, whose parts are quoted.
        path: Likewise.
        title: Of the page that asks whether it is meant.
        action: What its button says.
        body: Returns what is sent as JSON; may raise `Invalid`.
    """

    method: str
    path: tuple[str, ...]
    title: str
    action: str
    body: Callable[[], Any] | None = None


class Made(NamedTuple):
    """A change that was made, and what the API answered."""

    answer: Any


OnPage = NamedDependency[Page]
"""The page that a handler answers with."""
