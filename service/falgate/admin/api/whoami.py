"""/whoami: the operator who asks, and what they may do."""

from typing import Annotated, Self

from msgspec import Meta

from falgate.accounts.operator import Operator, Role
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.api.shapes import View

routes = Resource("operators")


class WhoAmI(View, frozen=True, kw_only=True):
    """The operator who asks."""

    who: Annotated[str, Meta(examples=["viewer:alice"], description="As in the audit log")]
    role: Role
    team: Annotated[str | None, Meta(description="The team of a lead")]
    prompts: Annotated[bool, Meta(description="Whether they may see prompts that are stored")]

    @classmethod
    def by(cls, operator: Operator) -> Self:
        """Convert an operator."""
        return cls.of(operator, team=operator.team or None)


@routes.get("/whoami", "Who asks", lead=True)
async def whoami(acting: Acting) -> WhoAmI:
    """The role and team of the key that this request presents."""
    return WhoAmI.by(acting)
