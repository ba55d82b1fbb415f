"""The audit log's page: who changed what, what it was before and after, and why."""

import re
from typing import Any

import httpx
from console_teams import looking, team_of


def lines(page: httpx.Response) -> list[str]:
    assert page.status_code == httpx.codes.OK, page.text
    return re.findall(r'id="l-([0-9]+-[0-9]+)"', page.text)


def test_a_change_is_shown_with_what_it_was_before_and_who_made_it_and_why(
    console: Any, admin: httpx.Client
) -> None:
    team = team_of(console, "audited")
    team.api.does("PATCH", f"/keys/{team.key_id}", name="<u>new</u>")
    team.raised(1)

    page = admin.get("/audit").text

    change = page[page.index(team.key_id) :]
    change = change[: change.index("</tr>")]
    assert "<dt>name</dt>" in change
    assert "<del>&lt;i&gt;&#34;odd&#34;&amp;</del>" in change
    assert "<ins>&lt;u&gt;new&lt;/u&gt;</ins>" in change
    assert change.count("<dt>") == 1
    assert "“&lt;b&gt;audited&lt;/b&gt; 0”" in page
    assert "<u>" not in page
    assert page.index("audited/day") < page.index(team.key_id)
    assert team.key not in page


def test_the_next_page_goes_on_where_one_ends(console: Any, admin: httpx.Client) -> None:
    team = team_of(console, "often")
    team.raised(60)

    first = admin.get("/audit")
    older = re.findall(r'rel="next" href="([^"]+)"', first.text)[0]
    second = admin.get(older.removeprefix("/console"))

    found = team.api.get("/audit", limit=500).json()["items"]
    assert [*lines(first), *lines(second)] == [each["id"] for each in found][
        : 50 + len(lines(second))
    ]
    assert len(lines(second)) >= 10


def test_a_viewer_sees_changes_and_a_lead_does_not(console: Any) -> None:
    team_of(console, "governed")
    with looking(console, "viewer") as viewer, looking(console, "lead", "governed") as lead:
        assert lines(viewer.get("/audit"))
        assert lead.get("/audit").status_code == httpx.codes.FORBIDDEN
        assert "Audit log" not in lead.get("/requests").text
