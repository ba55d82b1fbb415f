"""The console in a headless browser, as people use it."""

from collections.abc import Callable
from typing import Any

import pytest
from console_pages import LOOKS, pages
from console_teams import team_of
from showroom import Showroom

Browse = Callable[..., str]
DARK_PHONE = {**LOOKS[2], "name": "dark-phone", "scheme": "dark"}


def test_signing_out_ends_the_session_and_the_way_back_does_not_return(
    console: Any, browse: Browse
) -> None:
    assert browse("first_look", console) == ""


@pytest.mark.parametrize("look", [LOOKS[0], DARK_PHONE], ids=lambda look: look["name"])
def test_every_page_is_accessible_and_fits(
    look: dict[str, Any], furnished: tuple[Any, Showroom], browse: Browse
) -> None:
    gateway, room = furnished

    assert browse("every_page", gateway, look=look, pages=pages(room)) == ""


def test_the_log_the_ledger_and_the_audit_log_lead_from_one_to_the_other(
    console: Any, browse: Browse
) -> None:
    team = team_of(console, "followed")
    team.ask(console, prompt="a fox that is followed")
    team.ask(console, prompt="a fox that is followed")
    team.ask(console, prompt="a fox that is followed", quality="huge")
    team.raised(1)
    assert browse("books", console, team=team.name) == ""
