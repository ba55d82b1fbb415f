"""The descriptions that falgate ships, read as a gateway reads them."""

from falgate.models.spec import ModelSpec
from falgate.served_models import SHIPPED as FOLDER
from falgate.served_models import declarations, read

SHIPPED: dict[str, ModelSpec] = {spec.endpoint: spec for spec in map(read, declarations(FOLDER))}
