"""`falgate setup` makes all that an app needs, and `--preview` says what a command would do."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from falgate.accounts import apikey

Falgate = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]


def test_an_app_is_set_up_once_and_a_preview_changes_nothing(
    data: Path, tmp_path: Path, falgate: Falgate, start: Start
) -> None:
    with start(data, tmp_path) as gateway:

        def typed(*words: str) -> "subprocess.CompletedProcess[str]":
            return falgate(*words, FALGATE_DATA_DIR=str(data), FALGATE_URL=gateway.url)

        named = ("setup", "web/shop", "--key-name", "storefront", "--budget", "day=5@50,80")
        asked = (
            *named,
            "--team-budget",
            "month=100",
            "--requests-per-second",
            "5",
            "--quality",
            "low",
        )

        preview = typed(*asked, "--preview")
        assert preview.returncode == 0, preview.stderr
        assert "The day budget of the new key is $5.00 from now on." in preview.stdout
        assert json.loads(typed("teams", "list", "--json").stdout)[0]["name"] == "default"
        assert "web" not in typed("teams", "list").stdout

        made = typed(*asked)
        assert "made: team web, app web/shop, month budget of team web, key " in made.stderr
        presented = apikey.present(made.stdout.strip())
        assert presented is not None
        shown = json.loads(typed("budgets", "show", f"key:{presented.id}", "--json").stdout)
        alerts = [each["budget"]["alerts"] for each in shown if each["budget"]]
        assert alerts == [[50, 80]]

        again = typed(*asked)
        assert (again.returncode, presented.id in again.stderr) == (1, True)
        assert "no budget" in typed("setup", "web/shop", "--budget", "5").stderr

        revoke = typed("keys", "revoke", presented.id, "--preview")
        assert "stops working for ever" in revoke.stdout
        assert "It cannot be undone." in revoke.stdout
        found = json.loads(typed("keys", "show", presented.id, "--json").stdout)
        assert found["state"] == "usable"
