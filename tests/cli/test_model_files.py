"""`falgate models check` and `add`: the files that describe models, and fal's own documents."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from easel import ENDPOINT, document, files, inputs
from publishing import Publisher, publishing
from shipped import SHIPPED

from falgate.cli.main import main
from falgate.served_models import read

Falgate = Callable[..., Result]


@pytest.fixture
def fal() -> Iterator[Publisher]:
    """fal, which says what was pinned."""
    with publishing() as publisher:
        publisher.documents[ENDPOINT] = document()
        yield publisher


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The gateway's directory of descriptions; not made yet."""
    return tmp_path / "models"


@pytest.fixture
def falgate(fal: Publisher, folder: Path) -> Falgate:
    """Types `falgate models ARGUMENTS`."""
    env = {"FALGATE_MODELS_DIR": str(folder), "FALGATE_OPENAPI_URL": fal.url}
    return lambda *arguments: CliRunner().invoke(main, ("models", *arguments), env=env)


@pytest.fixture
def described(folder: Path) -> Path:
    """A directory that describes the easel."""
    folder.mkdir()
    text, data = files()
    (folder / "easel.toml").write_text(text)
    (folder / "easel.json").write_bytes(data)
    return folder


@pytest.mark.usefixtures("described")
def test_what_is_as_at_fal_is_said_to_be(falgate: Falgate) -> None:
    done = falgate("check")

    assert (done.exit_code, done.stdout) == (0, "easel.toml: as at fal\n")


@pytest.mark.usefixtures("described")
def test_a_new_argument_is_told_and_no_failure(falgate: Falgate, fal: Publisher) -> None:
    inputs(fal.documents[ENDPOINT])["mood"] = {"type": "string"}
    done = falgate("check")

    assert (done.exit_code, done.stdout) == (0, "easel.toml: new: input.mood: new\n")


@pytest.mark.usefixtures("described")
def test_a_change_is_told_and_a_failure(falgate: Falgate, fal: Publisher) -> None:
    inputs(fal.documents[ENDPOINT])["quality"]["default"] = "low"
    done = falgate("check")

    assert done.exit_code == 1
    assert done.stdout == 'easel.toml: changed: input.quality.default: "high" is now "low"\n'
    assert falgate("check", "--offline").exit_code == 0


def test_without_fal_a_file_is_checked_all_the_same(
    falgate: Falgate, fal: Publisher, described: Path
) -> None:
    fal.documents.clear()
    done = falgate("check", str(described / "easel.toml"))

    assert done.exit_code == 0
    assert done.stdout.startswith(f"easel.toml: {ENDPOINT} can be served; not compared: fal answer")


def test_a_file_that_cannot_be_served_is_a_failure(falgate: Falgate, described: Path) -> None:
    text = (described / "easel.toml").read_text()
    (described / "easel.toml").write_text(text.replace("count_max", "most"))
    done = falgate("check")

    assert (done.exit_code, done.stdout) == (
        1,
        "easel.toml: fields: Object contains unknown field `most`\n",
    )


def test_a_shipped_model_is_copied(falgate: Falgate, folder: Path) -> None:
    for endpoint in SHIPPED:
        assert falgate("add", endpoint).exit_code == 0

    assert falgate("check", "--offline").stdout.count("can be served") == len(SHIPPED)
    assert {read(each).endpoint for each in folder.glob("*.toml")} == set(SHIPPED)


def test_a_new_model_is_begun_from_fals_document_and_not_sold_until_it_is_decided(
    falgate: Falgate, folder: Path
) -> None:
    done = falgate("add", ENDPOINT)

    assert "price: all terms of fal's price" in done.stdout
    told = falgate("check", "--offline")
    assert told.exit_code == 1
    assert "size.pixels, " in told.stdout
    assert "price.terms[0].usd" in told.stdout

    target = folder / "acme.easel.paint.toml"
    decided = {
        'title = "?"': 'title = "Easel"',
        'pixels = "?"': "pixels = [4096, 4194304]",
        'multiple_of = "?"': "multiple_of = 16",
        'edge_max = "?"': "edge_max = 2048",
        'version = "?"': 'version = "2026-11"',
        'unit_usd = "?"': 'unit_usd = ""',
        'of = "?"': 'of = "picture"',
        'usd = "?"': 'usd = "0.01"',
    }
    text = target.read_text()
    for undecided, decision in decided.items():
        text = text.replace(undecided, decision)
    target.write_text(text)
    assert falgate("check").stdout == "acme.easel.paint.toml: as at fal\n"
    spec = read(target)
    assert (spec.count, spec.seed, spec.flags) == ("num_images", "seed", ("has_nsfw_concepts",))


def test_a_document_can_be_given(falgate: Falgate, tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "fal.json"
    published = document()
    inputs(published)["image_urls"] = {"type": "array", "items": {"type": "string"}}
    source.write_text(json.dumps(published))
    done = falgate("add", ENDPOINT, "--from", str(source))

    assert done.exit_code == 0
    assert 'closed = ["image_urls"]' in (folder / "acme.easel.paint.toml").read_text()


def test_nothing_is_written_over(falgate: Falgate, folder: Path) -> None:
    falgate("add", ENDPOINT)
    before = (folder / "acme.easel.paint.toml").read_text()
    done = falgate("add", ENDPOINT)

    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert (folder / "acme.easel.paint.toml").read_text() == before


@pytest.mark.parametrize("endpoint", ["acme/none", "../etc/passwd", "", "a b/c"])
def test_what_is_no_model_is_refused(falgate: Falgate, folder: Path, endpoint: str) -> None:
    done = falgate("add", endpoint)

    assert done.exit_code in {1, 2}
    assert "Traceback" not in done.output
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_directory_has_to_be_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ("models", "add", ENDPOINT), env={"HOME": str(tmp_path)})

    assert done.exit_code == 1
    assert "FALGATE_MODELS_DIR is not set" in done.stderr
