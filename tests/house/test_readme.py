"""The README says what is so."""

import re
from pathlib import Path

import msgspec

from falgate.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_what_the_first_start_downloads_is_said_as_set_up_says_it() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    packages = len(re.findall(r"^[a-z].*==", lock, re.MULTILINE))
    size = lock.partition(" to download")[0].removeprefix("# ")

    said = (
        f"Installing falgate's {packages} packages into .venv (once, about {size} to download) ..."
    )
    assert said in README.splitlines()


def test_the_settings_table_is_that_of_the_code() -> None:
    described = msgspec.json.schema(Settings)["$defs"]["Settings"]["properties"]
    expected = []
    for name, field in described.items():
        default = field["default"]
        default = str(default).lower() if isinstance(default, bool) else default
        shown = "" if default == "" else f"`{default}`"
        expected.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field['description']} |")

    assert [line for line in README.splitlines() if line.startswith(f"| `{PREFIX}")] == expected
