"""The picture catalogue in Redis."""
