"""Aliases as operators set them: names that clients can call, for models that there are."""

from typing import Any

import pytest
from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.accounts.directory import ALIASES_MAX, Alias, App
from falgate.admin.service import AdminService
from falgate.core.problems import Invalid, NotFound

TARGET = "openai/gpt-image-2"
OTHER = "fal-ai/gpt-image-1.5"


async def test_an_alias_is_set_changed_and_removed(admin: AdminService, world: Any) -> None:
    await admin.aliases.set("acme/image", Alias(target=TARGET))
    await admin.aliases.set("acme/image", Alias(target=OTHER))

    assert await admin.aliases.all() == {"acme/image": Alias(target=OTHER)}
    await admin.aliases.remove("acme/image")
    assert await admin.aliases.all() == {}
    assert [line.who for line in world.records.lines] == ["somebody"] * 3
    with pytest.raises(NotFound):
        await admin.aliases.remove("acme/image")


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("acme/image", "acme/image", "cannot stand for itself"),
        ("acme/other", "acme/image", "is an alias itself"),
        ("acme/other", "acme/nothing", "is not served; there are fal-ai/gpt-image-1.5"),
        ("acme/other", "", "is not served"),
        (OTHER, TARGET, "is a model. To serve another one in its place once it has ended"),
        ("image", TARGET, "two to six words"),
        ("a/b/c/d/e/f/g", TARGET, "two to six words"),
        ("acme/../image", TARGET, "two to six words"),
        ("Acme/Image", TARGET, "two to six words"),
        ("acme/image\n", TARGET, "two to six words"),
        ("a" * 65 + "/image", TARGET, "two to six words"),
        ("admin/v1", TARGET, "one of falgate's own paths"),
        ("queue/image", TARGET, "one of falgate's own paths"),
        ("acme/image/requests/x", TARGET, "one of falgate's own paths"),
    ],
)
async def test_what_cannot_be_an_alias_is_refused_and_says_why(
    name: str, target: str, words: str, admin: AdminService
) -> None:
    await admin.aliases.set("acme/image", Alias(target=TARGET))

    with pytest.raises(Invalid, match=words):
        await admin.aliases.set(name, Alias(target=target))
    if target != "acme/image":
        with pytest.raises(Invalid, match=words):
            await admin.apps.change("web/shop", lambda _: App(aliases={name: target}))
    assert list(await admin.aliases.all()) == ["acme/image"]


async def test_there_are_only_so_many(admin: AdminService) -> None:
    for number in range(ALIASES_MAX):
        await admin.aliases.set(f"acme/{number}", Alias(target=TARGET))

    with pytest.raises(Invalid, match="remove one first"):
        await admin.aliases.set("acme/more", Alias(target=TARGET))
    await admin.aliases.set("acme/0", Alias(target=OTHER))


async def test_what_follows_an_end_is_only_for_models_that_there_are(admin: AdminService) -> None:
    with pytest.raises(Invalid, match="'acme/easel' is not served"):
        await admin.apps.change("web/shop", lambda _: App(afterwards={"acme/easel": "redirect"}))
    changed = await admin.apps.change("web/shop", lambda _: App(afterwards={OTHER: "redirect"}))
    assert changed.afterwards == {OTHER: "redirect"}


async def test_a_key_may_be_for_an_alias_whatever_it_stands_for(admin: AdminService) -> None:
    await admin.aliases.set("acme/image", Alias(target=TARGET))
    only = Permissions(models=("acme/image",), qualities=("auto",))
    made = await admin.keys.create("web/shop", permissions=only)

    assert made.record.permissions == only
    with pytest.raises(Invalid, match="not a known model"):
        await admin.keys.create("web/shop", permissions=Permissions(models=("acme/other",)))
    with pytest.raises(Invalid, match="not a known quality"):
        await admin.keys.create("web/shop", permissions=replace(only, qualities=("best",)))
