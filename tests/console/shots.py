"""Pictures of every page, for people: `make shots` puts them into docs/img."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from console_pages import LOOKS, named, pages
from PIL import Image
from redis import Redis
from showroom import furnish, history

_WIDTH, _QUALITY = 900, 62
_TALLEST = 1
"""A picture is cut where it is this many times as tall as it is wide; phones have twice that."""


def test_every_page_has_its_picture(
    serve: Callable[..., AbstractContextManager[Any]],
    browse: Callable[..., str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    folder = Path(request.config.getoption("--shots")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with serve(tmp_path) as gateway:
        room = furnish(gateway)
        with Redis.from_url(gateway.redis_url, decode_responses=True) as redis:
            history(redis, datetime.now(UTC).date())
        shown = {"looks": LOOKS, "pages": pages(room), "shots": str(tmp_path)}
        assert browse("every_page", gateway, **shown) == ""

    for file in folder.glob("*.webp"):
        file.unlink()
    for name in named():
        for look in LOOKS:
            _small(tmp_path / f"{name}-{look['name']}.png", folder)


def _small(file: Path, folder: Path) -> None:
    with Image.open(file) as shot:
        phone = shot.width < _WIDTH
        tallest = round(shot.width * _TALLEST * (2 if phone else 1))
        cut = shot.convert("RGB").crop((0, 0, shot.width, min(shot.height, tallest)))
        if not phone:
            cut = cut.resize((_WIDTH, cut.height * _WIDTH // cut.width), Image.Resampling.LANCZOS)
        cut.save(folder / f"{file.stem}.webp", quality=_QUALITY, method=6)
