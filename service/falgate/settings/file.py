"""Reads settings from a TOML file; a variable of the environment takes precedence over its line.

The file is read as variables are: `lease_s = 30` is FALGATE_LEASE_S=30, and a list is the same as
its items with commas between them.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from falgate.settings.fields import PREFIX, Settings
from falgate.settings.given import slips
from falgate.settings.words import SettingsWrong

_VARIABLE = f"{PREFIX}SETTINGS_FILE"


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the settings of the file that FALGATE_SETTINGS_FILE names.

    Raises:
        SettingsWrong: The file cannot be read, is not TOML, or has an unknown setting or a value
            that no setting can have.
    """
    path = env.get(_VARIABLE)
    if not path:
        return dict(env)
    found = _parsed(path)
    known = set(Settings.__struct_fields__) - {"settings_file"}
    if unknown := found.keys() - known:
        raise SettingsWrong(
            f"{path}: {slips(unknown, known)}: no such setting; `falgate serve --help` lists them"
        )
    if env.get("FAL_KEY"):
        found.pop("fal_key", None)  # FAL_KEY is another name of the same variable.
    told = {name: value for name, value in env.items() if value or not name.startswith(PREFIX)}
    variables = {PREFIX + name.upper(): _text(path, name, found[name]) for name in found}
    return {**env, **variables, **told}


def _parsed(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise SettingsWrong(f"{_VARIABLE}: cannot read {path} ({error.strerror})") from None
    except ValueError as error:
        raise SettingsWrong(f"{_VARIABLE}: {path} is not valid TOML: {error}") from None


def _text(path: str, name: str, value: Any) -> str:
    """Return a value as a variable has it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() if all(isinstance(item, str) for item in value):
            return ",".join(value)
    raise SettingsWrong(
        f"{path}: {name} must be a string, a number, true or false, or a list of strings"
    )
