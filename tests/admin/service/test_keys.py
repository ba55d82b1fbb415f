"""Keys: what they may say, and the life of one from its making to its end."""

from typing import Any

import pytest
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.apikey import Permissions, Presented
from falgate.accounts.limits import Limits
from falgate.admin.keys import OVERLAP_S_MAX
from falgate.admin.service import AdminService
from falgate.core.problems import Conflict, Invalid, NotFound

NOW_S = 1_800_000_000
DAY_S = 86_400


def presented(key: str) -> Presented:
    found = apikey.present(key)
    assert found is not None
    return found


async def test_a_key_is_told_once_and_opens_its_record(admin: AdminService) -> None:
    made = await admin.keys.create(
        "web/shop", kind="test", name="of spring", expires_s=NOW_S + DAY_S
    )

    record = await admin.keys.show(made.record.id)

    assert record == made.record
    assert record.opened_by(presented(made.key), NOW_S)
    assert (record.team, record.app, record.kind) == ("web", "shop", "test")
    assert record.unusable(NOW_S) is None
    assert record.unusable(NOW_S + DAY_S) == "expired"
    assert made.key.split("_")[3] not in repr(made)
    assert made.key.split("_")[3] not in repr(record)


async def test_keys_are_listed_by_team_and_app(admin: AdminService) -> None:
    key = (await admin.keys.create("web/shop")).record

    assert await admin.keys.all() == [key]
    assert await admin.keys.all("web") == [key]
    assert await admin.keys.all("web/shop") == [key]
    assert await admin.keys.all("we") == []


async def test_a_key_needs_its_app(admin: AdminService) -> None:
    with pytest.raises(NotFound, match="no app web/nope; create it first"):
        await admin.keys.create("web/nope")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"expires_s": NOW_S}, "in the past"),
        ({"expires_s": -5}, "in the past"),
        ({"expires_s": 10**15}, "too far away"),
        ({"name": "a\nb"}, "one line"),
        ({"name": "x" * 201}, "one line"),
        ({"limits": Limits(generations_per_minute=-1)}, "limits.generations_per_minute"),
        ({"permissions": Permissions(models=("fal-ai/gpt-image",))}, "not a known model"),
        ({"permissions": Permissions(models=("openai/gpt-image-3/*",))}, "not a family of models"),
        ({"permissions": Permissions(models=("openai/gpt-image-2.5*",))}, "not a family of models"),
        (
            {"permissions": Permissions(models=("fal-ai/gpt-image-1.5/edit/*",))},
            "not a family of models",
        ),
        ({"permissions": Permissions(models=("*",))}, "whole segments and /\\*, such as"),
        (
            {"permissions": Permissions(models=("openai/gpt-image-2",), qualities=("max",))},
            "'max' is not a known quality",
        ),
        ({"permissions": Permissions(qualities=("hihg",))}, "choose from low, medium, high"),
        ({"permissions": Permissions(sizes=("1x1",))}, "not a known size"),
        ({"permissions": Permissions(pictures_max=-1)}, "pictures_max"),
        ({"permissions": Permissions(networks=("10.0.0.0/33",))}, "is not a network"),
        ({"permissions": Permissions(networks=("anywhere",))}, "is not a network"),
        ({"permissions": Permissions(networks=("10.1.2.3/8",))}, "the network is 10.0.0.0/8"),
    ],
)
async def test_a_setting_that_could_not_be_meant_is_refused(
    settings: dict[str, Any], complaint: str, admin: AdminService
) -> None:
    with pytest.raises(Invalid, match=complaint):
        await admin.keys.create("web/shop", **settings)
    made = await admin.keys.create("web/shop")
    with pytest.raises(Invalid, match=complaint):
        await admin.keys.change(made.record.id, lambda was: replace(was, **settings))


async def test_permissions_that_a_model_can_meet_are_kept(admin: AdminService) -> None:
    permissions = Permissions(
        models=("fal-ai/gpt-image-1.5",),
        qualities=("low", "medium"),
        sizes=("1024x1024",),
        pictures_max=2,
        networks=("10.0.0.0/8", "192.0.2.7", "2001:db8::/32"),
    )

    record = (await admin.keys.create("web/shop", permissions=permissions)).record

    spelt = ("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32")
    assert record.permissions == replace(permissions, networks=spelt)


