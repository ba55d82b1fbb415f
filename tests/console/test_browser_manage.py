"""Managing and governing in a headless browser: the first minute, a rotated key, every page."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

Browse = Callable[..., str]
Start = Callable[..., AbstractContextManager[Any]]


class Serving(NamedTuple):
    """A gateway that `falgate run` made, as the other ones are for a browser."""

    url: str
    admin_key: str
    run: Any

    def logged(self) -> str:
        """What it logged."""
        log: str = self.run.log
        return log


def test_the_first_minute_leads_from_a_link_to_a_picture_and_its_line_in_the_ledger(
    browse: Browse, start: Start, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with start(data, tmp_path) as gateway:
        (link,) = re.findall(r"http://\S+/sign-in/link/\S+", gateway.banner)
        serving = Serving(gateway.url, (data / "admin-key").read_text().strip(), gateway)
        assert browse("first_minute", serving, link=link) == ""


def test_a_rotated_key_is_copied_and_rotated_once(
    console: Any, browse: Browse, administration: httpx.Client, named: Callable[[str], str]
) -> None:
    team = named("rotating")
    body = {"team": team, "app": "shop", "key": {"name": "storefront"}}
    made = administration.post("/setup", json=body).raise_for_status().json()
    assert browse("rotate", console, key_id=made["record"]["id"]) == ""


def test_what_a_file_would_change_is_accessible_and_fits(console: Any, browse: Browse) -> None:
    assert browse("govern", console) == ""
