"""The README says what is so."""

from pathlib import Path

import msgspec

from falgate.settings import PREFIX, Settings

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_settings_table_is_that_of_the_code() -> None:
    described = msgspec.json.schema(Settings)["$defs"]["Settings"]["properties"]
    expected = []
    for name, field in described.items():
        default = field["default"]
        default = str(default).lower() if isinstance(default, bool) else default
        shown = "" if default == "" else f"`{default}`"
        expected.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field['description']} |")

    assert [line for line in README.splitlines() if line.startswith(f"| `{PREFIX}")] == expected
