"""The console in a headless browser, as people use it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from buying import shopper
from console_pages import LOOKS, pages
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


@pytest.mark.parametrize("look", [*LOOKS, DARK_PHONE], ids=lambda look: look["name"])
def test_a_picture_is_bought_found_rejected_and_bought_again(
    look: dict[str, Any], console: Any, browse: Browse
) -> None:
    mark = uuid.uuid4().hex[:8]
    app = shopper(console, f"look{mark}/shop").app

    assert browse("picture", console, look=look, app=app, prompt=f"lighthouse{mark}") == ""
