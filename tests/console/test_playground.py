"""The playground: a request is priced, bought and followed as its app would have bought it."""

import base64
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from buying import MODEL, Shopper, api, ended, filled_in, play, shopper
from shipped import SHIPPED
from visiting import hidden, sign_in, visit

from falgate.models.endpoints import MODELS
from falgate.served_models import SHIPPED as FOLDER

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
Enter = Callable[..., httpx.Client]
TRICKY = '<script>alert(1)</script> \u202eevil\u202c \x07 & "quoted"'
AT = f"/playground?model={MODEL}"


@pytest.fixture(scope="session")
def described(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway that also serves the models which falgate ships descriptions of."""
    with serve(tmp_path_factory.mktemp("described"), models_dir=str(FOLDER)) as served:
        yield served


@pytest.fixture
def buyer(described: Any) -> Iterator[httpx.Client]:
    with visit(described) as visitor:
        yield sign_in(visitor, described.admin_key)


@pytest.fixture
def app(described: Any) -> Shopper:
    """An app of this test alone."""
    return shopper(described, f"play{uuid.uuid4().hex[:8]}/shop")


def fields_of(visitor: httpx.Client, at: str, **more: Any) -> dict[str, str]:
    page = visitor.get(at)
    assert page.status_code == 200, page.text
    return {**filled_in(page), **hidden(page, "/console/playground"), **more}


def quoted(visitor: httpx.Client, fields: Any, **more: Any) -> httpx.Response:
    headers = {"HX-Request": "true"}
    return visitor.post("/playground/quote", data=fields, headers=headers, **more)


@pytest.mark.parametrize("endpoint", [*MODELS, *SHIPPED])
def test_the_form_of_every_model_has_a_price_as_it_stands(
    endpoint: str, buyer: httpx.Client
) -> None:
    fields = fields_of(buyer, f"/playground?model={endpoint}")
    spec = {**MODELS, **SHIPPED}[endpoint]
    files = [
        (f"a.{each.argument}", ("a.png", PIXEL, "image/png")) for each in spec.inputs if each.least
    ]

    price = quoted(buyer, {**fields, "a.prompt": "a cat in the snow"}, files=files or None)

    assert price.status_code == 200
    assert 'class="price">$' in price.text, price.text
    assert "miss</span>" in price.text
    assert fields["model"] == endpoint


def test_a_picture_is_bought_once_and_then_found(buyer: httpx.Client, app: Shopper) -> None:
    at, prompt = f"{AT}&key={app.key_id}", f"a boat {app.app}"
    low = {"a.quality": "low"}

    bought = ended(buyer, play(buyer, prompt, at=at, **low))
    price = quoted(buyer, fields_of(buyer, at, **{"a.prompt": prompt}, **low))
    found = ended(buyer, play(buyer, prompt, at=at, **low))

    assert "Nothing of it was in the cache, so it was bought." in bought.text
    assert "X-Falgate-Cost-Usd" in bought.text
    assert "What it was billed, in US dollars." in bought.text
    assert re.search(r'href="/console/ledger/[^"?]+">Its line in the ledger', bought.text)
    assert "good" in price.text
    assert "hit</span>" in price.text
    assert "All of it was in the cache; nothing was bought." in found.text
    (picture,) = set(re.findall(r'src="/console(/gallery/[^"]+/file)"', found.text))
    assert picture in bought.text
    assert buyer.get(picture).headers["content-type"] == "image/png"


def test_a_form_that_is_sent_twice_buys_once(buyer: httpx.Client, app: Shopper) -> None:
    fields = fields_of(buyer, f"{AT}&key={app.key_id}", **{"a.prompt": "twice", "a.quality": "low"})

    first, second = (buyer.post("/playground", data=fields) for _ in range(2))

    assert first.headers["location"] == second.headers["location"]
    ended(buyer, first.headers["location"].removeprefix("/console"))
    with api(app.gateway) as admin:
        entries = admin.get("/ledger", params={"key": app.key_id}).json()["items"]
    assert [each["kind"] for each in entries] == ["close"]


def test_no_prompt_is_in_a_url_a_log_or_a_page_of_a_request(
    buyer: httpx.Client, app: Shopper
) -> None:
    prompt = f"xylophone{uuid.uuid4().hex}"
    asked = list[httpx.URL]()
    buyer.event_hooks["request"] = [lambda request: asked.append(request.url)]

    page = ended(buyer, play(buyer, prompt, at=f"{AT}&key={app.key_id}"))

    assert prompt not in page.text
    assert not [url for url in asked if prompt in str(url)]
    assert prompt not in app.gateway.logged()


def test_without_scripts_the_page_comes_back_with_its_price_and_what_was_entered(
    buyer: httpx.Client, app: Shopper
) -> None:
    fields = fields_of(buyer, f"{AT}&key={app.key_id}", **{"a.prompt": TRICKY, "a.quality": "low"})

    page = buyer.post("/playground/quote", data=fields)

    assert page.status_code == 200
    assert 'class="price">$' in page.text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "\u202e" not in page.text
    assert "\x07" not in page.text
    assert filled_in(page)["a.quality"] == "low"


def test_another_model_keeps_the_prompt_and_has_defaults_of_its_own(
    buyer: httpx.Client, app: Shopper
) -> None:
    fields = fields_of(buyer, f"{AT}&key={app.key_id}", **{"a.prompt": "a fox", "a.quality": "low"})

    page = buyer.post("/playground/form", data={**fields, "model": "fal-ai/flux/schnell"})

    now = filled_in(page)
    assert (now["model"], now["a.prompt"], now["payer"]) == (
        "fal-ai/flux/schnell",
        "a fox",
        app.key_id,
    )
    assert now["a.enable_safety_checker"] == "yes"
    assert "a.quality" not in now
    assert 'class="price">$' in page.text


def test_a_custom_size_is_an_object(buyer: httpx.Client, app: Shopper) -> None:
    size = {"a.image_size": "(custom)", "a.image_size.width": "1024", "a.image_size.height": "1000"}
    fields = fields_of(buyer, f"{AT}&key={app.key_id}", **{"a.prompt": "a fox"}, **size)

    refused = quoted(buyer, fields)
    taken = quoted(buyer, {**fields, "a.image_size.height": "1024"})

    assert "1024x1000 is not a size of this model" in refused.text
    assert 'href="#f-a.image_size"' in refused.text
    assert 'class="price">$' in taken.text


def test_what_the_model_refuses_is_marked_where_it_was_entered(
    buyer: httpx.Client, app: Shopper
) -> None:
    wrong = {"a.prompt": "my prompt", "a.quality": "best", "a.num_images": "many"}
    fields = fields_of(buyer, f"{AT}&key={app.key_id}", **wrong)

    page = buyer.post("/playground", data=fields)

    assert page.status_code == 422
    for name in ("quality", "num_images"):
        assert re.search(rf'name="a.{name}"[^>]*aria-invalid="true"', page.text), name
        assert f'href="#f-a.{name}"' in page.text
    assert filled_in(page)["a.num_images"] == "many"
    assert filled_in(page)["a.prompt"] == "my prompt"


def test_a_budget_and_a_limit_refuse_in_the_words_an_app_gets(
    buyer: httpx.Client, app: Shopper
) -> None:
    at = f"{AT}&key={app.key_id}"
    with api(app.gateway) as admin:
        admin.put(f"/budgets/key:{app.key_id}/day", json={"limit_usd": "0"}).raise_for_status()
        fields = fields_of(buyer, at, **{"a.prompt": "one"})
        price, broke = quoted(buyer, fields), buyer.post("/playground", data=fields)
        limits = {"limits": {"requests_per_second": 1}}
        admin.patch(f"/keys/{app.key_id}", json=limits).raise_for_status()
        paced = [quoted(buyer, fields) for _ in range(4)][-1]

    assert f"The day budget of key:{app.key_id} has no room" in price.text
    assert broke.status_code == 402
    assert f"The day budget of key:{app.key_id}" in broke.text
    assert "Too many at once" in paced.text


def test_a_file_that_is_no_picture_is_refused_and_pictures_are_taken_here_only(
    buyer: httpx.Client, app: Shopper
) -> None:
    fields = fields_of(buyer, f"{AT}/edit&key={app.key_id}", **{"a.prompt": "one"})
    wrong = [("a.image_urls", ("a.png", b"no picture", "text/html"))]

    refused = quoted(buyer, fields, files=wrong)
    picture = [("name", ("a.png", PIXEL, "image/png"))]
    elsewhere = buyer.post("/keys/new", data={"csrf": fields["csrf"]}, files=picture)

    assert 'role="alert"' in refused.text
    assert "image_urls" in refused.text
    assert (elsewhere.status_code, "The file is no text" in elsewhere.text) == (400, True)


def test_a_viewer_buys_nothing_and_a_lead_with_their_own_teams_keys_only(
    described: Any, buyer: httpx.Client, app: Shopper, let_in: Enter
) -> None:
    name = uuid.uuid4().hex[:8]
    other = shopper(described, f"other{name}/shop")
    viewer = let_in(described, "viewer", f"v{name}")
    lead = let_in(described, "lead", f"l{name}", team=app.app.partition("/")[0])

    hidden_page = viewer.get("/playground")
    own = fields_of(lead, AT, **{"a.prompt": "of a lead", "a.quality": "low"})
    theirs = {**own, "payer": other.app}
    of_other = play(buyer, "of another", at=f"{AT}&key={other.key_id}")

    assert hidden_page.status_code == 403
    assert "ask an admin" in hidden_page.text
    assert viewer.post("/playground", data=own).status_code == 403  # a form of another session
    assert own["payer"] == app.app
    assert "miss</span>" in quoted(lead, own).text
    assert 'role="alert"' in quoted(lead, theirs).text
    assert lead.post("/playground", data=theirs).status_code == 403
    assert lead.get(of_other).status_code == 403
    assert viewer.get(of_other).status_code == 403
