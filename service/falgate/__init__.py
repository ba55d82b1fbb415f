"""falgate: a gateway in front of fal's image models."""

__version__ = "0.1.0"
