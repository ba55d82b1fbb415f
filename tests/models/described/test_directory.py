"""A directory of descriptions: each model once, and a start that says what is wrong."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from easel import files

from falgate import settings
from falgate.served_models import served_models
from falgate.settings import SettingsWrong

Change = Callable[[dict[str, Any]], object]


def serve(folder: Path) -> None:
    env = {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_MODELS_DIR": str(folder)}
    served_models(settings.read(env))


def write(folder: Path, name: str, change: Change | None = None) -> None:
    text, data = files(change)
    (folder / f"{name}.toml").write_text(text)
    (folder / "easel.json").write_bytes(data)


def write_as(folder: Path, endpoint: str, name: str, **more: Any) -> None:
    """Describe the easel as another model."""
    text, data = files(lambda it: it.update(endpoint=endpoint, **more))
    other = data.replace(b"/acme/easel/paint", f"/{endpoint}".encode())
    digest = hashlib.sha256(other).hexdigest()
    text = text.replace(hashlib.sha256(data).hexdigest(), digest)
    (folder / f"{name}.toml").write_text(text.replace("easel.json", f"{name}.json"))
    (folder / f"{name}.json").write_bytes(other)


def test_an_endpoint_that_is_described_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, name)

    with pytest.raises(SettingsWrong, match=r"FALGATE_MODELS_DIR: b.toml: .* described, by a.toml"):
        serve(tmp_path)


def test_schemas_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """fal's names leave out the owner."""
    write(tmp_path, "a")
    write_as(tmp_path, "other/easel/paint", "b")
    env = {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_MODELS_DIR": str(tmp_path)}
    models = served_models(settings.read(env))

    assert models["acme/easel/paint"].schema_name == "EaselPaint"
    assert models["other/easel/paint"].schema_name == "OtherEaselPaint"


def test_a_gateway_does_not_start_with_a_description_that_it_cannot_sell(
    falgate: Callable[..., Any], listening: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path, "a", lambda it: it["price"]["terms"][0].update(usd="-1"))
    done = falgate(
        "serve",
        FALGATE_UPSTREAM_URL="sandbox",
        FALGATE_MODELS_DIR=str(tmp_path),
        FALGATE_DATA_DIR=str(tmp_path / "data"),
        FALGATE_LISTEN=listening["FALGATE_LISTEN"],
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: FALGATE_MODELS_DIR: a.toml: price.terms[0].usd: '-1' is")
    assert done.stderr.count("\n") == 1


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a")
    (tmp_path / "easel.json").unlink()

    with pytest.raises(SettingsWrong, match=r"a.toml: openapi.file: easel.json cannot be read"):
        serve(tmp_path)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"FALGATE_MODELS_DIR: .*none cannot be read"):
        serve(tmp_path / "none")


@pytest.mark.parametrize(
    ("successors", "words"),
    [
        ({"a": "acme/nothing"}, "successor: acme/nothing is not served"),
        ({"a": "acme/a"}, "successor: it leads back to acme/a"),
        ({"a": "acme/b", "b": "acme/a"}, "successor: it leads back to acme/a"),
        ({"a": "?"}, "for you to decide"),
        ({"a": "not a model"}, "Expected `str` matching"),
    ],
)
def test_a_successor_is_served_and_leads_on(
    successors: dict[str, str], words: str, tmp_path: Path
) -> None:
    for name, successor in successors.items():
        write_as(tmp_path, f"acme/{name}", name, successor=successor)

    with pytest.raises(SettingsWrong, match=words):
        serve(tmp_path)


def test_a_described_model_ends_on_its_day(tmp_path: Path) -> None:
    day, after = date(2027, 1, 31), "openai/gpt-image-2"
    write_as(tmp_path, "acme/a", "a", retires=day, successor=after)
    env = {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_MODELS_DIR": str(tmp_path)}

    spec = served_models(settings.read(env))["acme/a"]
    assert (spec.retires, spec.successor) == (day, after)
