"""The console put together: its routes, its templates, and the headers of every response."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

import msgspec
import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig
from litestar.types import ASGIApp, Scope

from falgate.console import change_words, words
from falgate.console.api import Refused
from falgate.console.assets import URLS, asset
from falgate.console.entrance import Ended, Entrance, SentBefore, Strange
from falgate.console.identity import Identities
from falgate.console.oidc.routes import OpenId, openid_routes
from falgate.console.page import Page
from falgate.console.pages import PAGES
from falgate.console.sections import HOME
from falgate.console.sign_in import Door, sign_in_routes
from falgate.console.store.sessions import Sessions
from falgate.core.errors import Refusal, Unavailable
from falgate.core.problems import Problem
from falgate.http.client_setup import Reached

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_NO_STORE = "no-store"
_CAUSES = "falgate_console_causes"
_FILTERS = ("entered", "usd", "cents", "count", "size", "duration", "inpath", "took")
_LOG = structlog.get_logger()


class ConsoleParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the console needs.

    Attributes:
        sessions: Who is signed in.
        identities: Who may sign in.
        secret: Signs the cookies.
        session_s: How long a session lasts at most, in seconds.
        links: Whether people can sign in by links that work once.
        zone: In which times are shown.
        reached: How apps reach falgate, given the console's own address and a key.
        openid: Signing in by a provider; None if there is none.
        troubles: What is unavailable and why; empty when the gateway is ready.
    """

    sessions: Sessions
    identities: Identities
    secret: bytes
    session_s: int
    links: bool
    openid: OpenId | None
    zone: tzinfo
    reached: Callable[[str, str], Reached]
    troubles: Callable[[], Awaitable[dict[str, str]]]

    def __repr__(self) -> str:
        """Omit the secret."""
        return "ConsoleParts(...)"


def create_console(parts: ConsoleParts, admin: ASGIApp) -> Litestar:
    """Return the application at `HOME`, a client of the application `admin`."""
    entrance = Entrance(
        parts.sessions,
        parts.identities.of,
        secret=parts.secret,
        admin=admin,
        reached=parts.reached,
    )
    door = Door(
        sessions=parts.sessions,
        identities=parts.identities,
        entrance=entrance,
        secret=parts.secret,
        session_s=parts.session_s,
        links=parts.links,
        provider=parts.openid.provider.host if parts.openid else "",
    )
    openid = [openid_routes(door, parts.openid)] if parts.openid else []
    router = Router(HOME, route_handlers=[*PAGES, asset, sign_in_routes(door), *openid])
    return Litestar(
        route_handlers=[router],
        before_request=entrance.enter,
        after_request=_protected,
        after_exception=[_looking_for_causes(parts, entrance)],
        dependencies={"page": Provide(_page, sync_to_thread=False)},
        template_config=TemplateConfig(
            instance=JinjaTemplateEngine.from_environment(templates(parts.zone))
        ),
        exception_handlers=_handlers(),
        openapi_config=None,
        request_max_body_size=None,
        logging_config=None,
    )


def _page(request: Request[Any, Any, Any]) -> Page:
    page: Page = request.state.page
    return page


async def _protected(response: Response[Any]) -> Response[Any]:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", _NO_STORE)
    return response


def templates(zone: tzinfo) -> Environment:
    """Return all of them, compiled, for times in this zone."""
    made = Environment(
        loader=PackageLoader("falgate.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=words.plain,
    )
    made.filters |= {name: getattr(words, name) for name in _FILTERS}
    made.filters |= words.times(zone, lambda: datetime.now(UTC))
    made.filters["audited_fields"] = partial(change_words.audited, zone=zone)
    made.filters["previewed_fields"] = partial(change_words.previewed, zone=zone)
    made.globals |= {"again": words.again, "share": words.share, "zone": str(zone)}
    # Compiled now, in a thread, and not in the event loop by whoever sees a page first.
    for name in made.list_templates():
        made.get_template(name)
    return made


def _looking_for_causes(
    parts: ConsoleParts, entrance: Entrance
) -> Callable[[Exception, Scope], Awaitable[None]]:
    """Return what looks why something is not there, as handlers cannot; strangers are not told."""

    async def look(error: Exception, scope: Scope) -> None:
        if isinstance(error, Unavailable) and entrance.knows(Request(scope)):
            found = await parts.troubles()
            causes = [f"{place}: {why}" for place, why in found.items()]
            scope["state"][_CAUSES] = causes or [str(error)]

    return look


def _told(status: int, title: str, *lines: str, more: Mapping[str, str] | None = None) -> Template:
    # Exceptions leave the framework beside the hook for responses.
    headers = {**(more or {}), **_HEADERS, "Cache-Control": _NO_STORE}
    context = {"assets": URLS, "home": HOME, "title": title, "lines": lines}
    return Template("told.html", context=context, status_code=status, headers=headers)


def _handlers() -> dict[Any, Callable[..., Any]]:
    def unavailable(request: Request[Any, Any, Any], error: Unavailable) -> Template:
        causes = request.scope["state"].get(_CAUSES, ["Try again in a moment."])
        title = "Something that falgate needs is not there"
        return _told(error.status, title, *causes, more=error.headers())

    def refusal(_: Request[Any, Any, Any], error: Refusal) -> Template:
        return _told(error.status, "This is not possible", str(error), more=error.headers())

    def refused(_: Request[Any, Any, Any], error: Refused | Problem) -> Template:
        title = {403: "You may not do this", 404: "This is not there"}.get(
            error.status, "This is not possible"
        )
        return _told(error.status, title, str(error))

    def http(_: Request[Any, Any, Any], error: HTTPException) -> Template:
        if error.status_code == 404:  # noqa: PLR2004 - HTTP's
            return _told(404, "There is no such page")
        return _told(error.status_code, "This is not possible", error.detail, more=error.headers)

    def ended(_: Request[Any, Any, Any], __: Ended) -> Template:
        return _told(401, "Your session has ended", "Nothing was changed. Sign in and try again.")

    def strange(_: Request[Any, Any, Any], __: Strange) -> Template:
        return _told(
            403,
            "This form is not from this session",
            "Nothing was changed. Open the page once more and send the form from there.",
        )

    def sent(_: Request[Any, Any, Any], __: SentBefore) -> Template:
        return _told(
            409,
            "This form was sent before",
            "It is done once only, however often it is sent. The pages show what came of it.",
        )

    def failed(request: Request[Any, Any, Any], error: Exception) -> Template:
        _LOG.error("console.failed", path=request.scope["path"], exc_info=error)
        return _told(500, "falgate has failed here", "Its log says why; nothing was half done.")

    return {
        Exception: failed,
        Unavailable: unavailable,
        Refusal: refusal,
        Refused: refused,
        Problem: refused,
        HTTPException: http,
        Ended: ended,
        Strange: strange,
        SentBefore: sent,
    }
