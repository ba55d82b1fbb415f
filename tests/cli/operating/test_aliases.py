"""`falgate models alias` and `aliases`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]
TARGET, OTHER = "openai/gpt-image-2", "fal-ai/gpt-image-1.5"


@pytest.fixture(autouse=True)
def web(falgate: Falgate) -> None:
    """Makes team web and its app shop."""
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")


def test_an_alias_is_set_moved_listed_and_removed(falgate: Falgate, ask: Ask) -> None:
    said = falgate("models", "alias", "acme/image", TARGET).stdout
    assert said == f"acme/image is {TARGET} for all apps\n"
    falgate("models", "alias", "acme/image", OTHER)
    falgate("models", "alias", "acme/image", TARGET, "--app", "web/shop")

    assert ask("models", "aliases") == [
        {"name": "acme/image", "target": OTHER, "app": None},
        {"name": "acme/image", "target": TARGET, "app": "web/shop"},
    ]
    assert "web/shop" in falgate("models", "aliases").stdout
    assert "acme/image" in falgate("audit", "--limit", "2").stdout
    falgate("models", "alias", "acme/image", "--remove", "--app", "web/shop")
    falgate("models", "alias", "acme/image", "--remove")
    assert ask("models", "aliases") == []


def test_what_cannot_be_done_is_refused_in_one_line(refused: Refused) -> None:
    assert "give either a TARGET or --remove" in refused("models", "alias", "acme/image")
    assert "is not served" in refused("models", "alias", "acme/image", "acme/nothing")
    assert "has no alias" in refused(
        "models", "alias", "acme/image", "--remove", "--app", "web/shop"
    )
