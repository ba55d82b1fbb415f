"""Picture storage: files named by their SHA-256 on disk or in a bucket, and their life cycle."""
