"""The operator's file: read strictly, written so that reading it gives the same back."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import get_args

import pytest
from growth import square
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from falgate.accounts.cache_settings import OVERRIDES, CachePolicy
from falgate.accounts.directory import DEFAULT_MODEL, NAME, Afterwards, Alias, App, Model, Team
from falgate.accounts.limits import Limits, PurchaseRates
from falgate.admin import config
from falgate.admin.plan import State
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS
from falgate.core.money import MICROS_MAX
from falgate.core.problems import Invalid
from falgate.money.budget import Budget

FILE = """
[organisation.budget.month]
limit_usd = "5000"
alerts = [80, 95]

[team.web]
weight = 3
waiting_generations = 20
limits.generations_at_once = 10
budget.day = { limit_usd = "25.50", shadow = true }

[team.web.app.shop]
limits = { requests_per_second = 5 }
budget.hour.limit_usd = 2

[team.mobile]

[model."acme/easel/edit"]
limits.generations_per_minute = 60
budget.day.limit_usd = 4

[model."acme/brush".budget.total]
limit_usd = "0"
"""

names = st.from_regex(NAME, fullmatch=True)
numbers = st.integers(0, 1_000_000)
limits = st.builds(
    Limits,
    requests_per_second=numbers,
    generations_per_minute=numbers,
    generations_at_once=numbers,
)
rates = st.builds(PurchaseRates, generations_per_minute=numbers, generations_at_once=numbers)
endpoints = st.builds("/".join, st.lists(names, min_size=2, max_size=3))
budgets = st.builds(
    Budget,
    limit=st.integers(0, MICROS_MAX),
    shadow=st.booleans(),
    alerts=st.sets(st.integers(1, 1000), max_size=3).map(sorted).map(tuple),
)


cachings = st.builds(
    CachePolicy,
    scope=st.sampled_from(("org", "team", "app")),
    max_age_s=numbers,
    freshness=st.sampled_from(("cached", "no-cache", "no-store")),
    derive=st.booleans(),
    identical=st.sampled_from(("share", "distinct")),
    callers_may=st.sets(st.sampled_from(OVERRIDES)).map(sorted).map(tuple),
    ignore_freshness=st.booleans(),
    keep_prompts=st.booleans(),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    teams = draw(
        st.dictionaries(
            names,
            st.builds(
                Team, limits=limits, weight=st.integers(1, 1000), waiting_generations=numbers
            ),
            max_size=3,
        )
    )
    apps = {
        f"{team}/{app}": App(
            limits=draw(limits),
            cache=draw(cachings),
            aliases=draw(st.dictionaries(endpoints, endpoints, max_size=1)),
            afterwards=draw(
                st.dictionaries(endpoints, st.sampled_from(get_args(Afterwards)), max_size=1)
            ),
        )
        for team in teams
        for app in draw(st.sets(names, max_size=2))
    }
    models = draw(
        st.dictionaries(
            endpoints,
            st.builds(
                Model,
                limits=rates,
                retires=st.none() | st.dates(),
                successor=st.just("") | endpoints,
                afterwards=st.sampled_from(get_args(Afterwards)),
            ),
            max_size=2,
        )
    )
    aliases = draw(st.dictionaries(endpoints, st.builds(Alias, target=endpoints), max_size=2))
    accounts = [
        ORGANISATION,
        *(Account("model", endpoint) for endpoint in draw(st.sets(endpoints, max_size=2))),
        *(Account("team", team) for team in teams),
        *(Account("app", app) for app in apps),
    ]
    limited = draw(st.sets(st.tuples(st.sampled_from(accounts), st.sampled_from(KINDS))))
    return State(teams, apps, {key: draw(budgets) for key in limited}, _decided(models), aliases)


def _decided(models: Mapping[str, Model]) -> dict[str, Model]:
    """Without those about which nothing is decided."""
    return {name: each for name, each in models.items() if each != DEFAULT_MODEL}


def test_a_file_says_teams_apps_budgets_and_limits() -> None:
    state = config.read(FILE)

    assert state.teams == {
        "web": Team(limits=Limits(generations_at_once=10), weight=3, waiting_generations=20),
        "mobile": Team(),
    }
    assert state.apps == {"web/shop": App(limits=Limits(requests_per_second=5))}
    assert state.budgets == {
        (ORGANISATION, "month"): Budget(limit=5_000_000_000, alerts=(80, 95)),
        (Account("team", "web"), "day"): Budget(limit=25_500_000, shadow=True),
        (Account("app", "web/shop"), "hour"): Budget(limit=2_000_000),
        (Account("model", "acme/easel/edit"), "day"): Budget(limit=4_000_000),
        (Account("model", "acme/brush"), "total"): Budget(limit=0),
    }


@given(states(), states())
def test_what_is_written_reads_as_it_was_whatever_is_there_then(state: State, now: State) -> None:
    read = config.read(config.write(state), now)

    assert replace(read, models=_decided(read.models)) == state


def test_what_a_file_does_not_say_stays_as_it_is() -> None:
    web, shop = Account("team", "web"), Account("app", "web/shop")
    now = State(
        {"web": Team(limits=Limits(requests_per_second=9, generations_at_once=4), weight=7)},
        {"web/shop": App(cache=CachePolicy(scope="app", max_age_s=60), limits=Limits())},
        {(web, "day"): Budget(limit=5, shadow=True, alerts=(80,)), (shop, "day"): Budget(limit=9)},
    )
    text = """
    [team.web]
    limits.generations_at_once = 1
    budget.day.limit_usd = 6
    [team.web.app.shop]
    cache.max_age_s = 0
    budget.day.alerts = [95]
    """

    wanted = config.read(text, now)

    assert wanted.teams == {
        "web": Team(limits=Limits(requests_per_second=9, generations_at_once=1), weight=7)
    }
    assert wanted.apps == {"web/shop": App(cache=CachePolicy(scope="app"))}
    assert wanted.budgets == {
        (web, "day"): Budget(limit=6_000_000, shadow=True, alerts=(80,)),
        (shop, "day"): Budget(limit=9, alerts=(95,)),
    }


def test_a_models_limits_are_changed_in_part_and_taken_away() -> None:
    both = Model(limits=PurchaseRates(generations_per_minute=6, generations_at_once=2))
    now = State({}, {}, {}, {"a/b": both})
    unmentioned = '[model."a/b"]'
    one = f"{unmentioned}\nlimits.generations_at_once = 0"
    none = f"{one}\nlimits.generations_per_minute = 0"

    assert config.read(unmentioned, now).models == {"a/b": both}
    left = Model(limits=PurchaseRates(generations_per_minute=6))
    assert config.read(one, now).models == {"a/b": left}
    assert config.read(none, now).models == {"a/b": DEFAULT_MODEL}
    assert config.read(none).models == {}


@pytest.mark.parametrize("day", ["2026-12-03", '"2026-12-03"'])
def test_a_file_says_when_a_model_ends_and_what_follows(day: str) -> None:
    text = f"""
    [model."a/b"]
    retires = {day}
    successor = "a/c"
    afterwards = "redirect"
    [alias]
    "acme/image" = "a/c"
    """
    wanted = config.read(text)

    model = Model(retires=date(2026, 12, 3), successor="a/c", afterwards="redirect")
    assert wanted.models == {"a/b": model}
    assert wanted.aliases == {"acme/image": Alias(target="a/c")}
    of_its_file = config.read('[model."a/b"]\nretires = ""', wanted).models
    assert of_its_file == {"a/b": replace(model, retires=None)}


@pytest.mark.parametrize("day", ["2026-12-03T00:00:00", '"soon"', "7"])
def test_a_model_ends_on_a_day_and_at_no_other_time(day: str) -> None:
    with pytest.raises(Invalid, match=r"model a/b: retires must be a day, such as 2026-12-01"):
        config.read(f'[model."a/b"]\nretires = {day}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[team.web", "TOML"),
        ("[teams.web]", "teams"),
        ("[team.web]\nwieght = 2", "wieght"),
        ("[team.web.budget.daily]\nlimit_usd = 1", "daily"),
        ("[team.web.budget.day]\nlimit = 1", "limit"),
        ("[team.web.budget.day]\nshadow = true", "limit_usd"),
        ("[team.web.budget.day]\nlimit_usd = 1.5", "limit_usd"),
        ("[team.web.budget.day]\nlimit_usd = -1", "-1"),
        ('[team.web.budget.day]\nlimit_usd = "nan"', "nan"),
        ('[team.web.budget.day]\nlimit_usd = "1e3"', "1e3"),
        ('[team.web.budget.day]\nlimit_usd = "0.0000001"', "millionth"),
        ('[team.web.budget.day]\nlimit_usd = "9999999999"', "billion"),
        ("[team.web.budget.day]\nlimit_usd = 1\nalerts = [95, 80]", "ascend"),
        ("[team.web.budget.day]\nlimit_usd = 1\nalerts = [0]", "alerts"),
        ("[team.web]\nweight = 0", "weight"),
        ("[team.web.limits]\ngenerations_at_once = -1", "generations_at_once"),
        ('[team.web.app.shop.cache]\nscope = "all"', "scope"),
        ("[team.web.app.shop.cache]\nttl = 5", "ttl"),
        ('[team."a b"]', "a b"),
        ('[team.web.app."shop/x"]', "shop/x"),
        ("[team.web.app.shop.key.k]", "key"),
        ('[model."a/b".limits]\nrequests_per_second = 1', "requests_per_second"),
        ('[model."a/b".limits]\ngenerations_at_once = -1', "generations_at_once"),
        ('[model."a/b"]\nweight = 1', "weight"),
        ('[model."a/b".budget.day]\nshadow = true', "limit_usd"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(text: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        config.read(text)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 500_000,
        "a = " + "{a=" * 300_000,
        "[" + "a." * 500_000 + "a]",
        "a." * 500_000 + "a = 1",
        "\n".join("a" + ".a" * 200 + f"{number} = 1" for number in range(2_000)),
        "[team.web]\nweight = " + "9" * 5_000,
        'a = "' + '\\"' * 400_000,
        "'" * 900_000,
    ],
    ids=["lists", "tables", "a name", "a key", "many keys", "digits", "a string", "quotes"],
)
def test_a_file_without_end_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        config.read(text)
    assert "\n" not in str(refused.value)


def test_names_with_dots_and_brackets_in_strings_are_fine() -> None:
    name = "a." * 31 + "b"

    assert config.read(f'[team."{name}".budget.day]\nlimit_usd = "1" # [[[[[[ . . . .\n').teams


@pytest.mark.parametrize(
    "made", ["a." * 1, "[", '\\"', "'", "#", "= ", '"\\', "a=1.5,"], ids=range(8)
)
def test_reading_costs_no_square(made: str) -> None:
    def read(text: str) -> None:
        with suppress(Invalid):
            config.read(text)

    assert square(read, lambda length: 'a = "' + made * (length // len(made))) == ""
    assert square(read, lambda length: made * (length // len(made))) == ""
