"""The console put together for a gateway: who may sign in, and their sessions."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.types import ASGIApp

from falgate.accounts.store.audit import AuditLog
from falgate.admin.access import Access
from falgate.console.identity import Identities
from falgate.console.links import Links
from falgate.console.store.sessions import Sessions
from falgate.http.client_setup import Reached
from falgate.resources import Resources
from falgate.settings import Settings, address, openid_roles

_WITHOUT_TLS = (
    "Where apps reach falgate by https, such as by a proxy in front of it, set FALGATE_PUBLIC_URL "
    "to that address. Otherwise FALGATE_TLS_LISTEN, FALGATE_TLS_CERT and FALGATE_TLS_KEY have "
    "falgate serve https itself. Whoever runs falgate sets them; the key stays the same."
)


def open_console(
    resources: Resources,
    access: Access,
    troubles: Callable[[], Awaitable[dict[str, str]]],
    admin: ASGIApp,
) -> ASGIApp:
    """Return the console of a gateway, a client of the application `admin`."""
    # Most instances are never asked for it, and need not load its templates and pages.
    from falgate.console.app import ConsoleParts, create_console  # noqa: PLC0415 - when needed

    settings = resources.settings
    openid = _openid(settings)
    parts = ConsoleParts(
        sessions=Sessions(resources.redis, idle_s=settings.console_idle_s),
        identities=Identities(access, openid.roles.mark if openid else ""),
        secret=resources.console_secret,
        session_s=settings.console_session_s,
        links=settings.console_links,
        openid=openid,
        zone=settings.calendar.zone,
        reached=lambda own, key: _reached(settings, own, key),
        troubles=troubles,
    )
    return create_console(parts, admin)


def _openid(settings: Settings) -> Any:
    """Return the `OpenId` of these settings; None without a provider."""
    roles = openid_roles(settings)
    if roles is None:
        return None
    # It takes a third of a second to load, which most gateways can do without.
    from falgate.console.oidc.provider import Provider  # noqa: PLC0415 - when it is needed
    from falgate.console.oidc.routes import OpenId  # noqa: PLC0415 - likewise

    return OpenId(
        provider=Provider(roles, settings.oidc_client_secret, settings.oidc_scopes),
        roles=roles,
        # The operators' listener has an address of its own, which only its requests tell.
        public_url="" if settings.ops_listen else settings.public_url,
    )


def _reached(settings: Settings, own: str, key: str) -> Reached:
    """How apps reach a gateway with these settings, whose console is at `own`."""
    url = settings.public_url.rstrip("/")
    if not url:
        at = address(settings.listen, "LISTEN").reachable
        url = f"http://{at}" if settings.ops_listen else own
    tls = url.removeprefix("https://") if url.startswith("https://") else ""
    if not tls and settings.tls_listen:
        tls = address(settings.tls_listen, "TLS_LISTEN").reachable
    return Reached(url=url, tls=tls, key=key, without_tls=_WITHOUT_TLS)


def links_of(resources: Resources) -> Links:
    """Return what makes sign-in links, or says which setting is against them."""
    settings, off = resources.settings, ""
    if not settings.console:
        off = "There is no console: FALGATE_CONSOLE is false"
    elif not settings.console_links:
        off = "Sign-in links are switched off by FALGATE_CONSOLE_LINKS; sign in with a key instead"
    sessions = Sessions(resources.redis, idle_s=settings.console_idle_s)
    return Links(sessions, AuditLog(resources.redis), off=off)
