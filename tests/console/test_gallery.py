"""The gallery: pictures are found, seen and acted on by those who may, and prompts stay private."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from buying import Shopper, api, shopper
from patience import PATIENCE_S
from visiting import confirm, hidden

Enter = Callable[..., httpx.Client]
TRICKY = '<script>alert(1)</script> \u202eevil\u202c \x07 & "quoted"'


@pytest.fixture
def app(console: Any) -> Shopper:
    """An app of this test alone."""
    return shopper(console, f"shown{uuid.uuid4().hex[:8]}/shop")


def find(visitor: httpx.Client, **sought: str) -> httpx.Response:
    fields = hidden(visitor.get("/gallery"), "/console/gallery")
    return visitor.post("/gallery", data={**fields, **sought})


def names(page: httpx.Response) -> list[str]:
    """The pictures that a page of the gallery shows, in order."""
    assert page.status_code == 200, page.text
    return re.findall(r'<li><a href="/console/gallery/([^"]+)">', page.text)


def act(visitor: httpx.Client, name: str, what: str, why: str = "") -> httpx.Response:
    """Do something to a picture, and confirm it."""
    fields = hidden(visitor.get(f"/gallery/{name}"))
    path = f"/gallery/{name}/{what}"
    return confirm(visitor, path, visitor.post(path, data={**fields, "why": why}))


def test_pictures_are_found_by_words_apps_quality_and_size(
    admin: httpx.Client, app: Shopper
) -> None:
    boat = app.buy("a paper boat")
    train = app.buy("a night train", quality="medium")

    assert names(admin.get(f"/gallery?app={app.app}")) == [train, boat]
    assert names(admin.get(f"/gallery?team={app.app.partition('/')[0]}")) == [train, boat]
    assert names(find(admin, app=app.app, words="Paper  BOAT")) == [boat]
    assert names(find(admin, app=app.app, quality="medium")) == [train]
    assert names(find(admin, app=app.app, size="1024 x 768")) == [train, boat]
    assert names(find(admin, app=app.app, size="512x512")) == []
    assert names(find(admin, app=app.app, model="openai/gpt-image-2")) == [train, boat]
    assert names(find(admin, app=app.app, pinned="yes")) == []


def test_a_wrong_filter_says_what_is_wrong_and_keeps_it(admin: httpx.Client) -> None:
    page = find(admin, size="large", words="kept")

    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert 'value="kept"' in page.text


def test_older_carries_the_filter_in_a_form(admin: httpx.Client, app: Shopper) -> None:
    with api(app.gateway) as client:
        for number in range(49):
            app.buy(f"boat {number}")
        assert client.post("/gallery/find", json={"app": app.app}).json()["items"]

    page = find(admin, app=app.app, words="boat")
    older = admin.post("/gallery", data=hidden(page))

    assert len(names(page)) == 48
    assert len(names(older)) == 1
    assert not set(names(page)) & set(names(older))
    assert len(names(admin.post("/gallery", data={**hidden(older), "cursor": ""}))) == 48
    assert not re.search(r'(href|action)="[^"]*boat', page.text + older.text)


def test_the_files_are_passed_on_once_and_asked_for_each_time(
    admin: httpx.Client, app: Shopper
) -> None:
    name = app.buy("a vase")

    small, whole = (admin.get(f"/gallery/{name}/{what}") for what in ("thumbnail", "file"))
    again = admin.get(f"/gallery/{name}/file", headers={"If-None-Match": whole.headers["etag"]})

    assert (small.headers["content-type"], whole.headers["content-type"]) == (
        "image/webp",
        "image/png",
    )
    for each in (small, whole, again):
        assert each.headers["cache-control"] == "private, no-cache"
        assert "sandbox" in each.headers["content-security-policy"]
        assert each.headers["x-content-type-options"] == "nosniff"
    assert (again.status_code, again.content) == (304, b"")
    for missing in (f"/gallery/{'0' * 64}.png", "/gallery/..%2f..%2fkeys"):
        assert admin.get(f"{missing}/file").status_code == 404
        assert admin.get(missing).status_code == 404


def test_a_prompt_is_text_everywhere(admin: httpx.Client, app: Shopper) -> None:
    name = app.buy(TRICKY)

    for page in (admin.get(f"/gallery?app={app.app}"), admin.get(f"/gallery/{name}")):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "\u202e" not in page.text
        assert "\x07" not in page.text
        assert r"\u{202e}evil" in page.text
    shown = admin.get(f"/gallery/{name}").text
    assert r"\u202eevil" in shown[shown.index('id="curl"') :]  # as JSON spells it, to be copied


def test_a_picture_is_shown_with_its_request(admin: httpx.Client, app: Shopper) -> None:
    name = app.buy("a viaduct, seen from afar")
    app.buy("a viaduct, seen from afar")

    used = f'href="/console/gallery?app={app.app}"'
    deadline_s = time.monotonic() + PATIENCE_S
    while used not in (page := admin.get(f"/gallery/{name}").text):  # uses are counted by and by
        assert time.monotonic() < deadline_s, page
        time.sleep(0.05)

    for words in (
        "a viaduct, seen from afar",
        "1024 \u00d7 768",
        app.app,
        'id="python"',
        "curl &#34;$",
    ):
        assert words in page
    assert "no statement of where it is from" in page or "not looked at yet" in page


def test_pinning_takes_a_confirmation_and_a_reason(admin: httpx.Client, app: Shopper) -> None:
    name = app.buy("to be pinned")
    fields = hidden(admin.get(f"/gallery/{name}"))

    asked = admin.post(f"/gallery/{name}/pin", data={**fields, "why": "front page"})
    assert "Nothing would change" not in asked.text
    assert "front page" in asked.text
    assert names(find(admin, app=app.app, pinned="yes")) == []
    assert confirm(admin, f"/gallery/{name}/pin", asked).status_code == 303
    assert names(find(admin, app=app.app, pinned="yes")) == [name]
    assert act(admin, name, "unpin").status_code == 303
    assert names(find(admin, app=app.app, pinned="yes")) == []


def test_a_rejected_picture_is_bought_anew_by_the_next_request(
    admin: httpx.Client, app: Shopper
) -> None:
    name = app.buy("blurred")

    done = act(admin, name, "reject", "blurred")

    assert done.headers["location"] == f"/console/gallery/{name}"
    assert "in no pool" in admin.get(f"/gallery/{name}").text
    assert names(admin.get(f"/gallery?app={app.app}")) == []
    with api(app.gateway) as client:
        audit = client.get("/audit", params={"limit": 50}).json()["items"]
    assert "blurred" in [each["why"] for each in audit]
    assert app.buy("blurred") != name


def test_buying_again_shows_the_price_first(admin: httpx.Client, app: Shopper) -> None:
    name = app.buy("once more")
    fields = hidden(admin.get(f"/gallery/{name}"))

    asked = admin.post(f"/gallery/{name}/reroll", data=fields)
    assert re.search(
        rf"It costs about \$0\.\d+, at most \$0\.\d+, charged to {app.app}", asked.text
    )
    done = confirm(admin, f"/gallery/{name}/reroll", asked)

    assert done.status_code == 303
    new = done.headers["location"].rpartition("/")[2]
    assert new != name
    assert "bought for $0." in admin.get(f"/gallery/{new}").text
    assert names(admin.get(f"/gallery?app={app.app}")) == [new]


def test_a_forgotten_prompt_is_gone_and_was_in_no_form(admin: httpx.Client, app: Shopper) -> None:
    prompt = f"secret{uuid.uuid4().hex}"
    name = app.buy(prompt)
    path = f"/gallery/{name}/forget"

    asked = admin.post(path, data=hidden(admin.get(f"/gallery/{name}")))
    done = confirm(admin, path, asked)

    assert prompt not in asked.text
    assert "This cannot be undone." in asked.text
    assert (done.status_code, done.headers["location"]) == (303, "/console/gallery")
    assert names(find(admin, app=app.app)) == []
    assert admin.get(f"/gallery/{name}").status_code == 404
    assert prompt not in app.gateway.logged()


def test_viewers_see_no_prompts_unless_they_may_and_change_nothing(
    console: Any, app: Shopper, let_in: Enter
) -> None:
    name, mark = app.buy("private words"), uuid.uuid4().hex[:8]
    viewer = let_in(console, "viewer", f"v{mark}")
    reader = let_in(console, "viewer", f"r{mark}", prompts=True)

    listed, shown = viewer.get(f"/gallery?app={app.app}"), viewer.get(f"/gallery/{name}")

    assert names(listed) == [name]
    assert "private words" not in listed.text + shown.text
    assert 'name="words"' not in listed.text
    assert 'id="curl"' not in shown.text
    assert find(viewer, words="private").status_code == 200  # is not looked for
    assert "private words" in reader.get(f"/gallery/{name}").text
    assert names(find(reader, app=app.app, words="private")) == [name]
    assert "Reject" not in reader.get(f"/gallery/{name}").text
    for what in ("pin", "unpin", "reject", "reroll", "forget"):
        fields = hidden(reader.get(f"/gallery/{name}"))
        for step in ("look", "confirmed"):
            refused = reader.post(f"/gallery/{name}/{what}", data={**fields, "step": step})
            assert refused.status_code == 403, what
    assert names(reader.get(f"/gallery?app={app.app}")) == [name]


def test_a_lead_sees_and_changes_what_their_team_bought(
    console: Any, app: Shopper, let_in: Enter
) -> None:
    mark = uuid.uuid4().hex[:8]
    other = shopper(console, f"else{mark}/shop")
    mine, theirs = app.buy(f"mine {mark}"), other.buy(f"theirs {mark}")
    lead = let_in(console, "lead", f"l{mark}", team=app.app.partition("/")[0], prompts=True)

    assert names(lead.get("/gallery")) == [mine]
    assert lead.get(f"/gallery?app={other.app}").status_code == 400
    for what in ("", "/thumbnail", "/file"):
        assert lead.get(f"/gallery/{theirs}{what}").status_code == 403
    fields = hidden(lead.get(f"/gallery/{mine}"))
    for what in ("reroll", "forget"):
        assert lead.post(f"/gallery/{mine}/{what}", data=fields).status_code == 403
    refused = lead.post(f"/gallery/{theirs}/reject", data={**fields, "step": "confirmed"})
    assert refused.status_code == 403
    assert "Forget" not in lead.get(f"/gallery/{mine}").text
    assert act(lead, mine, "reject").status_code == 303
