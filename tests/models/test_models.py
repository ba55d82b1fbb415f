"""What holds for every model that is served."""

import json
import re

import msgspec
import pytest

from falgate.core.errors import InputRejected
from falgate.core.picture import EXTENSIONS
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec

JSON = "application/json"
every_model = pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)


@every_model
def test_a_model_is_found_under_its_endpoint(spec: ModelSpec) -> None:
    assert MODELS[spec.endpoint] is spec
    assert re.fullmatch(r"[a-z0-9.-]+(/[a-z0-9.-]+)+", spec.endpoint)


@every_model
def test_the_arguments_that_a_model_names_are_its_own(spec: ModelSpec) -> None:
    inputs = {field.encode_name for field in msgspec.structs.fields(spec.input)}

    assert {spec.count, spec.inline, *spec.recorded} <= inputs
    assert spec.pictures in {field.encode_name for field in msgspec.structs.fields(spec.output)}


@every_model
def test_a_key_can_be_kept_from_a_models_quality_and_size(spec: ModelSpec) -> None:
    """Where a model has such arguments, they are found under the names that it says."""
    inputs = {field.encode_name for field in msgspec.structs.fields(spec.input)}

    assert {name for name in inputs if "quality" in name} <= {spec.quality}
    assert {name for name in inputs if "size" in name} <= {spec.size}


@every_model
def test_arguments_cannot_be_changed_behind_the_fingerprint(spec: ModelSpec) -> None:
    assert spec.input.__struct_config__.frozen


@every_model
def test_nothing_asked_for_names_all_that_is_required(spec: ModelSpec) -> None:
    required = [field for field in msgspec.structs.fields(spec.input) if field.required]

    with pytest.raises(InputRejected) as caught:
        read(spec, b"{}", JSON)
    assert [issue["loc"] for issue in caught.value.issues] == [
        ["body", field.encode_name] for field in required
    ]


@every_model
def test_the_plainest_request_is_read_priced_and_bought(spec: ModelSpec) -> None:
    required = [field for field in msgspec.structs.fields(spec.input) if field.required]
    lists = {each.argument for each in spec.inputs if each.many}
    given = {
        name: ["a fox"] if name in lists else "a fox" for name in (f.encode_name for f in required)
    }
    body = json.dumps(given).encode()
    arguments = read(spec, body, JSON).arguments
    number = spec.asked(arguments)
    expected = spec.expected(arguments)

    assert not spec.wants_inline(arguments)
    assert 0 < price.cost(spec, arguments, number) <= price.ceiling(spec, arguments, number)
    assert expected.content_type in EXTENSIONS
    assert min(expected.width, expected.height) > 0 or expected.pixels
    assert read(spec, json.dumps(spec.purchase(arguments, number)).encode(), JSON) == read(
        spec, body, JSON
    )
