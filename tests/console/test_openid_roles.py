"""Who somebody is, by what a provider says of them, and what the settings may say about that."""

from typing import Any

import pytest

from falgate.accounts.operator import Operator
from falgate.console.oidc.roles import Mapped, Roles, SignInRefused, mapping
from falgate.settings import SettingsWrong, read

NEEDED = {
    "FALGATE_UPSTREAM_URL": "sandbox",
    "FALGATE_OIDC_ISSUER": "https://login.example/acme",
    "FALGATE_OIDC_CLIENT_ID": "falgate",
    "FALGATE_OIDC_CLIENT_SECRET": "s3cret",
    "FALGATE_OIDC_ROLES": "platform=admin,finance=viewer,web-leads=lead:web,a=lead:a",
}


def operator(claims: dict[str, Any], *, prompts: frozenset[str] = frozenset()) -> Operator:
    roles = Roles(
        issuer=NEEDED["FALGATE_OIDC_ISSUER"],
        client_id="falgate",
        claim="groups",
        mapped=mapping(NEEDED["FALGATE_OIDC_ROLES"]),
        prompts=prompts,
    )
    return roles.operator({"sub": "1", **claims})


@pytest.mark.parametrize(
    ("groups", "role", "team"),
    [
        (["platform", "finance"], "admin", ""),
        (["finance", "platform"], "admin", ""),
        (["finance", "web-leads"], "lead", "web"),
        (["a", "web-leads"], "lead", "web"),
        (["finance", "others", 7, None], "viewer", ""),
        ("finance", "viewer", ""),
    ],
)
def test_the_strongest_of_several_groups_counts(groups: Any, role: str, team: str) -> None:
    found = operator({"groups": groups})
    assert (found.role, found.team, found.id, found.mark) == (role, team, "", "")


@pytest.mark.parametrize("groups", [[], None, ["Platform"], ["plat"], 7, {"platform": 1}, [["a"]]])
def test_without_a_mapped_group_nobody_gets_in(groups: Any) -> None:
    with pytest.raises(SignInRefused, match="None of your groups"):
        operator({"groups": groups})


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "alice@acme.example"}, "alice@acme.example"),
        ({"preferred_username": "alice"}, "alice@login.example"),
        ({"email": "al@acme.example"}, "al@acme.example"),
        ({"email": "al@acme.example", "email_verified": False}, "1@login.example"),
        ({"preferred_username": ["x"], "email": 7}, "1@login.example"),
        ({"preferred_username": "  "}, "1@login.example"),
        ({"preferred_username": "bob:cli:x y"}, "bob_cli_x_y@login.example"),
        ({"preferred_username": "a\n\u202eb\x00"}, "a__b@login.example"),
        ({"preferred_username": "n" * 500}, "n" * 64 + "@login.example"),
    ],
)
def test_a_name_fits_a_line_of_the_audit_log_and_is_no_key_operators(
    claims: dict[str, Any], name: str
) -> None:
    assert operator({"groups": "finance", **claims}).who == f"viewer:{name}"


def test_prompts_are_for_admins_and_for_groups_that_are_named() -> None:
    named = frozenset({"reviewers"})
    assert operator({"groups": ["platform"]}).prompts
    assert not operator({"groups": ["finance"]}, prompts=named).prompts
    assert operator({"groups": ["finance", "reviewers"]}, prompts=named).prompts


def test_a_group_may_have_an_equals_sign() -> None:
    assert mapping(" cn=ops = admin ,") == (Mapped("cn=ops", "admin"),)


def test_settings_that_are_complete_are_taken() -> None:
    assert "s3cret" not in repr(read(NEEDED))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ISSUER": ""}, "FALGATE_OIDC_CLIENT_ID needs FALGATE_OIDC_ISSUER"),
        ({"CLIENT_ID": ""}, "FALGATE_OIDC_ISSUER needs FALGATE_OIDC_CLIENT_ID"),
        ({"CLIENT_SECRET": ""}, "FALGATE_OIDC_ISSUER needs FALGATE_OIDC_CLIENT_SECRET"),
        ({"ROLES": ""}, "FALGATE_OIDC_ISSUER needs FALGATE_OIDC_ROLES"),
        ({"ROLES": ","}, "FALGATE_OIDC_ROLES: no group is mapped"),
        ({"ROLES": "a"}, "FALGATE_OIDC_ROLES: 'a' is not GROUP=admin"),
        ({"ROLES": "a=owner"}, "FALGATE_OIDC_ROLES: 'a=owner' is not"),
        ({"ROLES": "a=lead"}, "FALGATE_OIDC_ROLES: 'a=lead': a lead has a team"),
        ({"ROLES": "a=lead:no team"}, "a lead has a team"),
        ({"ROLES": "a=admin:web"}, "the other roles have none"),
        ({"ISSUER": "http://login.example"}, "FALGATE_OIDC_ISSUER: not an https:// URL"),
        ({"ISSUER": "https://u:p@login.example"}, "FALGATE_OIDC_ISSUER: not an https:// URL"),
        ({"ISSUER": "https://login.example/?a"}, "FALGATE_OIDC_ISSUER: not an https:// URL"),
        ({"ISSUER": "https://["}, "FALGATE_OIDC_ISSUER: not an https:// URL"),
        ({"SCOPES": "profile"}, "FALGATE_OIDC_SCOPES: not scopes"),
        ({"CLIENT_ID": "a\nb"}, "FALGATE_OIDC_CLIENT_ID: has characters"),
    ],
)
def test_settings_that_are_wrong_or_half_set_are_told(changed: dict[str, str], said: str) -> None:
    named = {f"FALGATE_OIDC_{name}": value for name, value in changed.items()}
    with pytest.raises(SettingsWrong) as caught:
        read({**NEEDED, **named})
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
