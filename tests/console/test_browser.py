"""The console in a headless browser, as people use it."""

from collections.abc import Callable
from typing import Any

Browse = Callable[..., str]


def test_signing_out_ends_the_session_and_the_way_back_does_not_return(
    console: Any, browse: Browse
) -> None:
    assert browse("first_look", console) == ""
