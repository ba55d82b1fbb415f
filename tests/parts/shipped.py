"""The descriptions that falgate ships, read as a gateway reads them."""

from falgate.models.spec import ModelSpec
from falgate.served_models import declarations, read
from falgate.shipped import FOLDER

SHIPPED: dict[str, ModelSpec] = {spec.endpoint: spec for spec in map(read, declarations(FOLDER))}
