"""Signing in, by a key or by a link that works once, and signing out."""

import re
import secrets
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template

from falgate.accounts.operator import Operator
from falgate.console.assets import URLS
from falgate.console.cookies import made_cookie
from falgate.console.entrance import COOKIE, FORGET, Entrance, sent_fields
from falgate.console.forms import Form
from falgate.console.identity import Identities
from falgate.console.sections import HOME, SIGN_IN
from falgate.console.session import ID_BYTES, Session, cookie
from falgate.console.store.sessions import Sessions
from falgate.core.errors import TooMany
from falgate.core.problems import Problem

# Browsers take %2e for a dot, and go up by two of them.
_WITHIN = re.compile(
    rf"(?!.*(?:\.|%2[eE]){{2}}){HOME}(/[A-Za-z0-9_.~:%/-]*)?(\?[A-Za-z0-9_.~:%/=&+-]*)?"
)
_LINK_MAX = 64
_KEY_MAX = 200


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What signing in needs.

    Attributes:
        sessions: All sessions.
        identities: Who may sign in.
        entrance: Whose session a request belongs to.
        secret: Signs the cookie.
        session_s: For how long a session lasts at most.
        links: Whether links work.
        provider: The host of who else signs people in; "" for nobody.
    """

    sessions: Sessions
    identities: Identities
    entrance: Entrance
    secret: bytes
    session_s: int
    links: bool
    provider: str = ""

    def __repr__(self) -> str:
        """Omit the secret."""
        return "Door(...)"

    async def begin(self, request: Request[Any, Any, Any], identity: str, to: str) -> Response[Any]:
        """Begin a session, and send the browser to its first page."""
        operator = await self.identities.current(identity)
        if operator is None:
            return self.form(status=403, error="This key may not be used any more", to=to)
        made = await self.start(request, identity, operator)
        return Redirect(to, status_code=303, cookies=[made])

    async def start(
        self, request: Request[Any, Any, Any], identity: str, operator: Operator
    ) -> Cookie:
        """Begin a session; return its cookie. The session that this browser had ends."""
        before = await self.entrance.visitor(request)
        if before is not None:
            await self.sessions.end(before.session_id)
        session = Session(
            identity=identity,
            operator=operator,
            csrf=secrets.token_hex(ID_BYTES),
            ends_s=await self.sessions.now_s() + self.session_s,
        )
        value = cookie(self.secret, await self.sessions.begin(session))
        return session_cookie(request, value, self.session_s)

    def form(self, *, to: str = HOME, status: int = 200, error: str = "") -> Template:
        """Ask how to sign in."""
        context = {
            "assets": URLS,
            "home": HOME,
            "error": error,
            "next": to,
            "provider": self.provider,
        }
        return Template("sign_in.html", context=context, status_code=status)


def session_cookie(request: Request[Any, Any, Any], value: str, max_age_s: int) -> Cookie:
    """Return the cookie of a session; with no value and no time, one that removes it."""
    return made_cookie(request, COOKIE, value, max_age_s=max_age_s, path=HOME, samesite="strict")


AtDoor = NamedDependency[Door]


@get("/sign-in")
async def ask(request: Request[Any, Any, Any], door: AtDoor) -> Template:
    """Ask how to sign in."""
    return door.form(to=within(request.query_params.get("next", "")))


@post("/sign-in", status_code=200)
async def by_key(request: Request[Any, Any, Any], door: AtDoor) -> Response[Any]:
    """Sign in by a key."""
    form = Form(await sent_fields(request))
    to = within(form.text("next"))
    address = request.client.host if request.client else ""
    try:
        identity = await door.identities.present(form.text("key")[:_KEY_MAX], address)
    except Problem as error:
        return door.form(status=403, error=str(error), to=to)
    except TooMany as error:
        answer = door.form(status=error.status, error=str(error), to=to)
        answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    return await door.begin(request, identity, to)


@get("/sign-in/link/{token:str}")
async def look_at_link(token: FromPath[str]) -> Template:
    """Show a button: programs that look at links, such as chats, do not press it."""
    return Template("sign_in_link.html", context={"assets": URLS, "at": token, "home": HOME})


@post("/sign-in/link/{token:str}", status_code=200)
async def by_link(
    request: Request[Any, Any, Any], door: AtDoor, token: FromPath[str]
) -> Response[Any]:
    """Sign in by a link, which works once."""
    usable = door.links and len(token) <= _LINK_MAX
    identity = await door.sessions.follow(token) if usable else None
    if identity is None:
        return door.form(status=403, error="This link was used before, or is too old")
    return await door.begin(request, identity, HOME)


@post("/sign-out", status_code=303)
async def leave(request: Request[Any, Any, Any], door: AtDoor) -> Response[Any]:
    """End the session."""
    visitor = await door.entrance.visitor(request)
    if visitor is not None:
        await door.sessions.end(visitor.session_id)
    gone = session_cookie(request, "", 0)
    return Redirect(SIGN_IN, status_code=303, cookies=[gone], headers=FORGET)


def sign_in_routes(door: Door) -> Router:
    """Return the routes; all but the last are for people who are not signed in."""
    return Router(
        "/",
        route_handlers=[ask, by_key, look_at_link, by_link, leave],
        dependencies={"door": Provide(lambda: door, sync_to_thread=False)},
    )


def within(path: str) -> str:
    """Return a path of the console, as a page asked for it; `HOME` for anything else."""
    return path if _WITHIN.fullmatch(path) else HOME
