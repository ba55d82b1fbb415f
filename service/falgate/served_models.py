"""The models that are served: falgate's own, and those that the files of an operator describe."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from falgate.core.problems import Invalid
from falgate.models.described.declaration import BYTES_MAX as DECLARATION_BYTES_MAX
from falgate.models.described.document import BYTES_MAX as DOCUMENT_BYTES_MAX
from falgate.models.described.loader import load
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec
from falgate.settings import PREFIX, Settings, SettingsWrong

SHIPPED = Path(__file__).parent / "models" / "shipped"
"""Descriptions that come with falgate; a gateway serves those that an operator adds."""

FILES_MAX = 200
"""How many models a directory may describe: each has routes, schemas and series of metrics."""


def served_models(settings: Settings) -> Mapping[str, ModelSpec]:
    """Return all models by endpoint.

    Raises:
        SettingsWrong: A description cannot be served; names the file, the place and what to do.
    """
    if not settings.models_dir:
        return MODELS
    try:
        return _with_described(MODELS, declarations(Path(settings.models_dir)))
    except DescriptionWrong as wrong:
        raise SettingsWrong(f"{PREFIX}MODELS_DIR: {wrong}") from None


class ModelsWhenNeeded(Mapping[str, ModelSpec]):
    """All models, read when the first one is asked for: most commands ask for none.

    Methods raise `Invalid` if a description cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        """Read as `served_models` does."""
        self._settings = settings

    @cached_property
    def _models(self) -> Mapping[str, ModelSpec]:
        try:
            return served_models(self._settings)
        except SettingsWrong as wrong:
            raise Invalid(str(wrong)) from None

    def __getitem__(self, endpoint: str) -> ModelSpec:
        return self._models[endpoint]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


def _with_described(own: Mapping[str, ModelSpec], files: Iterable[Path]) -> Mapping[str, ModelSpec]:
    models = dict(own)
    for file in files:
        spec = _named_apart(read(file), models)
        other = models.setdefault(spec.endpoint, spec)
        if other is not spec:
            by = other.described.file if other.described else "falgate itself"
            raise DescriptionWrong(
                file.name, f"endpoint: {spec.endpoint} is already described, by {by}"
            )
    for spec in models.values():
        if spec.described:
            _check_successor(spec, models)
    return models


def _check_successor(spec: ModelSpec, models: Mapping[str, ModelSpec]) -> None:
    """Check that the model which takes a model's place is served, and does not lead back to it."""
    assert spec.described
    after, passed = spec.successor, {spec.endpoint}
    while after:
        if after not in models:
            why = f"successor: {after} is not served; describe it too, or leave the line out"
            raise DescriptionWrong(spec.described.file, why)
        if after in passed:
            raise DescriptionWrong(spec.described.file, f"successor: it leads back to {after}")
        passed.add(after)
        after = models[after].successor


def _named_apart(spec: ModelSpec, models: Mapping[str, ModelSpec]) -> ModelSpec:
    """Return a model whose schemas have other names than those of other models.

    fal's names leave out the first part of an endpoint, so two owners may have the same.
    """
    if all(spec.schema_name != other.schema_name for other in models.values()):
        return spec
    whole = "".join(part.title() for part in re.findall(r"[a-z0-9]+", spec.endpoint))
    return replace(spec, schema_name=whole)


def declarations(directory: Path) -> list[Path]:
    """Return the declarations of a directory, by name.

    Raises:
        DescriptionWrong: It cannot be read, or has too many.
    """
    try:
        found = sorted(each for each in directory.iterdir() if each.suffix == ".toml")
    except OSError as error:
        raise DescriptionWrong("", f"{directory} cannot be read ({error.strerror})") from None
    if len(found) > FILES_MAX:
        raise DescriptionWrong("", f"{directory} describes more than {FILES_MAX} models")
    return found


def read(file: Path) -> ModelSpec:
    """Read the declaration of a model, and fal's document beside it.

    Raises:
        DescriptionWrong: It cannot be served.
    """
    try:
        text = _bounded(file, DECLARATION_BYTES_MAX).decode()
    except OSError as error:
        raise DescriptionWrong(file.name, f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DescriptionWrong(file.name, "it is not UTF-8") from None
    return load(file.name, text, lambda name: _bounded(file.with_name(name), DOCUMENT_BYTES_MAX))


def _bounded(file: Path, bytes_max: int) -> bytes:
    """Read a file, and one byte more than it may have at most, which its reader refuses."""
    with file.open("rb") as opened:
        return opened.read(bytes_max + 1)
