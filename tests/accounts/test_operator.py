"""What an operator may ask about: everything, or for a lead the own team and its apps."""

import pytest

from falgate.accounts.operator import Operator
from falgate.core.problems import Forbidden

ADMIN = Operator(who="admin", role="admin")
LEAD = Operator(who="lead:lea", role="lead", team="web")


@pytest.mark.parametrize("of", ["", "web", "web/shop", "rival", "rival/forge"])
@pytest.mark.parametrize("or_app", [True, False])
def test_an_admin_asks_about_whom_they_want(of: str, *, or_app: bool) -> None:
    assert ADMIN.of_theirs(of, or_app=or_app) == of


@pytest.mark.parametrize(("of", "meant"), [("", "web"), ("web", "web"), ("web/shop", "web/shop")])
def test_a_lead_means_their_team_or_an_app_of_it(of: str, meant: str) -> None:
    assert LEAD.of_theirs(of) == meant


@pytest.mark.parametrize("of", ["rival", "rival/forge", "webb", "we", "/", "/shop"])
def test_a_lead_who_asks_about_another_team_is_refused(of: str) -> None:
    for or_app in (True, False):
        with pytest.raises(Forbidden):
            LEAD.of_theirs(of, or_app=or_app)


def test_a_lead_names_no_app_where_a_team_stands() -> None:
    assert LEAD.of_theirs("", or_app=False) == "web"
    assert LEAD.of_theirs("web", or_app=False) == "web"
    with pytest.raises(Forbidden):
        LEAD.of_theirs("web/shop", or_app=False)
