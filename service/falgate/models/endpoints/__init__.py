"""The models that falgate itself describes, by endpoint: one file each, values only."""

import importlib
import pkgutil

from falgate.models.spec import ModelSpec

MODELS: dict[str, ModelSpec] = {
    spec.endpoint: spec
    for module in pkgutil.iter_modules(__path__)
    for spec in [importlib.import_module(f"{__name__}.{module.name}").SPEC]
}
"""Each file in this folder defines one `SPEC`; adding a file adds its model."""
