"""The routes of signing in by a provider: to it, and back from it."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import structlog
from litestar import Request, Response, Router, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Template

from falgate.console.assets import URLS
from falgate.console.cookies import made_cookie, sent_cookie
from falgate.console.entrance import same_origin
from falgate.console.identity import vouched
from falgate.console.oidc.attempt import ATTEMPT_S, STATE_BYTES, TO_MAX, Answering, Attempt, opened
from falgate.console.oidc.roles import Roles, SignInRefused
from falgate.console.sections import HOME, SIGN_IN
from falgate.console.sign_in import AtDoor, Door, within
from falgate.core.bounds import QUERIES
from falgate.http.address import asked_host
from falgate.http.forwarded import HOST, forwarded

COOKIE = "falgate_sign_in"
START = "/sign-in/oidc"
BACK = f"{START}/callback"
_BACK_TO_SIGN_IN = {"Referrer-Policy": "no-referrer"}
_ERRORS = {
    "access_denied": "The sign-in was cancelled at the provider, or the provider does not let you "
    "in here",
    "login_required": "The provider asks you to sign in there first. Begin again",
    "temporarily_unavailable": "The provider has no time now. Try again in a moment",
    "server_error": "The provider has failed. Try again, or sign in by a key",
}
_LOG = structlog.get_logger()


class Vouching(Protocol):
    """Who says who somebody is; `oidc.provider.Provider`."""

    host: str

    async def address(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser is sent to sign in; raise `SignInRefused` otherwise."""

    async def check_issuer(self, named: str | None) -> None:
        """Check the issuer that an answer names; raise `SignInRefused` otherwise."""

    async def claims(self, answer: Answering) -> Mapping[str, Any]:
        """Return what is said of who signed in; raise `SignInRefused` otherwise."""


class OpenId(msgspec.Struct, frozen=True, kw_only=True):
    """Signing in by a provider.

    Attributes:
        provider: It.
        roles: Who signs in as what.
        public_url: Where browsers reach the console; "" for the address that they used.
    """

    provider: Vouching
    roles: Roles
    public_url: str

    def redirect_uri(self, request: Request[Any, Any, Any]) -> str:
        """Return where the provider sends browsers back to.

        Raises:
            SignInRefused: The request does not say which host it was sent to.
        """
        if self.public_url:
            return f"{self.public_url.rstrip('/')}{HOME}{BACK}"
        told, host = forwarded(request.scope), asked_host(request.scope)
        if not HOST.fullmatch(host):
            raise SignInRefused("The request has no valid Host header", status=400)
        scheme = told.scheme or request.scope["scheme"]
        return f"{scheme}://{host}{told.prefix}{HOME}{BACK}"


AtOpenId = NamedDependency[OpenId]


@get(START)
async def depart(request: Request[Any, Any, Any], door: AtDoor, openid: AtOpenId) -> Response[Any]:
    """Send the browser to the provider."""
    to = within(request.query_params.get("next", ""))
    if not same_origin(request):
        # Another site may not begin it, nor end one that is under way by that.
        return door.form(to=to)
    attempt = Attempt(
        state=secrets.token_urlsafe(STATE_BYTES),
        until_s=await door.sessions.now_s() + ATTEMPT_S,
        to=to if len(to) <= TO_MAX else HOME,
    )
    try:
        address = await openid.provider.address(
            redirect_uri=openid.redirect_uri(request),
            state=attempt.state,
            nonce=attempt.nonce(door.secret),
            challenge=attempt.challenge(door.secret),
        )
    except SignInRefused as error:
        return _refused(request, door, error, to)
    made = _cookie(request, attempt.sealed(door.secret), ATTEMPT_S)
    return Redirect(address, status_code=303, cookies=[made], headers=_BACK_TO_SIGN_IN)


@get(BACK)
async def arrive(request: Request[Any, Any, Any], door: AtDoor, openid: AtOpenId) -> Response[Any]:
    """Take the provider's answer, which the browser brings, and begin a session."""
    attempt = opened(door.secret, sent_cookie(request, COOKIE))
    try:
        claims = await _claims(request, door, openid, attempt)
        operator = openid.roles.operator(claims)
    except SignInRefused as error:
        return _refused(request, door, error, attempt.to if attempt else HOME)
    subject = str(claims["sub"])
    _LOG.info("console.signed_in", who=operator.who, provider=openid.provider.host, subject=subject)
    session = await door.start(request, vouched(openid.roles.mark, subject), operator)
    # The provider's site began this navigation, so that a redirect would come without the
    # session's cookie, which is SameSite=Strict. A page of ours that goes on by itself has it.
    return Template(
        "signed_in.html",
        context={"assets": URLS, "home": HOME, "to": attempt.to if attempt else HOME},
        cookies=[session, _cookie(request, "", 0)],
        headers=_BACK_TO_SIGN_IN,
    )


async def _claims(
    request: Request[Any, Any, Any], door: Door, openid: OpenId, attempt: Attempt | None
) -> Mapping[str, Any]:
    state = _asked(request, "state") or ""
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise SignInRefused(
            "This sign-in was not begun in this browser, at this address, or another one was begun "
            "since. Begin again",
            status=400,
        )
    now_s = await door.sessions.now_s()
    if now_s >= attempt.until_s:
        raise SignInRefused("This sign-in took too long. Begin again", status=400)
    # Strangers get here: they fill Redis no longer than an attempt can be used.
    if not await door.sessions.first(attempt.state, COOKIE, life_s=ATTEMPT_S):
        raise SignInRefused("This sign-in was used before. Begin again", status=400)
    error = _asked(request, "error")
    if error is not None:
        known = _ERRORS.get(error, "The provider has refused this sign-in. Begin again")
        raise SignInRefused(known, why=f"the provider sent the error {_safe(error)}")
    await openid.provider.check_issuer(_asked(request, "iss"))
    code = _asked(request, "code")
    if not code:
        raise SignInRefused("The provider's answer has no code. Begin again", status=400)
    return await openid.provider.claims(
        Answering(
            code=code,
            redirect_uri=openid.redirect_uri(request),
            verifier=attempt.verifier(door.secret),
            nonce=attempt.nonce(door.secret),
            now_s=now_s,
        )
    )


def _asked(request: Request[Any, Any, Any], name: str) -> str | None:
    """Return a parameter of the query; None if it is not there."""
    given = request.query_params.getall(name, [])
    if len(given) > 1 or any(len(each) > QUERIES[name].most for each in given):
        raise SignInRefused("The provider's answer is not valid. Begin again", status=400)
    return given[0] if given else None


def _safe(error: str) -> str:
    return error if error in _ERRORS else "unknown"


def _refused(
    request: Request[Any, Any, Any], door: Door, error: SignInRefused, to: str
) -> Response[Any]:
    _LOG.warning("console.sign_in_refused", status=error.status, why=error.why)
    answer = door.form(to=to, status=error.status, error=str(error))
    answer.cookies.append(_cookie(request, "", 0))
    answer.headers.update(_BACK_TO_SIGN_IN)
    return answer


def _cookie(request: Request[Any, Any, Any], value: str, max_age_s: int) -> Cookie:
    # Lax: the provider's site leads back here, and the browser has to bring it along.
    return made_cookie(request, COOKIE, value, max_age_s=max_age_s, path=SIGN_IN, samesite="lax")


def openid_routes(door: Door, openid: OpenId) -> Router:
    """Return the routes."""
    return Router(
        "/",
        route_handlers=[depart, arrive],
        dependencies={
            "door": Provide(lambda: door, sync_to_thread=False),
            "openid": Provide(lambda: openid, sync_to_thread=False),
        },
    )
