"""`falgate teams`, `apps`, `limits` and `audit`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from falgate import settings
from falgate.core.account import Account
from falgate.models.endpoints import MODELS

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]

MODEL = Account("model", "openai/gpt-image-2")
NO_LIMITS = {"requests_per_second": 0, "generations_per_minute": 0, "generations_at_once": 0}

USUAL = {
    "scope": "org",
    "max_age_s": 0,
    "freshness": "cached",
    "derive": True,
    "identical": "share",
    "callers_may": ["freshness", "age", "derivation", "scope", "variation"],
    "ignore_freshness": False,
    "keep_prompts": False,
}


def test_how_an_app_uses_the_cache_is_set_word_by_word(
    falgate: Falgate, ask: Ask, refused: Refused
) -> None:
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")

    ask("apps", "cache", "web/shop", "--scope", "team", "--max-age", "3600", "--keep-prompts")
    ask("apps", "cache", "web/shop", "--identical", "distinct")
    ask("apps", "cache", "web/shop", "--callers-may", "variation,age", "--no-derive")
    changed = ask("apps", "cache", "web/shop", "--freshness", "no-store")
    changed = ask("apps", "cache", "web/shop", "--ignore-freshness")

    assert changed["cache"] == {
        "scope": "team",
        "max_age_s": 3600,
        "freshness": "no-store",
        "derive": False,
        "identical": "distinct",
        "callers_may": ["age", "variation"],
        "ignore_freshness": True,
        "keep_prompts": True,
    }
    assert ask("apps", "show", "web/shop") == changed
    for words in ("no-store", "age, variation", "team", "distinct"):
        assert words in falgate("apps", "show", "web/shop").stdout
    exported = falgate("export").stdout
    assert 'scope = "team"' in exported
    assert 'identical = "distinct"' in exported
    barred = ask("apps", "cache", "web/shop", "--callers-may", "none", "--hash-prompts")
    assert (barred["cache"]["callers_may"], barred["cache"]["keep_prompts"]) == ([], False)
    assert "'all' is none of" in refused("apps", "cache", "web/shop", "--callers-may", "age,all")


def test_teams_and_apps_are_made_listed_and_removed(falgate: Falgate, ask: Ask) -> None:
    team = {"name": "web", "limits": NO_LIMITS, "weight": 3, "waiting_generations": 0}
    app = {
        "team": "web",
        "name": "shop",
        "limits": NO_LIMITS,
        "cache": USUAL,
        "aliases": {},
        "afterwards": {},
    }
    assert ask("teams", "create", "web", "--weight", "3") == team
    assert ask("teams", "list") == [ask("teams", "show", "web")] == [team]
    assert falgate("apps", "create", "web/shop").stdout == "app web/shop is made\n"
    assert ask("apps", "list") == ask("apps", "list", "--team", "web") == [app]
    assert ask("apps", "show", "web/shop") == app

    assert falgate("apps", "remove", "web/shop", "--yes").stdout == "app web/shop is removed\n"
    assert ask("teams", "remove", "web", "--yes") == {"removed": "web"}

    assert ask("teams", "list") == ask("apps", "list") == []


def test_a_refusal_is_one_line_that_says_what_to_do(falgate: Falgate, refused: Refused) -> None:
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")

    assert "change that one" in refused("teams", "create", "web")
    assert "A name has up to" in refused("teams", "create", "two words")
    assert "create it first" in refused("apps", "create", "nope/shop")
    for name in ("shop", "web/shop/again", "/shop"):
        assert "example: web/shop" in refused("apps", "create", name)
    assert "remove them first" in refused("teams", "remove", "web", "--yes")
    assert "There is no team nope" in refused("teams", "show", "nope")
    assert "There is no app web/nope" in refused("apps", "remove", "web/nope", "--yes")


def test_limits_are_set_one_by_one(falgate: Falgate, ask: Ask) -> None:
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")
    key_id = ask("keys", "create", "--team", "web", "--app", "shop")["record"]["id"]

    ask("limits", "set", "team:web", "--generations-per-minute", "60", "--weight", "4")
    ask("limits", "set", "team:web", "--requests-per-second", "20", "--waiting", "7")
    ask("limits", "set", "app:web/shop", "--at-once", "10")
    ask("limits", "set", f"key:{key_id}", "--at-once", "1")
    ask("limits", "set", MODEL.name, "--generations-per-minute", "6")

    none = {"weight": None, "waiting_generations": None}
    team = {"requests_per_second": 20, "generations_per_minute": 60, "generations_at_once": 0}
    web = {"account": "team:web", **team, "weight": 4, "waiting_generations": 7}
    assert ask("limits", "show", "team:web") == web
    assert ask("limits", "list") == [
        web,
        {"account": "app:web/shop", **NO_LIMITS, **none, "generations_at_once": 10},
        {"account": f"key:{key_id}", **NO_LIMITS, **none, "generations_at_once": 1},
        *(
            {"account": f"model:{each}", **NO_LIMITS, **none, "requests_per_second": None}
            | ({"generations_per_minute": 6} if each == MODEL.id else {})
            for each in sorted(MODELS)
        ),
    ]
    table = falgate("limits", "list").stdout
    assert "team:web" in table
    assert key_id in table


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("team:nope", "--at-once", "1"), "There is no team nope"),
        (("organisation", "--at-once", "1"), "not for the organisation"),
        (("web", "--at-once", "1"), "is not organisation, team:NAME"),
        ((MODEL.name, "--requests-per-second", "1"), "requests_per_second is for teams, apps and"),
        (("model:dall-e", "--at-once", "1"), "There is no model dall-e; there are: "),
        (("app:web/shop", "--weight", "1"), "weight and waiting_generations are for teams"),
        (("team:web", "--at-once", "-1"), "-1 is not in the range"),
        (("team:web", "--weight", "0"), "0 is not in the range"),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    arguments: tuple[str, ...], complaint: str, refused: Refused, falgate: Falgate
) -> None:
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")

    assert complaint in refused("limits", "set", *arguments)


def test_the_audit_log_tells_what_was_changed(falgate: Falgate, ask: Ask) -> None:
    falgate("teams", "create", "web")
    falgate("limits", "set", "team:web", "--at-once", "10")
    falgate("budgets", "set", "team:web", "day", "25", "--alert", "80")
    falgate("budgets", "remove", "team:web", "day", "--yes")

    lines = ask("audit")
    table = falgate("audit").stdout

    assert [(line["action"], line["subject"]) for line in lines] == [
        ("budget", "team:web/day@sandbox"),
        ("budget", "team:web/day@sandbox"),
        ("team", "web"),
        ("team", "web"),
    ]
    assert all("cli:" in line["who"] for line in lines)
    assert len(ask("audit", "--limit", "1")) == 1
    for words in ("removed", "made, limit $25.00", "limits.generations_at_once 10"):
        assert words in table


def test_commands_do_not_check_what_only_a_gateway_needs(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = {"settings_file", "data_dir", "redis_url", "redis_timeout_s", "timezone", "week_starts"}
    for name in settings.Settings.__struct_fields__:
        if name not in used:
            monkeypatch.setenv(f"FALGATE_{name.upper()}", "nothing that any setting can be")
    monkeypatch.setenv("FAL_KEY", "no key of fal's")

    assert ask("teams", "list") == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("FALGATE_REDIS_TIMEOUT_S", ("teams", "list")),
        ("FALGATE_MEDIA_URL", ("cache", "list")),
        ("FALGATE_LISTEN", ("status",)),
        ("FALGATE_MODELS_DIR", ("models", "list")),
        ("FALGATE_LEDGER_KEPT_DAYS", ("ledger", "archive")),
        ("FALGATE_FAL_ADMIN_KEY", ("ledger", "reconcile")),
        ("FALGATE_TEAMS", ("teams", "list")),
    ],
)
def test_what_a_command_uses_it_checks(
    name: str,
    arguments: tuple[str, ...],
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, "nothing that this can be")

    assert name in refused(*arguments)
