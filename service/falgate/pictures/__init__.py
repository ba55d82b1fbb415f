"""The picture store: bytes under their SHA-256, on disk or in any object store."""
