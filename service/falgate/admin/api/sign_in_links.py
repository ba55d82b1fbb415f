"""/sign-in-links: links that sign an admin in to the console once, by a gateway that runs."""

from typing import Annotated, Any, Protocol, runtime_checkable

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Who
from falgate.admin.api.shapes import instant

routes = Resource("operators")


@runtime_checkable
class SignInLinks(Protocol):
    """Makes links; the console's `Links`."""

    async def link(self, operator: Operator, who: str) -> Any:
        """Return a link's `path` and `expires_s`; raise `Conflict` where there are none."""


class SignInLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that signs in once."""

    url: Annotated[str, Meta(description="Shown only this once; whoever opens it is signed in")]
    expires_at: str


@routes.post("/sign-in-links", "Make a link that signs in to the console once", 409)
async def make_sign_in_link(
    request: Request[Any, Any, Any],
    acting: Acting,
    who: Who,
    sign_in_links: NamedDependency[SignInLinks],
) -> SignInLink:
    """It signs in as the admin who asks, within ten minutes; its page only shows a button.

    Its address is that of this request. FALGATE_CONSOLE_LINKS switches such links off.
    """
    made = await sign_in_links.link(acting, who)
    url = f"{str(request.base_url).rstrip('/')}{made.path}"
    return SignInLink(url=url, expires_at=instant(made.expires_s) or "")
