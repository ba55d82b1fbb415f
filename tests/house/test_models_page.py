"""docs/models.md lists every model that is served, with its counts, qualities and prices."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from falgate.models import price
from falgate.models.endpoints import MODELS
from falgate.models.openai_images import DEAREST
from falgate.models.sizes import ImageSize
from falgate.models.spec import ModelSpec

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
ROWS = {
    name.strip("` "): [cell.strip() for cell in cells]
    for line in PAGE.read_text().partition("\n## ")[0].splitlines()
    if line.startswith("| `")
    for name, *cells in [line.strip("|").split("|")]
}
ENDS = [ImageSize(width=1_440, height=480), DEAREST]
"""The cheapest and the dearest of all sizes, where a model makes any."""


def test_every_model_has_a_row_and_no_other_has() -> None:
    assert list(ROWS) == sorted(MODELS)


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)
def test_its_row_says_how_many_how_good_and_how_dear(spec: ModelSpec) -> None:
    told: Any = msgspec.json.schema(spec.input)["$defs"]["Input"]["properties"]
    count, quality, size = (told[each] for each in (spec.count, spec.quality, spec.size))
    sizes = ENDS if spec.grid else size["enum"]
    inputs = {"image_urls": ["https://a.example/a.png"]} if spec.inputs else {}
    prices = [
        price.listed(spec, spec.input(prompt="x", quality=each, image_size=one, **inputs), 1)
        for each in quality["enum"]
        for one in sizes
    ]

    counts, qualities, range_usd = ROWS[spec.endpoint]
    assert counts == f"{count['minimum']} to {count['maximum']}"
    assert sorted(qualities.replace("**", "").split(", ")) == quality["enum"]
    assert f"**{quality['default']}**" in qualities
    assert range_usd.startswith(f"${min(prices) / 1e6:.3f} to ${max(prices) / 1e6:.3f}, ")
