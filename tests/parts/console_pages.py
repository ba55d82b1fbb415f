"""The pages of the console, each by a path that a furnished gateway has."""

import re
from typing import Any

from showroom import Showroom

from falgate.console.pages import PAGES

LOOKS = (
    {"name": "light", "scheme": "light", "width": 1280, "height": 860},
    {"name": "dark", "scheme": "dark", "width": 1280, "height": 860},
    {"name": "phone", "scheme": "light", "width": 360, "height": 740},
)


def pages(room: Showroom) -> list[dict[str, str]]:
    """The name and the path of every page that a GET shows, of which each is opened."""
    key_id, _ = next(iter(room.keys.values()))
    parts = {
        "team": "storefront",
        "app": "product-pages",
        "key_id": key_id,
        "account": "team:storefront",
        "window": "day",
        "model": "openai:gpt-image-2",
        "subject": "app:storefront:banners",
        "operator_id": room.operator,
        "request_id": room.bought,
        "entry": room.entry,
        "file_name": room.pictures[0],
        "play_id": room.played,
    }
    return [
        {"name": name, "path": re.sub(r"\{(\w+):\w+\}", lambda part: parts[part[1]], route)}
        for name, route in named().items()
    ]


def named() -> dict[str, str]:
    """The routes of all pages, by what their pictures are called."""
    return {
        re.sub(r"\{\w+:\w+\}", "one", route).strip("/").replace("/", "-") or "overview": route
        for route in sorted({path for path, _ in routes()})
    }


def routes() -> list[tuple[str, Any]]:
    """The paths that show a whole page, with their handlers."""
    return [
        (path, handler)
        for handler in PAGES
        if "GET" in handler.http_methods
        for path in handler.paths
        if not path.endswith((*PARTS, *FILES))
    ]


FILES = (".toml", ".csv", "/thumbnail", "/file")
"""What a path ends with that is downloaded."""

PARTS = ("/live",)
"""What a path ends with that shows only a part of a page."""
