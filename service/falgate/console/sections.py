"""The navigation: the sections of the console, and who sees which; pure."""

from collections.abc import Sequence
from typing import NamedTuple

from falgate.accounts.operator import Role
from falgate.core.problems import Forbidden

HOME = "/console"
"""Where all paths of the console begin."""

SIGN_IN = f"{HOME}/sign-in"
"""Where all paths begin that need no session, but for files."""

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
    Section("Webhooks", "/deliveries", "Manage", _OVERSEERS),
    Section("Operators", "/operators", "Govern", _OVERSEERS),
    Section("Audit log", "/audit", "Govern", _OVERSEERS),
    Section("Configuration", "/config", "Govern", _OVERSEERS),
)


def sections(role: Role) -> Sequence[Section]:
    """Return the sections that a role sees."""
    return [each for each in SECTIONS if role in each.roles]


def check_seen(role: Role, path: str) -> None:
    """Check that a role may see the section that a page belongs to.

    Raises:
        Forbidden: It may not.
    """
    its = section(path)
    if any(each.path == its and role not in each.roles for each in SECTIONS):
        raise Forbidden("This page is not for your role; ask an admin")


def section(path: str) -> str:
    """Return the path of the section that a page belongs to."""
    first = path.removeprefix(HOME).strip("/").partition("/")[0]
    return f"/{first}" if first else ""
