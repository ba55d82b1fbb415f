"""What leads and viewers see of pictures, money and prompts, and which pictures leads change."""

import httpx
from patience import PATIENCE_S
from two_teams import MODEL, PROMPT, RIVALS, Staged


def test_a_lead_sees_the_teams_own_pictures_and_money(staged: Staged) -> None:
    own = staged.own
    app = f"web/{own['app']}"
    with staged.client("lead") as lead:
        (pool,) = lead.get("/cache/pools", params={"app": app}).json()["items"]
        assert (pool["fingerprint"], pool["apps"]) == (own["fingerprint"], [app])
        assert (pool["prompt"], pool["prompt_sha256"]) == (None, None)
        assert lead.get(f"/cache/pools/{own['fingerprint']}").json() == pool
        assert lead.get(f"/cache/pictures/{own['name']}").json()["app"] == app
        assert lead.get("/cache/pools").status_code == 400
        assert lead.get("/cache/pools", params={"app": "web"}).status_code == 400
        assert lead.post(f"/cache/pictures/{own['name']}/pin").json()["pinned"] is True
        assert lead.post(f"/cache/pictures/{own['name']}/unpin").json()["pinned"] is False
        used = lead.get("/usage", params={"by": "team,app,key"}).json()
        assert [(row["team"], row["app"]) for row in used["rows"]] == [("web", own["app"])]
        assert used["total"]["bought"] == 1
        assert lead.get("/usage").json()["total"] == used["total"]
        assert {each["team"] for each in lead.get("/ledger").json()["items"]} == {"web"}
        status = lead.get("/status").json()
        assert (status["store"]["pictures"], status["overage"]) == (None, None)
        assert {each["standing"]["account"] for each in status["fullest"]} == {
            "team:web",
            f"app:{app}",
        }
        asked = {"app": app, "request": {"prompt": "x", "quality": "low"}}
        assert lead.post("/quote", json=asked).status_code == 200
        other = {**asked, "app": f"{RIVALS}/{staged.names['app']}"}
        assert lead.post("/quote", json=other).status_code == 403


def test_usage_is_filtered_by_team(staged: Staged) -> None:
    with staged.client("admin") as admin:
        for by in ("team", "team,key"):
            rows = admin.get("/usage", params={"by": by, "team": RIVALS}).json()["rows"]
            assert [(row["team"], row["bought"]) for row in rows] == [(RIVALS, 1)]
        assert admin.get("/usage", params={"team": "rival"}).json()["rows"] == []
        assert admin.get("/usage", params={"team": "riv*"}).status_code == 400


def test_a_picture_that_two_teams_bought_is_seen_by_both_and_changed_by_admins(
    staged: Staged,
) -> None:
    """Both ask for it at once past the cache, so that each buys into the shared pool."""
    prompt = "a picture of two teams"
    with staged.client("admin") as admin, staged.client("lead") as lead:
        for names in (staged.names, staged.own):
            body = {"team": names["team"], "app": names["app"]}
            key = admin.post("/keys", json=body).json()["key"]
            headers = {"Authorization": f"Key {key}"}
            asked = {"prompt": prompt, "quality": "low", "num_images": 1 + (names is staged.own)}
            httpx.post(
                staged.gateway.url + MODEL, json=asked, headers=headers, timeout=PATIENCE_S
            ).raise_for_status()
        (pool,) = admin.post("/cache/pools/find", json={"prompt": prompt}).json()
        assert len(pool["apps"]) == 2

        (seen,) = lead.post("/cache/pools/find", json={"prompt": prompt}).json()
        assert seen["apps"] == [f"web/{staged.own['app']}"]
        for picture in pool["pictures"]:
            shown = lead.get(f"/cache/pictures/{picture['name']}")
            assert RIVALS not in shown.text
            for act in ("pin", "unpin", "reject"):
                done = lead.post(f"/cache/pictures/{picture['name']}/{act}")
                assert done.status_code == 403, act
        other = lead.post(f"/cache/pictures/{staged.names['name']}/reject")
        assert other.status_code == 403


def test_prompts_are_shown_to_those_who_may_see_them(staged: Staged) -> None:
    with staged.client("admin") as admin, staged.client("viewer") as viewer:
        body = {"role": "viewer", "name": "reader", "prompts": True}
        key = admin.post("/operators", json=body).json()["key"]
        path = f"/cache/pools/{staged.names['fingerprint']}"
        headers = {"Authorization": f"Key {key}"}
        assert viewer.get(path, headers=headers).json()["prompt"] == PROMPT
        assert viewer.get(path).json()["prompt"] is None