async def test_a_family_is_kept_as_it_is_given(admin: AdminService) -> None:
    permissions = Permissions(models=("openai/gpt-image-2.5/*",), qualities=("max",))

    record = (await admin.keys.create("web/shop", permissions=permissions)).record

    assert record.permissions == permissions


async def test_a_size_with_a_name_is_kept_as_what_it_stands_for(admin: AdminService) -> None:
    sizes = ("square_hd", "1024x1024", "landscape_16_9", "3840x2160")
    permissions = Permissions(models=("openai/gpt-image-2",), sizes=sizes)

    record = (await admin.keys.create("web/shop", permissions=permissions)).record

    assert record.permissions.sizes == ("1024x1024", "landscape_16_9", "3840x2160")


async def test_an_expired_key_can_be_renamed(admin: AdminService, world: Any) -> None:
    record = (await admin.keys.create("web/shop", expires_s=NOW_S + 1)).record
    world.records.known[record.id] = replace(record, expires_s=NOW_S - 1)

    renamed = await admin.keys.change(record.id, lambda was: replace(was, name="old"))

    assert renamed.name == "old"


async def test_a_key_is_disabled_and_enabled(admin: AdminService) -> None:
    key_id = (await admin.keys.create("web/shop")).record.id

    disabled = await admin.keys.change(key_id, lambda was: replace(was, disabled=True))
    assert disabled.unusable(NOW_S) == "disabled"

    enabled = await admin.keys.change(key_id, lambda was: replace(was, disabled=False))
    assert enabled.unusable(NOW_S) is None


async def test_a_rotated_key_has_two_secrets_for_a_while(admin: AdminService) -> None:
    first = await admin.keys.create("web/shop")
    second = await admin.keys.rotate(first.record.id, overlap_s=60)

    assert presented(second.key).id == first.record.id
    assert second.key != first.key
    assert second.record.opened_by(presented(second.key), NOW_S + 10**6)
    assert second.record.opened_by(presented(first.key), NOW_S + 59)
    assert not second.record.opened_by(presented(first.key), NOW_S + 60)

    third = await admin.keys.rotate(first.record.id, overlap_s=60)

    assert third.record.opened_by(presented(second.key), NOW_S)
    assert not third.record.opened_by(presented(first.key), NOW_S)


async def test_without_overlap_the_old_secret_ends_at_once(admin: AdminService) -> None:
    first = await admin.keys.create("web/shop")
    second = await admin.keys.rotate(first.record.id, overlap_s=0)

    assert not second.record.opened_by(presented(first.key), NOW_S)
    assert (second.record.previous_digest, second.record.previous_until_s) == ("", 0)


@pytest.mark.parametrize("overlap_s", [-1, OVERLAP_S_MAX + 1])
async def test_an_overlap_has_bounds(overlap_s: int, admin: AdminService) -> None:
    key_id = (await admin.keys.create("web/shop")).record.id
    with pytest.raises(Invalid, match="overlap"):
        await admin.keys.rotate(key_id, overlap_s)


async def test_a_revocation_is_for_ever(admin: AdminService) -> None:
    key_id = (await admin.keys.create("web/shop")).record.id
    revoked = await admin.keys.revoke(key_id)
    assert revoked.unusable(NOW_S) == "revoked"

    assert await admin.keys.revoke(key_id) == revoked
    with pytest.raises(Conflict, match="for ever"):
        await admin.keys.change(key_id, lambda was: replace(was, disabled=True))
    with pytest.raises(Conflict, match="for ever"):
        await admin.keys.rotate(key_id)


async def test_an_id_that_nobody_has_is_not_quoted(admin: AdminService) -> None:
    for use in (
        admin.keys.show("s3cret"),
        admin.keys.revoke("s3cret"),
        admin.keys.rotate("s3cret"),
        admin.keys.change("s3cret", lambda was: was),
    ):
        with pytest.raises(NotFound) as refused:
            await use
        assert "s3cret" not in str(refused.value)
