"""The log of requests and the page of each: filters, paging, paths, refusals, and who sees what."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from console_teams import log, logged, looking, team_of

from falgate.billing.store.corrections import Corrections
from falgate.money.charge import Charge

MARKUP = "<script>alert(1)</script>"


def ids(page: httpx.Response) -> list[str]:
    assert page.status_code == httpx.codes.OK, page.text
    return re.findall(r'href="/console/requests/([^"?]+)"', page.text)


def test_requests_are_listed_and_filtered_as_the_api_does(
    console: Any, admin: httpx.Client
) -> None:
    team = team_of(console, "listed")
    bought = team.ask(console, prompt="a listed lighthouse")
    hit = team.ask(console, prompt="a listed lighthouse")
    wrong = team.ask(console, prompt="a listed lighthouse", quality="huge")

    def found(**query: str) -> list[str]:
        return ids(admin.get("/requests", params={"team": "listed", **query}))

    assert set(found()) == {bought, hit, wrong}
    assert found(outcome="refused") == found(reason="input") == found(status="422") == [wrong]
    assert found(outcome="hit", key=team.key_id, app="listed/shop") == [hit]
    assert found(model="fal-ai/gpt-image-1.5", outcome="miss", app="shop") == [bought]
    assert found(to="2020-01-01") == found(**{"from": "2100-01-01"}) == found(app="other") == []


def test_the_next_page_goes_on_where_one_ends_and_keeps_the_filter(
    console: Any, admin: httpx.Client
) -> None:
    log(console, [logged(f"paged-{each}", "paged") for each in range(60)])
    log(console, [logged("paged-no", "paged", app="other")])

    first = admin.get("/requests?team=paged&app=shop")
    older = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")
    second = admin.get(older.removeprefix("/console"))

    assert [*ids(first), *ids(second)] == [f"paged-{each}" for each in reversed(range(60))]
    assert "team=paged&app=shop" in older
    assert ">Newest<" in second.text
    assert "Older" not in second.text


def test_a_line_says_how_many_equal_requests_it_stands_for(
    console: Any, admin: httpx.Client
) -> None:
    log(console, [logged("alike", "alike", number=1_234, pictures=1_234, saved=11_106_000)])

    row = admin.get("/requests?team=alike").text

    assert "\u00d7 1,234" in row
    assert "$11.1060" in row
    assert "&lt; 0.1 ms" in row
    assert "It stands for 1,234 equal requests" in admin.get("/requests/alike").text


def test_a_purchase_is_shown_with_its_path_its_job_its_money_and_its_pictures(
    console: Any, admin: httpx.Client
) -> None:
    team = team_of(console, "pathed")
    request_id = team.ask(console, prompt="a path through heather")
    told = team.api.get(f"/requests/{request_id}").json()

    page = admin.get(f"/requests/{request_id}").text

    steps = ["Received", "Looked up", "Held", "Sent", "Accepted", "Bought", "Banked", "Answered"]
    places = [page.index(f"<strong>{each}</strong>") for each in steps]
    assert places == sorted(places)
    job, [entry], [picture] = told["job"], told["ledger"], told["pictures"]
    assert f'href="/console/ledger?job={job["id"]}"' in page
    assert f'href="/console/ledger/{entry["entry"]}"' in page
    assert f'href="/console/gallery/{picture["name"]}"' in page
    assert job["upstream_request_id"] in page
    for name, value in told["headers"].items():
        assert f'{name}</dt><dd class="mono">{value}</dd>' in page
    assert "heather" not in page


def correct(gateway: Any, job: str) -> None:
    """Have fal bill a tenth of a cent for a job."""

    async def corrected() -> None:
        async with gateway.redis() as redis:
            corrections = Corrections(redis, owner="tests")
            closed = [
                each async for page in corrections.closes("sandbox", 0, 10**14) for each in page
            ]
            [one] = [each for each in closed if each.job == job]
            assert await corrections.correct("sandbox", one, Charge(1_000, 0), "billed otherwise")

    asyncio.run(corrected())


def test_later_corrections_of_a_job_are_shown_behind_its_end_and_linked(
    console: Any, admin: httpx.Client
) -> None:
    team = team_of(console, "corrected")
    request_id = team.ask(console, prompt="a lighthouse, corrected")
    correct(console, team.api.get(f"/requests/{request_id}").json()["job"]["id"])
    team.ask(console, prompt="a lighthouse, of another job")
    _, correction, close = team.api.get("/ledger", team="corrected").json()["items"]

    page = admin.get(f"/requests/{request_id}").text

    linked = re.findall(r'href="/console/ledger/([0-9-]+)"', page)
    assert linked == [close["entry"], correction["entry"]]
    assert (close["kind"], correction["kind"]) == ("close", "correction")
    assert admin.get(f"/ledger/{linked[1]}").status_code == httpx.codes.OK
    assert "look for later entries" not in page


def test_a_request_of_a_test_key_leads_to_its_own_ledger(console: Any, admin: httpx.Client) -> None:
    team = team_of(console, "playing")
    made = team.api.does("POST", "/keys", team="playing", app="shop", kind="test")
    request_id = team._replace(key=made["key"]).ask(console, prompt="a lighthouse of play money")
    [entry] = team.api.get(f"/requests/{request_id}").json()["ledger"]

    page = admin.get(f"/requests/{request_id}").text

    [at] = re.findall(r'href="/console(/ledger/[^"]+)"', page)
    assert at == f"/ledger/{entry['entry']}?books=test"
    assert "End of a job" in admin.get(at).text
    assert admin.get(f"/ledger/{entry['entry']}").status_code == httpx.codes.NOT_FOUND
    [of_job] = re.findall(r'href="/console(/ledger\?job=[^"]+)"', page)
    listed = admin.get(of_job.replace("&amp;", "&")).text
    assert f'href="/console{at}"' in listed
    assert "of test keys: play money" in listed
    of_key = admin.get(f"/keys/{made['record']['id']}").text
    assert f'/ledger?key={made["record"]["id"]}&amp;books=test"' in of_key


def test_a_refusal_says_which_budget_and_quotes_markup_as_text(
    console: Any, admin: httpx.Client
) -> None:
    refused: dict[str, Any] = {"outcome": "refused", "pictures": 0, "saved": 0, "status": 402}
    log(
        console,
        [
            logged("short", "refusing", reason="budget", **refused, error_type="budget_exceeded",
                   about={"budget": "app:refusing/shop", "window": "month"}),
            logged("odd", "refusing", reason="pace", **refused, model=MARKUP, app=MARKUP,
                   about={"limit": f"{MARKUP} generations_at_once"}),
            logged("turned", "refusing", reason="request", **refused, model="a\u202eb"),
        ],
    )  # fmt: skip

    short, odd = admin.get("/requests/short").text, admin.get("/requests/odd").text

    assert 'href="/console/budgets/app:refusing:shop/month"' in short.replace("%3A", ":")
    assert "for the month" in short
    assert "budget_exceeded" in short
    assert "&lt;script&gt;alert(1)&lt;/script&gt; generations at once" in odd
    for page in (odd, admin.get("/requests?team=refusing").text):
        assert MARKUP not in page
    assert r"a\u{202e}b" in admin.get("/requests/turned").text


def test_a_lead_sees_their_teams_requests_without_a_filter_and_no_others(console: Any) -> None:
    mine = [logged("mine", "leading"), logged("other", "rival"), logged("who", "", app="")]
    team_of(console, "leading")
    log(console, mine)
    with looking(console, "lead", "leading") as lead:
        assert ids(lead.get("/requests")) == ["mine"]
        assert 'name="team"' not in lead.get("/requests").text
        assert lead.get("/requests?team=rival").status_code == httpx.codes.FORBIDDEN
        assert lead.get("/requests/mine").status_code == httpx.codes.OK
        assert lead.get("/requests/other").status_code == httpx.codes.NOT_FOUND


def test_a_viewer_sees_all_requests(console: Any) -> None:
    log(console, [logged("seen-1", "seen"), logged("seen-2", "seen-too")])
    with looking(console, "viewer") as viewer:
        assert ids(viewer.get("/requests?team=seen-too")) == ["seen-2"]
        assert viewer.get("/requests/seen-1").status_code == httpx.codes.OK


@pytest.mark.parametrize("query", ["status=abc", "from=yesterday", "outcome=odd", "cursor=x"])
def test_a_filter_that_is_wrong_is_shown_again_with_why(admin: httpx.Client, query: str) -> None:
    page = admin.get(f"/requests?{query}")

    assert page.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in page.text
    assert "Traceback" not in page.text


def test_a_request_whose_job_is_gone_has_a_page_and_one_that_is_gone_has_none(
    console: Any, admin: httpx.Client
) -> None:
    assert admin.get("/requests/none-such").status_code == httpx.codes.NOT_FOUND
    kept = logged("waited", "waiting", outcome="coalesced", job="gone", waited_ms=9)
    log(console, [kept])

    page = admin.get("/requests/waited").text

    assert "whose record is gone" in page
    assert "9.0 ms of it waiting" in page
