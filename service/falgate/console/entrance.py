"""The console's door: who may see a page, and whether a form really comes from one of them."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.response import Redirect
from litestar.types import ASGIApp
from msgspec.structs import replace

from falgate.accounts.operator import Operator
from falgate.console.api import Api
from falgate.console.cookies import sent_cookie
from falgate.console.forms import Form, Upload
from falgate.console.page import Page, Visitor
from falgate.console.sections import HOME, SIGN_IN, check_seen
from falgate.console.session import Session, session_id
from falgate.console.store.sessions import Sessions
from falgate.core.problems import Invalid
from falgate.http.address import asked_host
from falgate.http.client_setup import Reached

COOKIE = "falgate_console"
_OPEN = (SIGN_IN, f"{HOME}/assets/")
_WITH_PICTURES = f"{HOME}/playground"

LIVE = "/live"
"""What the paths end with that pages ask for by themselves, again and again."""

FORGET = {"Clear-Site-Data": '"cache"'}
"""A header for who has no session any more: pictures that they saw go from the browser's disk too.
Browsers follow it over https only. Cookies and storage are left alone: those of neighbouring hosts
and of other programs at this address would go with ours, of which there is one and none."""

_READS = frozenset({"GET", "HEAD"})


class Ended(Exception):
    """A form was sent without a session, or by a session that has ended."""


class Strange(Exception):
    """A form does not come from a page of this session."""


class SentBefore(Exception):
    """A form was sent once before, by a second click or by the browser's way back."""


class Entrance:
    """Lets requests in."""

    def __init__(
        self,
        sessions: Sessions,
        current: Callable[[Session], Awaitable[Operator | None]],
        *,
        secret: bytes,
        admin: ASGIApp,
        reached: Callable[[str, str], Reached],
    ) -> None:
        """Let sessions in whose operator `current` knows; they ask the application `admin`.

        `reached` tells how apps reach falgate, given the console's own address and a key.
        """
        self._sessions = sessions
        self._current = current
        self._secret = secret
        self._admin = admin
        self._reached = reached

    async def enter(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """Let a request in with its `Page`, or answer it.

        Raises:
            Ended, Strange, SentBefore: A form is not accepted.
            Unavailable: Without Redis.
        """
        path, reads = request.scope["path"], request.method in _READS
        if not reads and not same_origin(request):
            raise Strange
        if path.startswith(_OPEN):
            return None
        visitor = await self.visitor(request)
        if visitor is None:
            if not reads:
                raise Ended
            return _to_sign_in(request, FORGET if self.knows(request) else {})
        check_seen(visitor.operator.role, path)
        form = None if reads else await _form(request)
        if form is not None:
            await self._accept(visitor, form)
        request.state.page = Page(
            request,
            visitor,
            api=Api(self._admin, visitor.operator),
            sessions=self._sessions,
            reached=self._reached,
            form=form,
        )
        if visitor.session.notice and reads:
            session = replace(visitor.session, notice="")
            await self._sessions.put(visitor.session_id, session)
        return None

    def knows(self, request: Request[Any, Any, Any]) -> bool:
        """Return whether a request's browser was signed in once, which needs no Redis."""
        return session_id(self._secret, sent_cookie(request, COOKIE)) is not None

    async def visitor(self, request: Request[Any, Any, Any]) -> Visitor | None:
        """Return whose session a request belongs to; None if it has none that counts."""
        named = session_id(self._secret, sent_cookie(request, COOKIE))
        # A page that asks by itself is no person who is there.
        used = not request.scope["path"].endswith(LIVE)
        session = await self._sessions.read(named, used=used) if named else None
        if named is None or session is None:
            return None
        operator = await self._current(session)
        return None if operator is None else Visitor(named, session, operator)

    async def _accept(self, visitor: Visitor, form: Form) -> None:
        if not visitor.session.allows(form.text("csrf")):
            raise Strange
        # A form that only asks what it would do may be sent as often as one likes.
        sent = f"{form.text('form_id')} {form.text('step')}"
        if form.text("step") != "look" and not await self._sessions.first(visitor.session_id, sent):
            raise SentBefore


def same_origin(request: Request[Any, Any, Any]) -> bool:
    """Return whether a browser says that a page of this host sent a request.

    `Sec-Fetch-Site` cannot be forged by a page (W3C Fetch Metadata); older browsers send `Origin`.
    Programs that are no browsers send neither, and have no cookies of anybody's.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == asked_host(request.scope)
    except ValueError:  # it is no URL
        return False


async def sent_fields(request: Request[Any, Any, Any]) -> list[tuple[str, Any]]:
    """Return names and values of what a form sent; bodies are bounded before.

    Raises:
        Invalid: A text is none, or in an encoding that is unknown.
    """
    try:
        return [*(await request.form()).multi_items()]
    except (UnicodeDecodeError, LookupError):
        raise Invalid("A field of this form is no text in UTF-8") from None


async def _form(request: Request[Any, Any, Any]) -> Form:
    """Return what a form sent. A file is its text, but on pages that ask for pictures."""
    with_pictures = request.scope["path"].startswith(_WITH_PICTURES)
    sent = await sent_fields(request)
    return Form([(name, await _read(value, with_pictures)) for name, value in sent])


async def _read(value: Any, is_picture: bool) -> Any:
    if not isinstance(value, UploadFile):
        return value
    content = await value.read()
    if is_picture:
        return Upload(value.content_type, content)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Invalid("The file is no text") from None


def _to_sign_in(request: Request[Any, Any, Any], headers: dict[str, str]) -> Response[Any]:
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    wanted = f"{path}?{query}" if query else path
    at = SIGN_IN if path.rstrip("/") == HOME else f"{SIGN_IN}?next={quote(wanted, safe='/')}"
    if "hx-request" in request.headers:
        # A part of a page cannot be replaced by the form: the whole page goes there.
        at = f"{SIGN_IN}?next={HOME}"
        return Response(None, status_code=204, headers={**headers, "HX-Redirect": at})
    return Redirect(at, status_code=303, headers=headers)
