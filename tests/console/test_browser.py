"""The console in a headless browser, as people use it."""

from collections.abc import Callable
from typing import Any

import pytest
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
