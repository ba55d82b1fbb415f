"""The descriptions that falgate ships: a gateway serves those that an operator adds."""

from pathlib import Path

FOLDER = Path(__file__).parent / "models" / "shipped"
