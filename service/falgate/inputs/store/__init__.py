"""Input pictures and uploads in Redis."""
