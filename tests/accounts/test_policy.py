"""What a key may do: its networks, and the pictures that it may ask for."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import msgspec
import pytest

from falgate.accounts import policy
from falgate.accounts.apikey import Permissions
from falgate.core.errors import NotAllowed
from falgate.models.spec import Expected, ModelSpec


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments with names of their own for what permissions are about."""

    finish: str = "plain"
    frame: str = "1x1"
    amount: int = 1


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments without quality and size."""

    amount: int = 1


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda _: 1,
    text_ceiling=lambda _, __: 0,
    text_estimate=lambda _, __: 0,
    expected=lambda _: Expected("image/png", 1, 1),
    count="amount",
    quality="finish",
    size="frame",
)
EVERYTHING = Permissions()


def allowed(check: Callable[[], None]) -> bool:
    """Whether a check lets pass."""
    try:
        check()
    except NotAllowed:
        return False
    return True


def test_what_is_not_restricted_is_allowed() -> None:
    wide = Input(finish="gold", frame="9x9", amount=99)

    assert allowed(lambda: policy.check_address(EVERYTHING, ""))
    assert allowed(lambda: policy.check_address(EVERYTHING, "203.0.113.9"))
    assert allowed(lambda: policy.check_model(EVERYTHING, "acme/easel"))
    assert allowed(lambda: policy.check_arguments(EVERYTHING, SPEC, wide))


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        (("10.0.0.0/8",), "10.255.0.1"),
        (("10.0.0.7",), "10.0.0.7"),
        (("192.0.2.0/24", "10.0.0.0/8"), "10.1.2.3"),
        (("2001:db8::/32",), "2001:db8:1::1"),
        (("2001:db8::/32",), "2001:0DB8:0001:0000::1"),
        (("::1",), "::1"),
        (("0.0.0.0/0",), "203.0.113.9"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1"),
        (("fe80::/10",), "fe80::1%eth0"),
    ],
)
def test_a_caller_in_one_of_the_keys_networks_passes(
    networks: tuple[str, ...], address: str
) -> None:
    assert allowed(lambda: policy.check_address(Permissions(networks=networks), address))


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        (("10.0.0.0/8",), "11.0.0.1"),
        (("10.0.0.7",), "10.0.0.8"),
        (("2001:db8::/32",), "2001:db9::1"),
        (("10.0.0.0/8",), "2001:db8::1"),
        (("2001:db8::/32",), "10.0.0.1"),
        (("10.0.0.0/8",), "::ffff:11.0.0.1"),
        (("::/0",), "10.0.0.1"),
        (("0.0.0.0/0",), "::1"),
        (("10.0.0.0/8",), ""),
        (("10.0.0.0/8",), "localhost"),
        (("0.0.0.0/0", "::/0"), "10.0.0.1, 10.0.0.2"),
    ],
)
def test_a_caller_from_elsewhere_is_told_only_that(networks: tuple[str, ...], address: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        policy.check_address(Permissions(networks=networks), address)

    assert str(caught.value) == "This key may not be used from here"


FAMILY = "acme/easel-2/*"


@pytest.mark.parametrize(
    "endpoint", ["acme/easel-2/oil", "acme/easel-2/oil/edit", "acme/easel-2/new", "acme/brush"]
)
def test_a_family_is_every_model_below_it_and_those_that_are_still_to_come(endpoint: str) -> None:
    permissions = Permissions(models=(FAMILY, "acme/brush"))

    assert allowed(lambda: policy.check_model(permissions, endpoint))


@pytest.mark.parametrize(
    ("permitted", "endpoint"),
    [
        (FAMILY, "acme/easel-2"),
        (FAMILY, "acme/easel-20/oil"),
        (FAMILY, "other/acme/easel-2/oil"),
        ("acme/easel-2", "acme/easel-2/oil"),
        ("acme/easel-2*", "acme/easel-2/oil"),
        ("acme/*/oil", "acme/easel-2/oil"),
        ("*", "acme/easel-2"),
        ("/*", "acme/easel-2"),
    ],
)
def test_what_is_no_whole_segment_of_a_family_is_refused(permitted: str, endpoint: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        policy.check_model(Permissions(models=(permitted,)), endpoint)

    assert str(caught.value) == f"This key may not use this model; it may use {permitted}"


class Counted(str):
    """A network that counts how often it is read."""

    __slots__ = ()
    read: ClassVar[list[str]] = []

    def __str__(self) -> str:
        self.read.append(super().__str__())
        return super().__str__()


def test_networks_are_parsed_once_for_a_record_and_not_for_each_request() -> None:
    names = [f"198.51.{number}.0/24" for number in range(100)]
    for _ in range(50):
        # As it comes from Redis: the same words, another record each time.
        key = Permissions(networks=tuple(map(Counted, names)))
        assert allowed(partial(policy.check_address, key, "198.51.99.7"))

    assert sorted(set(Counted.read)) == sorted(names)
    assert Counted.read.count(names[0]) == Counted.read.count(names[-1]) <= 3


def test_a_model_passes_when_it_is_one_of_the_keys() -> None:
    some = Permissions(models=("acme/brush", "acme/easel"))
    policy.check_model(some, "acme/easel")

    with pytest.raises(NotAllowed) as caught:
        policy.check_model(some, "acme/easel/edit")
    assert str(caught.value) == "This key may not use this model; it may use acme/brush, acme/easel"


CAPPED = Permissions(qualities=("plain", "matt"), sizes=("1x1",), pictures_max=2)


@pytest.mark.parametrize("arguments", [Input(), Input(finish="matt", amount=2)])
def test_arguments_within_a_keys_caps_pass(arguments: Input) -> None:
    assert allowed(lambda: policy.check_arguments(CAPPED, SPEC, arguments))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (Input(finish="gold"), "This key may not use this finish; it may use plain, matt"),
        (Input(frame="2x2"), "This key may not use this frame; it may use 1x1"),
        (Input(amount=3), "This key may ask for 2 pictures at once, not for 3"),
    ],
)
def test_arguments_beyond_them_are_named_with_what_would_do(arguments: Input, said: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        policy.check_arguments(CAPPED, SPEC, arguments)

    assert str(caught.value) == said


def test_a_number_is_capped_by_its_own_limit_only() -> None:
    policy.check_arguments(Permissions(pictures_max=1), SPEC, Input(finish="gold", frame="9x9"))

    with pytest.raises(NotAllowed):
        policy.check_arguments(Permissions(pictures_max=1), SPEC, Input(amount=2))


@pytest.mark.parametrize("permissions", [{"qualities": ("plain",)}, {"sizes": ("1x1",)}])
def test_a_model_without_the_argument_is_not_what_such_a_key_may_use(
    permissions: dict[str, Any],
) -> None:
    with pytest.raises(NotAllowed):
        policy.check_arguments(Permissions(**permissions), SPEC, Plain())


@pytest.mark.parametrize(("most", "size", "fine"), [(0, 10**9, True), (9, 9, True), (9, 10, False)])
def test_the_bytes_of_inputs_are_limited_together(most: int, size: int, *, fine: bool) -> None:
    permissions = Permissions(input_bytes_max=most)

    if fine:
        policy.check_input_bytes(permissions, size)
    else:
        with pytest.raises(NotAllowed, match="9 bytes together, not of 10"):
            policy.check_input_bytes(permissions, size)
