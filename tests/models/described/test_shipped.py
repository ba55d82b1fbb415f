"""What holds for every description that falgate ships, and for the easel of the tests."""

import pytest
from easel import easel, lone, publish_lone
from shipped import SHIPPED

from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec

SPECS = {**SHIPPED, "easel": easel(), "lone": easel(lone, publish_lone)}
every_model = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@every_model
def test_its_names_are_its_own(spec: ModelSpec) -> None:
    assert spec.endpoint not in MODELS
    assert spec.input.__struct_config__.frozen
    assert spec.described
    assert spec.described.document["paths"]
