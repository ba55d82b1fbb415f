"""Which operator somebody is whom a provider vouches for, by their groups; pure."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, get_args

import msgspec

from falgate.accounts.directory import NAME
from falgate.accounts.operator import Operator, Role

_RANK: tuple[Role, ...] = ("admin", "lead", "viewer")
"""Whoever may change something comes before who only looks."""
_NAMES = ("preferred_username", "email", "sub")
_NAME_MAX = 64
_EXAMPLE = "platform=admin,finance=viewer,web-leads=lead:web"


class SignInRefused(Exception):
    """Somebody cannot be let in by the provider; the message is for them.

    Attributes:
        status: HTTP status.
        why: For the log; neither has anything secret.
    """

    def __init__(self, message: str, *, status: int = 403, why: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.why = why or message


class Mapped(msgspec.Struct, frozen=True):
    """What a group may do: a role, and for leads their team."""

    group: str
    role: Role
    team: str = ""


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs in as what.

    Attributes:
        issuer: The provider's name, a URL.
        client_id: Our name there.
        claim: The claim that lists somebody's groups.
        mapped: What groups may do; a stronger role counts, then the first that is listed.
        prompts: Groups whose viewers and leads may see prompts.
    """

    issuer: str
    client_id: str
    claim: str
    mapped: tuple[Mapped, ...]
    prompts: frozenset[str] = frozenset()

    @property
    def mark(self) -> str:
        """What changes with any of this, so that sessions end which began under another."""
        prompts = sorted(self.prompts)
        text = msgspec.json.encode(
            [self.issuer, self.client_id, self.claim, self.mapped, prompts], order="sorted"
        )
        return sha256(text).hexdigest()[:16]

    def operator(self, claims: Mapping[str, Any]) -> Operator:
        """Return who somebody is.

        Args:
            claims: What the provider says of them, verified; of any types, but for the text `sub`.

        Raises:
            SignInRefused: None of their groups may do anything here.
        """
        groups = _groups(claims.get(self.claim))
        found = [each for each in self.mapped if each.group in groups]
        if not found:
            listed = "names others" if groups else "names none"
            raise SignInRefused(
                f"None of your groups may use the console: the provider {listed} (in the claim "
                f"{self.claim}). Ask an admin of falgate to let one of yours in",
                why=f"no group is mapped: {len(groups)} groups in the claim {self.claim}",
            )
        best = min(found, key=lambda each: _RANK.index(each.role))
        return Operator(
            who=f"{best.role}:{_name(claims, self.issuer)}",
            role=best.role,
            team=best.team,
            prompts=best.role == "admin" or not self.prompts.isdisjoint(groups),
        )


def mapping(text: str) -> tuple[Mapped, ...]:
    """Read what groups may do, such as "platform=admin,web-leads=lead:web".

    Raises:
        ValueError: It is not of that form; the message says what is wrong.
    """
    found = [_mapped(each.strip()) for each in text.split(",") if each.strip()]
    if not found:
        raise ValueError(f"no group is mapped to a role; example: {_EXAMPLE}")
    return tuple(found)


def group_names(text: str) -> frozenset[str]:
    """Return the groups of a comma-separated list, as they are written."""
    return frozenset(each.strip() for each in text.split(",") if each.strip())


def _mapped(text: str) -> Mapped:
    # A group may have "=" in its name, as in directories; a role has none.
    group, _, meaning = text.rpartition("=")
    role, colon, team = meaning.strip().partition(":")
    if not group.strip() or role not in get_args(Role):
        raise ValueError(
            f"{text!r} is not GROUP=admin, GROUP=viewer or GROUP=lead:TEAM; example: {_EXAMPLE}"
        )
    if (role == "lead") != bool(colon) or (colon and not NAME.fullmatch(team)):
        raise ValueError(f"{text!r}: a lead has a team, lead:TEAM, and the other roles have none")
    return Mapped(group.strip(), msgspec.convert(role, Role), team)


def _groups(value: Any) -> frozenset[str]:
    """Providers send a list, or a text where there is one group only."""
    listed: Iterable[Any] = value if isinstance(value, list) else [value]
    return frozenset(each for each in listed if isinstance(each, str) and each)


def _name(claims: Mapping[str, Any], issuer: str) -> str:
    """A name for the audit log that no operator with a key can have: it has an @."""
    for claim in _NAMES:
        if claim == "email" and claims.get("email_verified") is False:
            continue
        value = claims.get(claim)
        name = _plain(value) if isinstance(value, str) else ""
        if name:
            return name if "@" in name else f"{name}@{host_of(issuer)}"
    raise SignInRefused("The provider does not say who you are")


def _plain(text: str) -> str:
    """What can be told in a line of the log, in which colons and spaces separate."""
    shown = "".join(
        each if each.isprintable() and each not in " :" else "_" for each in text[:_NAME_MAX]
    )
    return shown.strip("_")


def host_of(issuer: str) -> str:
    """Return the host, and the port if it is named, of a provider."""
    return issuer.partition("://")[2].partition("/")[0]
