"""What is held for a request of any model, booked for it, and billed by the sandbox."""

from typing import Any

import msgspec
import pytest
from easel import easel, lone, publish_lone
from hypothesis import given
from hypothesis import strategies as st
from shipped import SHIPPED

from falgate.core.errors import InputRejected
from falgate.fal.replies import Delivered
from falgate.jobs.settlement import after_result
from falgate.models import price
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.models.hints import present, values_of
from falgate.models.sizes import ImageSize
from falgate.models.spec import ModelSpec
from falgate.sandbox import outcome
from falgate.sandbox.behaviour import Behaviour
from falgate.sandbox.record import Record, new_id

SPECS = {**MODELS, **SHIPPED, "easel": easel(), "lone": easel(lone, publish_lone)}
every_model = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def values(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Values of an argument, mostly good ones."""
    kinds = present(hint)
    if listed := values_of(hint):
        sizes = st.fixed_dictionaries(
            {side: st.integers(16, 160).map(lambda n: 16 * n) for side in ("width", "height")}
        )
        has_size = any(isinstance(kind, type) and issubclass(kind, ImageSize) for kind in kinds)
        return st.sampled_from(listed) | sizes if has_size else st.sampled_from(listed)
    if name == "image_urls" or "mask" in name:
        side = st.integers(1, 4_000)
        read = st.builds("sha256:{}1;{}x{};image/png".format, st.just("0" * 63), side, side)
        return read if "mask" in name else st.lists(read, min_size=1, max_size=8)
    if kinds == [int]:
        return st.integers(1, 4)
    if kinds == [str]:
        return st.text(min_size=3 if name == "prompt" else 0, max_size=30)
    return st.sampled_from([1, 2.5])


def bodies(spec: ModelSpec) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with a prompt and any of the other arguments."""
    fields = {
        each.name: values(each.name, each.type)
        for each in msgspec.structs.fields(spec.input)
        if each.name != "brushes"
    }
    required = {
        each.name: fields.pop(each.name)
        for each in msgspec.structs.fields(spec.input)
        if each.required
    }
    return st.fixed_dictionaries(required, optional=fields)


def sold(spec: ModelSpec, body: dict[str, Any], behaviour: Behaviour) -> Record:
    """The sandbox's record of a request that it carried out."""
    return Record(
        id=new_id(1),
        endpoint=spec.endpoint,
        submitted_s=1,
        accepted=True,
        sync=False,
        received=body,
        headers={},
        behaviour=behaviour,
        arguments=body,
    )


@every_model
@given(data=st.data())
def test_the_sandbox_bills_what_the_ledger_books_and_no_more_than_was_held(
    spec: ModelSpec, data: st.DataObject
) -> None:
    try:
        body = msgspec.json.encode(data.draw(bodies(spec)))
        arguments = read(spec, body, "application/json").arguments
    except InputRejected:
        return
    number = spec.asked(arguments)
    held = price.ceiling(spec, arguments, number)
    kind: Any = data.draw(st.sampled_from(["pictures", "too_few", "no_pictures"]))
    record = sold(spec, spec.purchase(arguments, number), Behaviour(work_s=0, outcome=kind))
    answer = outcome.result(record, spec, "https://sandbox")
    output = msgspec.json.decode(answer.body)

    settled = after_result(spec, arguments, held, Delivered(output, None))
    assert settled.charge <= held
    if settled.state == "paid":
        assert settled.charge == outcome.billed(record, spec, 10.0)
        assert msgspec.convert(output, spec.output)
