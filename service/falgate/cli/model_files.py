"""`falgate models check` and `add`: the files that describe models, and fal's own documents."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from falgate.cli.local import settings_here
from falgate.cli.output import escaped_lines
from falgate.fal.documents import DocumentUnavailable, FalDocuments
from falgate.models.described.declaration import ENDPOINT
from falgate.models.described.document import Document, parsed
from falgate.models.described.drift import differences
from falgate.models.described.skeleton import TO_DECIDE, skeleton
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.spec import ModelSpec
from falgate.served_models import SHIPPED, declarations, read
from falgate.settings import PREFIX, Settings

_OFFLINE = click.option("--offline", is_flag=True, help="Do not ask fal.")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, type=_FILE, metavar="[FILE]...")
@_OFFLINE
def check(*, files: tuple[Path, ...], offline: bool) -> None:
    """Check descriptions of models, and compare their documents with fal's.

    Without a FILE, all that are in FALGATE_MODELS_DIR. Ends with 1 if one cannot be served, or is
    of a model that fal has changed.
    """
    found = settings_here("models_dir", "openapi_url")
    wrong = False
    models: list[ModelSpec] = []
    for file in files or _declared(found):
        try:
            models.append(read(file))
        except DescriptionWrong as error:
            wrong = True
            _say(f"{error}")
    if offline:
        for spec in models:
            _say(f"{_file(spec)}: {spec.endpoint} can be served")
    else:
        wrong = asyncio.run(_compare(found, models)) or wrong
    if wrong:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("endpoint")
@click.option("--from", "source", type=_FILE, help="fal's document, instead of asking fal for it.")
def add(*, endpoint: str, source: Path | None) -> None:
    """Describe a model in FALGATE_MODELS_DIR: store fal's document, and begin a declaration.

    A model that falgate ships is copied as it is. Of any other, a person has to decide what no
    document says; until then a gateway refuses to start with it.
    """
    if not ENDPOINT.fullmatch(endpoint):
        raise click.UsageError(f"{endpoint!r} is no endpoint, such as fal-ai/flux/schnell")
    found = settings_here("models_dir", "openapi_url")
    directory = _directory(found)
    name = endpoint.replace("/", ".")
    target = directory / f"{name}.toml"
    if taken := [each for each in (target, directory / f"{name}.json") if each.exists()]:
        raise click.ClickException(f"{taken[0]} is there already: change it, or remove it")
    shipped = SHIPPED / f"{name}.toml"
    try:
        if source is None and shipped.exists():
            _store(directory, name, shipped.read_text(), (SHIPPED / f"{name}.json").read_bytes())
            _say(f"{target}: as falgate ships it. `falgate models check` compares it with fal's.")
            return
        data = asyncio.run(_fetched(found, endpoint)) if source is None else source.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        text = skeleton(Document(parsed(data), endpoint), file=f"{name}.json", sha256=digest)
    except (DescriptionWrong, DocumentUnavailable) as error:
        raise click.ClickException(f"{endpoint}: {error}") from None
    _store(directory, name, text, data)
    _say("\n".join((f'{target}: replace each "?", and look at', *TO_DECIDE)))


def _directory(found: Settings) -> Path:
    """Return the directory of descriptions."""
    if not found.models_dir:
        raise click.ClickException(
            f"{PREFIX}MODELS_DIR is not set: give it the directory that the gateway has"
        )
    return Path(found.models_dir)


def _declared(found: Settings) -> Iterable[Path]:
    try:
        return declarations(_directory(found))
    except DescriptionWrong as error:
        raise click.ClickException(str(error)) from None


def _store(directory: Path, name: str, text: str, data: bytes) -> None:
    """Write the two files, the declaration last: without its document it would be refused."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_bytes(data)
    (directory / f"{name}.toml").write_text(text)


async def _fetched(found: Settings, endpoint: str) -> bytes:
    documents = FalDocuments(found.openapi_url)
    try:
        return await documents.document(endpoint)
    finally:
        await documents.close()


async def _compare(found: Settings, models: Iterable[ModelSpec]) -> bool:
    """Say how each model differs from what fal says now; return whether one may not be sold so."""
    changed = False
    documents = FalDocuments(found.openapi_url)
    try:
        for spec in models:
            try:
                lines = list(_differing(spec, await documents.document(spec.endpoint)))
            except DocumentUnavailable as error:
                _say(f"{_file(spec)}: {spec.endpoint} can be served; not compared: {error}")
                continue
            changed = changed or any(not harmless for harmless, _ in lines)
            _say("\n".join(line for _, line in lines) or f"{_file(spec)}: as at fal")
    finally:
        await documents.close()
    return changed


def _differing(spec: ModelSpec, data: bytes) -> Iterator[tuple[bool, str]]:
    """Yield whether each difference is harmless, and its words."""
    assert spec.described, "only described models are compared"
    try:
        found = differences(spec.described.document, parsed(data), spec.endpoint)
    except DescriptionWrong as error:
        yield False, f"{_file(spec)}: fal's document: {error}"
        return
    for each in found:
        yield each.harmless, f"{_file(spec)}: {'new' if each.harmless else 'changed'}: {each}"


def _file(spec: ModelSpec) -> str:
    return spec.described.file if spec.described else spec.endpoint


def _say(words: str) -> None:
    click.echo(escaped_lines(words))
